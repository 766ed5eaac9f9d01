import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import { channels } from "../../core/operators/alerts.ts"
import { administrator } from "../administrator.ts"
import { Verbatim, Words } from "../answers.ts"
import { moment, report, type Style, table } from "../output.ts"
import { query } from "../xrpc.ts"

const optional = Schema.optionalKey
const Reported = Schema.Array(Schema.Literals(channels))

const Alert = Schema.Struct({
  kind: Words,
  subject: Verbatim,
  title: Words,
  detail: Verbatim,
  severity: Words,
  begunAt: Schema.Finite,
  seenAt: Schema.Finite,
  endedAt: optional(Schema.Finite),
  reportedBegin: Reported,
  reportedEnd: Reported
})

const Answer = Schema.Struct({
  lookedAt: optional(Schema.Finite),
  alerts: Schema.Array(Alert)
})

const rowOf = ({
  kind,
  subject,
  detail,
  begunAt,
  endedAt,
  reportedBegin,
  reportedEnd
}: typeof Alert.Type) => [
  endedAt === undefined ? "open" : "ended",
  kind,
  subject,
  moment(begunAt),
  moment(endedAt),
  (endedAt === undefined ? reportedBegin : reportedEnd).join(", "),
  detail
]

const words = ({ lookedAt, alerts }: typeof Answer.Type, style: Style): string => {
  const looked =
    lookedAt === undefined
      ? style.bad("The watch hasn't looked yet: it needs the cron trigger.")
      : `The watch looked last at ${moment(lookedAt)}.`
  const heads = ["STATE", "ALERT", "ABOUT", "SINCE", "UNTIL", "REPORTED BY", "DETAIL"]
  return [table(heads, alerts.map(rowOf), "No alerts"), looked].join("\n\n")
}

/** `nacre watch` */
export const watch = Command.make(
  "watch",
  {},
  Effect.fnUntraced(function* () {
    const admin = yield* administrator
    const answer = yield* query(admin, "admin/alerts", Answer)
    yield* report(answer, words)
  })
).pipe(
  Command.withDescription(
    "Show what the server's watch found: open alerts, then past ones. Each kind of alert has a page in docs/operate/runbook"
  ),
  Command.withShortDescription("Show what is wrong with the server, and what was")
)
