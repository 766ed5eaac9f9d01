import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { alertKinds } from "../../core/operators/alerts.ts"
import { Alerts } from "../../services/operators/Alerts.ts"
import { acceptOperation } from "../../services/operators/watch/identities.ts"
import { noteAct } from "../CurrentRequest.ts"
import { accountNamed } from "../accounts/adminCare.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

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

const Accepted = Schema.Struct({ account: Schema.String, cid: Schema.String })

/** POST `/admin/alerts/accept`: the owner made the PLC operation that an alert is about. */
export const acceptAlert = Effect.fn("http.acceptAlert")(function* (request: Request) {
  yield* forAdministrator(request, "admin/alerts/accept")
  const { account, cid } = yield* adminInput(request, Accepted, "account and cid are needed")
  const { did, handle } = yield* accountNamed(account)
  yield* noteAct({ after: { cid } })
  yield* acceptOperation(did, cid)
  return ownAnswer({ did, handle, cid })
})
