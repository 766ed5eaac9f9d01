import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { channels } from "../../core/operators/alerts.ts"
import { administrator } from "../administrator.ts"
import { CidText, Did, Handle, Verbatim, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { moment, report, type Style, table } from "../output.ts"
import { procedure, query } from "../xrpc.ts"

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

const Accepted = Schema.Struct({ did: Did, handle: Handle, cid: CidText })

const accept = Command.make(
  "accept",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("The account's handle or DID")
    ),
    cid: Argument.String("cid").pipe(
      Argument.withDescription("The operation's CID, from the alert's detail")
    )
  },
  Effect.fnUntraced(function* ({ account, cid }) {
    const admin = yield* administrator
    const handle = yield* wholeHandle(admin.server, account)
    const answer = yield* procedure(admin, "admin/alerts/accept", Accepted, {
      account: handle,
      cid
    })
    yield* report(
      answer,
      ({ handle: of }) => `The alert about ${of} has ended. A later operation begins another one.`
    )
  })
).pipe(
  Command.withDescription(
    "Accept a PLC operation that an account's owner made without this server, and end the alert about it. Ask the owner first: the operation may be a thief's"
  ),
  Command.withShortDescription("Accept a PLC operation that the account's owner made elsewhere")
)

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
  Command.withSubcommands([accept]),
  Command.withDescription(
    "Show what the server's watch found: open alerts, then past ones. Each kind of alert has a page in docs/operate/runbook"
  ),
  Command.withShortDescription("Show what is wrong with the server, and what was")
)
