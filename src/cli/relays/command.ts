import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { youngHost } from "../../core/stream/relayReport.ts"
import { administrator } from "../administrator.ts"
import { moment, report, type Style, table } from "../output.ts"
import { procedure } from "../xrpc.ts"
import { type Audience, audienceOf, CrawlAnswer } from "./audience.ts"

const claimWords = ({ claim, throttled }: NonNullable<Audience["report"]>["relays"][number]) => {
  if (claim.kind !== "known") return claim.why
  const accounts = throttled.length === 0 ? "" : `, throttles ${throttled.length} accounts`
  return `${claim.status ?? "known"}${accounts}`
}

const relayRows = ({ relays, report: watched }: Audience) =>
  relays.map(({ relay, at, ok, status, message }) => {
    const last = watched?.relays.find((one) => one.relay === relay)
    return [
      relay,
      moment(at),
      at === undefined ? "" : ok ? "accepted" : [status, message].filter(Boolean).join(" "),
      last === undefined ? "" : claimWords(last),
      last?.behind === undefined ? "" : String(last.behind),
      moment(last?.at)
    ]
  })

const readerRows = ({ readers, report: watched }: Audience) =>
  readers.map(({ id, userAgent, network, since, behind, connected, seen }) => {
    const rate = id === undefined ? undefined : watched?.readers[id]?.rate
    return [
      connected ? (id ?? "") : "",
      userAgent ?? "unnamed",
      network ?? "",
      moment(since),
      String(behind),
      rate === undefined ? "" : `${rate.toFixed(2)}/s`,
      connected ? "now" : moment(seen)
    ]
  })

const words = (audience: Audience, { bold }: Style): string => {
  const events = audience.report?.events
  return [
    table(
      ["RELAY", "ASKED", "ANSWER", "SAYS", "BEHIND", "LOOKED"],
      relayRows(audience),
      "No relays are asked: see RELAYS."
    ),
    table(
      ["ID", "READER", "FROM", "SINCE", "BEHIND", "RATE", "SEEN"],
      readerRows(audience),
      "Nobody reads the stream."
    ),
    events === undefined
      ? "The watch hasn't looked yet: it needs the cron trigger."
      : `${bold(String(events.hour))} events in the last hour (relays take ${youngHost.hour} from a young host), ${bold(String(events.day))} in the last day (${youngHost.day}).`
  ].join("\n\n")
}

const disconnect = Command.make(
  "disconnect",
  { id: Argument.String("id").pipe(Argument.withDescription("The reader's id, from the list")) },
  Effect.fnUntraced(function* ({ id }) {
    const admin = yield* administrator
    const Answer = Schema.Struct({ disconnected: Schema.Boolean })
    const { disconnected } = yield* procedure(admin, "admin/relays/disconnect", Answer, { id })
    yield* report({ id, disconnected }, () =>
      disconnected
        ? "Disconnected. A reader may connect again."
        : "No connected reader has this id: it may have gone already."
    )
  })
).pipe(
  Command.withDescription(
    "Disconnect a reader of the event stream. It may connect again, and continues from its cursor"
  ),
  Command.withShortDescription("Disconnect a reader of the event stream")
)

const ask = Command.make(
  "ask",
  {
    relay: Argument.String("relay").pipe(
      Argument.withDescription("The relay's origin, from the list")
    )
  },
  Effect.fnUntraced(function* ({ relay }) {
    const admin = yield* administrator
    const answer = yield* procedure(admin, "admin/relays/ask", CrawlAnswer, { relay })
    yield* report({ relay, ...answer }, () =>
      answer.ok
        ? "The relay accepted."
        : `The relay rejected: ${[answer.status, answer.message].filter(Boolean).join(" ")}`
    )
  })
).pipe(Command.withDescription("Ask a relay to read this server now"))

/** `nacre relays` */
export const relays = Command.make(
  "relays",
  {},
  Effect.fnUntraced(function* () {
    yield* report(yield* audienceOf(yield* administrator), words)
  })
).pipe(
  Command.withDescription(
    "Show what each relay was asked, what it answered and says about this server, and who reads the event stream, how far and how fast"
  ),
  Command.withShortDescription("Show relays and other readers of the event stream"),
  Command.withSubcommands([disconnect, ask])
)
