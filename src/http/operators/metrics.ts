import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { openMetrics, openMetricsType } from "../../core/operators/openMetrics.ts"
import { isAdmin, parseAuthorization } from "../../core/sessions/authorization.ts"
import { Config } from "../../services/host/Config.ts"
import { readMetrics } from "../../services/operators/metrics.ts"
import { Denied } from "../../services/sessions/Auth.ts"

/** GET `/metrics`: OpenMetrics text for the bearer of METRICS_TOKEN; 404 without that variable. */
export const metrics = Effect.fn("http.metrics")(function* (request: Request) {
  const { metricsToken } = yield* Config
  if (metricsToken === undefined) return new Response("Not Found\n", { status: 404 })
  const presented = parseAuthorization(request.headers.get("authorization") ?? undefined)
  const isRight =
    presented?.scheme === "bearer" && isAdmin(presented.value, Redacted.value(metricsToken))
  if (!isRight) {
    return yield* new Denied({
      error: "AuthenticationRequired",
      message: "The token of METRICS_TOKEN is required"
    })
  }
  return new Response(openMetrics(yield* readMetrics), {
    headers: { "content-type": openMetricsType, "cache-control": "no-store" }
  })
})
