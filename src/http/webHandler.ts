import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { runJobs } from "../services/host/jobs.ts"
import type { Misconfigured } from "../services/host/Config.ts"
import { traced } from "../services/operators/Traces.ts"
import { answerDirectly } from "./directPath.ts"
import { misconfigured } from "./host/health.ts"
import { type HostServices, serveHost } from "./host.ts"
import { newRequestId, withRequestId } from "./requestId.ts"
import { respondTo } from "./respondTo.ts"

/** Answers web requests. */
export type Handler = (request: Request) => Promise<Response>

/** A Worker's handlers: requests, and the work of its cron trigger. */
export interface WorkerApp {
  readonly fetch: Handler
  readonly scheduled: () => Promise<void>
}

/** Builds the host's HTTP app over its services. */
const build = Effect.fnUntraced(function* (services: Layer.Layer<HostServices, Misconfigured>) {
  const context = yield* Layer.buildWithScope(services, yield* Scope.make())
  const worker: WorkerApp = {
    fetch: (request) => {
      // A defect before anything has waited: the usual way meets it again, and reports it.
      const direct = Result.getOrUndefined(Result.try(() => answerDirectly(request, context)))
      if (direct !== undefined) return Promise.resolve(direct)
      return respondTo(request, context, serveHost(request))
    },
    scheduled: () => Effect.runPromiseWith(context)(traced(() => ({ name: "scheduled" }), runJobs))
  }
  return worker
})

/** Answers every request with the configuration's problem; throws any other failure. */
const refusing = (cause: Cause.Cause<Misconfigured>): WorkerApp => {
  const problem = Cause.findError(cause)
  if (Result.isFailure(problem)) throw Cause.squash(cause)
  const log = Effect.logError(problem.success.message)
  Effect.runSync(log)
  return {
    fetch: (request) =>
      Effect.runPromise(
        withRequestId(misconfigured(new URL(request.url), problem.success), newRequestId(request))
      ),
    scheduled: () => Effect.runPromise(log)
  }
}

/**
 * Creates the host's HTTP app and its scheduled work.
 *
 * Built synchronously at start, since in a Worker no request may wait for another's I/O. With an
 * invalid configuration, every response says so (503).
 */
export const makeWorker = (services: Layer.Layer<HostServices, Misconfigured>): WorkerApp => {
  const built = Effect.runSyncExit(build(services))
  return Exit.isSuccess(built) ? built.value : refusing(built.cause)
}

/** Creates only the host's HTTP app, as a function from request to response. */
export const makeHandler = (services: Layer.Layer<HostServices, Misconfigured>): Handler =>
  makeWorker(services).fetch

/**
 * The same over services that build asynchronously.
 *
 * Each request before the first success builds its own app; the first success is kept, failures are
 * not.
 */
export const makeLateWorker = (services: Layer.Layer<HostServices, Misconfigured>): WorkerApp => {
  let app: WorkerApp | undefined
  const begun = (): Promise<WorkerApp> =>
    app === undefined
      ? Effect.runPromiseExit(build(services)).then((built) =>
          Exit.isSuccess(built) ? (app ??= built.value) : refusing(built.cause)
        )
      : Promise.resolve(app)
  return {
    fetch: (request) =>
      app === undefined ? begun().then((one) => one.fetch(request)) : app.fetch(request),
    scheduled: () => begun().then((one) => one.scheduled())
  }
}
