import * as Effect from "effect/Effect"
import { alertKinds } from "../../core/operators/alerts.ts"
import { Alerts } from "../../services/operators/Alerts.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The most alerts in a response. */
const most = 200

/** GET `/admin/alerts`: the watch's open alerts, then those that have ended, newest first. */
export const adminAlerts = Effect.fn("http.adminAlerts")(function* (request: Request) {
  yield* forAdministrator(request, "admin/alerts")
  const alerts = yield* Alerts
  const listed = yield* alerts.list({ past: true, limit: most })
  const lookedAt = (yield* alerts.summary)?.at
  return ownAnswer({
    ...(lookedAt === undefined ? {} : { lookedAt }),
    alerts: listed.map((alert) => ({ ...alert, ...textOf(alert.kind) }))
  })
})

const textOf = (kind: keyof typeof alertKinds) => {
  const { title, severity } = alertKinds[kind]
  return { title, severity }
}
