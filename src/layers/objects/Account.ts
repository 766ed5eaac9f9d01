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

/**
 * The class of an account's object; `base` creates the services outside the object from the
 * environment.
 */
export const accountClass = <Env>(
  app: AccountApp,
  base: (env: Env) => Layer.Layer<AccountBase>
): AccountObjectClass<Env> =>
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

    /**
     * Builds the services while other events wait; a failure, such as a Secrets Store's, is not
     * cached.
     */
    #begin() {
      const build = () => Effect.runPromiseExit(this.#build())
      this.#services = this.ctx.blockConcurrencyWhile(build).then((built) => {
        if (Exit.isSuccess(built)) return (this.#ready = built.value)
        this.#services = undefined
        throw Cause.squash(built.cause)
      })
      return this.#services
    }

    /** Lets the next event build new services: these remember what was deleted. */
    #forget(): void {
      this.#services = undefined
      this.#ready = undefined
    }

    #build() {
      const { storage, id } = this.ctx
      return Effect.gen({ self: this }, function* () {
        const alarm = yield* AlarmDurable.make(storage)
        this.#alarm = alarm
        const own = Layer.mergeAll(
          SqlStorageDurable.layer(storage),
          AlarmDurable.layer(alarm),
          BackgroundDurable.layer(this.ctx),
          PointInTimeDurable.layer(this.ctx)
        )
        const wipe = Effect.promise(() => storage.deleteAll()).pipe(
          Effect.andThen(alarm.clear),
          Effect.andThen(Effect.sync(() => this.#forget()))
        )
        const services = accountServices
          .layer({ did: id.name ?? "unknown", wipe })
          .pipe(Layer.provideMerge(Layer.mergeAll(own, base(this.env))))
        return yield* buildAlone(services, yield* Scope.make())
      })
    }
  }
