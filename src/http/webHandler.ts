import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { Misconfigured } from "../services/host/Config.ts"
import { misconfigured } from "./host/health.ts"
import { type HostServices, serveHost } from "./host.ts"
import { newRequestId, withRequestId } from "./requestId.ts"

/** Answers web requests. */
export type Handler = (request: Request) => Promise<Response>

/** What a client that has gone away is told: nothing that anybody hears. */
const unanswered = (): Response => new Response(null, { status: 499 })

/** The host's HTTP app over its services; a client that goes away ends what was begun for it. */
const build = Effect.fnUntraced(function* (services: Layer.Layer<HostServices, Misconfigured>) {
  const run = Effect.runPromiseExitWith(yield* Layer.buildWithScope(services, yield* Scope.make()))
  const handler: Handler = (request) =>
    run(serveHost(request), { signal: request.signal }).then((exit) =>
      Exit.isSuccess(exit) ? exit.value : unanswered()
    )
  return handler
})

/** Answers every request by saying that the configuration cannot be used; any other failure is thrown. */
const refusing = (cause: Cause.Cause<Misconfigured>): Handler => {
  const problem = Cause.findError(cause)
  if (Result.isFailure(problem)) throw Cause.squash(cause)
  Effect.runSync(Effect.logError(problem.success.message))
  return (request) =>
    Effect.runPromise(
      withRequestId(misconfigured(new URL(request.url), problem.success), newRequestId(request))
    )
}

/**
 * The host's HTTP app over its services, as a function from request to response.
 *
 * Built at once and synchronously: in a Worker no request may wait for what another one began.
 * Where the configuration cannot be used, every answer says so (503).
 */
export const makeHandler = (services: Layer.Layer<HostServices, Misconfigured>): Handler => {
  const built = Effect.runSyncExit(build(services))
  return Exit.isSuccess(built) ? built.value : refusing(built.cause)
}

/**
 * The same over services that have to be waited for.
 *
 * Each request that comes before there is an app builds one by itself; the first that is built stays. No failure does.
 */
export const makeLateHandler = (services: Layer.Layer<HostServices, Misconfigured>): Handler => {
  let app: Handler | undefined
  const begin: Handler = (request) =>
    Effect.runPromiseExit(build(services)).then((built) =>
      Exit.isSuccess(built) ? (app ??= built.value)(request) : refusing(built.cause)(request)
    )
  return (request) => (app ?? begin)(request)
}
