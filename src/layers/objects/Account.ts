import { DurableObject } from "cloudflare:workers"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { type CallInput, type CallName, runCall } from "../../services/accounts/AccountCalls.ts"
import { onAlarm } from "../../services/accounts/onAlarm.ts"
import type { AccountApp, AccountBase, AccountServices } from "./AccountApp.ts"
import * as AlarmDurable from "../host/AlarmDurable.ts"
import * as BackgroundDurable from "../host/BackgroundDurable.ts"
import * as PointInTimeDurable from "../host/PointInTimeDurable.ts"
import * as accountServices from "../account.ts"
import { type CallAnswer, type CallContext, inputOf, traceHeader } from "./AccountsObject.ts"
import { buildAlone } from "./buildAlone.ts"
import { parseTrace, type TraceParent } from "../../core/operators/otlp.ts"
import { traced } from "../../services/operators/Traces.ts"
import * as Logging from "../host/Logging.ts"
import { namedIdOf, RequestId } from "../../services/host/RequestId.ts"
import { RequestOrigin } from "../../services/host/RequestOrigin.ts"
import * as SqlStorageDurable from "../host/sql/SqlStorageDurable.ts"

/** Records a part of the Worker's trace, if it is sampled; an object begins none itself. */
const within = <A, E, R>(
  name: string,
  parent: TraceParent | undefined,
  effect: Effect.Effect<A, E, R>
) => (parent === undefined ? effect : traced(() => ({ name }), effect, parent))

/** How long an alarm waits after its services failed to build, in milliseconds. */
const putOff = 60_000

/**
 * The declared type of an account's object; a class expression with private fields can't be
 * declared.
 */
export type AccountObjectClass<Env> = new (
  ctx: DurableObjectState,
  env: Env
) => {
  fetch(request: Request): Promise<Response>
  call<K extends CallName>(
    method: K,
    ...input: readonly [...CallInput<K>, CallContext?]
  ): Promise<CallAnswer>
  alarm(): Promise<void>
} & DurableObject<Env>

/** The services outside the object, which the objects of an environment share. */
export interface Base<Env> {
  /** Undefined until the first object has built them. */
  built(env: Env): Context.Context<AccountBase> | undefined
  build(env: Env): Effect.Effect<Context.Context<AccountBase>>
}

/** The class of an account's object. */
export const accountClass = <Env>(app: AccountApp, base: Base<Env>): AccountObjectClass<Env> =>
  class extends DurableObject<Env> {
    #services: Promise<Context.Context<AccountServices>> | undefined
    #ready: Context.Context<AccountServices> | undefined
    #alarm: AlarmDurable.ObjectAlarm | undefined

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env)
      // The first request gets the failure, or a new build.
      this.#begin().catch(() => {})
    }

    override async fetch(request: Request): Promise<Response> {
      const trace = request.headers.get(traceHeader)
      if (this.#ready !== undefined && trace === null) {
        const answered = app.answerAtOnce(request, this.#ready)
        if (answered !== undefined) return answered
      }
      const parent = parseTrace(trace)
      const answered = Effect.provideService(app.serve(request), RequestId, namedIdOf(request))
      return this.#run(within("account.serve", parent, answered))
    }

    /** Runs an internal method; see AccountCalls. */
    async call<K extends CallName>(
      method: K,
      ...given: readonly [...CallInput<K>, CallContext?]
    ): Promise<CallAnswer> {
      const { input, requestId, origin, trace } = inputOf(given)
      return this.#run(
        // SAFETY: the remaining arguments are this method's input.
        Effect.matchEffect(runCall(method, ...(input as CallInput<K>)), {
          onSuccess: (output) => Effect.succeed({ output }),
          onFailure: (failure) =>
            Effect.map(app.failures.encode(failure), (encoded) => ({ failure: encoded }))
        }).pipe(
          Effect.provideService(RequestId, requestId),
          Effect.provideService(RequestOrigin, origin),
          (called) => within(`account.${method}`, trace, called)
        )
      )
    }

    override async alarm(): Promise<void> {
      try {
        await (this.#services ?? this.#begin())
      } catch (cause) {
        // The platform would retry an alarm only a few times before it gives up.
        const line = Effect.logError("an account's alarm is put off", cause)
        await Effect.runPromise(Effect.provide(line, Logging.lines))
        return this.ctx.storage.setAlarm(Date.now() + putOff)
      }
      this.#alarm?.fired()
      await this.#run(onAlarm)
    }

    async #run<A>(effect: Effect.Effect<A, never, AccountServices>): Promise<A> {
      return Effect.runPromiseWith(await (this.#services ?? this.#begin()))(effect)
    }

    /** Builds the services; a failure, such as a Secrets Store's, is not cached. */
    #begin() {
      this.#services = this.#build().then(
        (built) => (this.#ready = built),
        (cause) => {
          this.#services = undefined
          throw cause
        }
      )
      return this.#services
    }

    /** Lets the next event build new services: these remember what was deleted. */
    #forget(): void {
      this.#services = undefined
      this.#ready = undefined
    }

    /** Ends in the constructor's turn, unless the object is the isolate's first. */
    async #build() {
      const { storage, id } = this.ctx
      const shared = base.built(this.env) ?? (await this.#buildBase())
      const alarm = await AlarmDurable.make(storage)
      this.#alarm = alarm
      const around = Layer.mergeAll(
        SqlStorageDurable.layer(storage),
        AlarmDurable.layer(alarm),
        BackgroundDurable.layer(this.ctx),
        PointInTimeDurable.layer(this.ctx),
        Layer.succeedContext(shared)
      )
      const wipe = Effect.promise(() => storage.deleteAll()).pipe(
        Effect.andThen(alarm.clear),
        Effect.andThen(Effect.sync(() => this.#forget()))
      )
      const services = accountServices
        .layer({ did: id.name ?? "unknown", wipe })
        .pipe(Layer.provideMerge(around))
      return Effect.runSync(buildAlone(services, Scope.makeUnsafe()))
    }

    /** Other events wait meanwhile. */
    async #buildBase() {
      const build = () => Effect.runPromiseExit(base.build(this.env))
      const built = await this.ctx.blockConcurrencyWhile(build)
      if (Exit.isFailure(built)) throw Cause.squash(built.cause)
      return built.value
    }
  }
