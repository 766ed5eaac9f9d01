import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import { isNsid } from "../core/lexicon/syntax.ts"
import type { CurrentRequest } from "./CurrentRequest.ts"

/** Whether the log has lines for requests. */
export const logsRequests = (services: Context.Context<never>): boolean =>
  LogLevel.isGreaterThanOrEqualTo("Info", Context.get(services, References.MinimumLogLevel))

/** Logs a request on one line: by its NSID, else by its route's path. */
export const logRequest = Effect.fnUntraced(function* (
  { request, nsid, route = "unknown", account }: CurrentRequest["Service"],
  status: number,
  started: number
) {
  yield* Effect.logInfo("request").pipe(
    Effect.annotateLogs({
      http: request.method,
      method: isNsid(nsid) ? nsid : route,
      account,
      status,
      ms: (yield* Clock.currentTimeMillis) - started
    })
  )
})
