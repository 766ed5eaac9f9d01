import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { secretNames } from "../../core/host/variables.ts"
import { Config, Misconfigured, type Problem, type Settings } from "../../services/host/Config.ts"
import * as ConfigEnv from "./ConfigEnv.ts"
import * as Logging from "./Logging.ts"

/** The bindings of a Worker. */
type Bindings = Readonly<Record<string, unknown>>

/** A secret in a Secrets Store, as bound by the platform. */
interface StoredSecret {
  readonly get: () => Promise<string>
}

/** Adds to a secret's problem how a Worker's secret is replaced. */
const withRemedy = ({ variable, message }: Problem): Problem =>
  secretNames.some((name) => name === variable)
    ? {
        variable,
        message: `${message}; set it with npx wrangler secret put ${variable}, or in .dev.vars for a local server`
      }
    : { variable, message }

/** The settings of a Worker, whose blobs are in the bucket that is bound. */
const read = (env: Bindings): Result.Result<Settings, Misconfigured> =>
  Result.flatMap(
    Result.mapError(
      ConfigEnv.read(env),
      ({ problems }) => new Misconfigured({ problems: problems.map(withRemedy) })
    ),
    (settings) =>
      settings.blobStore === undefined
        ? Result.succeed(settings)
        : Result.fail(
            new Misconfigured({
              problems: [
                {
                  variable: "BLOB_S3_URL",
                  message: "is for a machine of your own: bind BLOBS here"
                }
              ]
            })
          )
  )

/** How long a store may take. */
const patience = "5 seconds"

const storedSecrets = (env: Bindings): ReadonlyArray<readonly [string, StoredSecret]> =>
  secretNames.flatMap((name) => {
    const binding = env[name]
    // SAFETY: a variable is text; anything else bound under its name is a store's secret.
    return typeof binding === "object" && binding !== null ? [[name, binding as StoredSecret]] : []
  })

/** Whether any secret is in a Secrets Store, so the settings are asynchronous. */
export const isWaitedFor = (env: Bindings): boolean => storedSecrets(env).length > 0

/** Reads one secret; undefined if it fails, with the store's reason in the log. */
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

/**
 * The settings, with all secrets read from stores concurrently; lists every variable's problems.
 */
const readStored = Effect.fnUntraced(function* (env: Bindings) {
  const answers = yield* Effect.all(
    storedSecrets(env).map(([name, secret]) => ask(name, secret)),
    { concurrency: "unbounded" }
  )
  const lost = answers.filter((answer) => typeof answer === "string")
  const found = Object.fromEntries(answers.filter((answer) => typeof answer !== "string"))
  const settings = read({ ...env, ...Object.fromEntries(lost.map((name) => [name, ""])), ...found })
  if (lost.length === 0) return yield* Effect.fromResult(settings)
  const others = settings._tag === "Failure" ? settings.failure.problems : []
  return yield* new Misconfigured({
    problems: [...lost.map(problemOf), ...others.filter(({ variable }) => !lost.includes(variable))]
  })
})

/**
 * Settings by environment, shared by a Worker and its objects; only values, no promises or
 * failures.
 */
const remembered = new WeakMap<Bindings, Settings>()

/**
 * The settings from a Worker's bindings, synchronously unless a secret is in a Secrets Store.
 *
 * A success is remembered in this isolate. A failure isn't: the next caller asks the store again.
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
