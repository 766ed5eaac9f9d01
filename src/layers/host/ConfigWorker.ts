import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { secretNames } from "../../core/host/variables.ts"
import { Config, Misconfigured, type Problem, type Settings } from "../../services/host/Config.ts"
import { read } from "./ConfigEnv.ts"
import * as Logging from "./Logging.ts"

/** The bindings of a Worker. */
type Bindings = Readonly<Record<string, unknown>>

/** A secret in a Secrets Store, as the platform binds it. */
interface StoredSecret {
  readonly get: () => Promise<string>
}

/** How long a store may take. */
const patience = "5 seconds"

const storedSecrets = (env: Bindings): ReadonlyArray<readonly [string, StoredSecret]> =>
  secretNames.flatMap((name) => {
    const binding = env[name]
    // SAFETY: a variable is a text; what else may be bound under this name is a secret of a store.
    return typeof binding === "object" && binding !== null ? [[name, binding as StoredSecret]] : []
  })

/** Whether any secret is in a Secrets Store: then the settings have to be waited for. */
export const isWaitedFor = (env: Bindings): boolean => storedSecrets(env).length > 0

/** Asks for one secret; nothing where it cannot be had, which the log tells with the store's reason. */
const ask = (name: string, secret: StoredSecret) =>
  Effect.tryPromise(() => secret.get()).pipe(
    Effect.timeout(patience),
    Effect.tapCause((cause) =>
      Effect.provide(
        Effect.logError("a secret of a store cannot be had", { name }, cause),
        Logging.lines
      )
    ),
    Effect.match({ onSuccess: (value) => [name, value] as const, onFailure: () => name })
  )

const problemOf = (variable: string): Problem => ({
  variable,
  message: "cannot be had from its Secrets Store: is there a secret of this name for Workers?"
})

/** The settings, their secrets asked of the stores, all at once; every problem of every variable is listed. */
const readStored = Effect.fnUntraced(function* (env: Bindings) {
  const answers = yield* Effect.all(
    storedSecrets(env).map(([name, secret]) => ask(name, secret)),
    { concurrency: "unbounded" }
  )
  const lost = answers.filter((answer) => typeof answer === "string")
  const told = Object.fromEntries(answers.filter((answer) => typeof answer !== "string"))
  const settings = read({ ...env, ...Object.fromEntries(lost.map((name) => [name, ""])), ...told })
  if (lost.length === 0) return yield* Effect.fromResult(settings)
  const others = settings._tag === "Failure" ? settings.failure.problems : []
  return yield* new Misconfigured({
    problems: [...lost.map(problemOf), ...others.filter(({ variable }) => !lost.includes(variable))]
  })
})

/** Settings by the environment that they were read from, which a Worker and its objects share: values, no promises, and no failures. */
const remembered = new WeakMap<Bindings, Settings>()

/**
 * The settings from a Worker's bindings: synchronously, unless a secret is in a Secrets Store.
 *
 * What was read well is not read again in this isolate. A failure is forgotten: the next one who asks, asks the store.
 */
export const layer = (env: Bindings): Layer.Layer<Config, Misconfigured> =>
  Layer.effect(
    Config,
    Effect.suspend(() => {
      const settings = remembered.get(env)
      if (settings !== undefined) return Effect.succeed(settings)
      const reading = isWaitedFor(env) ? readStored(env) : Effect.fromResult(read(env))
      return Effect.tap(reading, (found) => Effect.sync(() => remembered.set(env, found)))
    })
  )
