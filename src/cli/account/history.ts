import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { historyKinds } from "../../core/accounts/history.ts"
import { Did, Handle, Verbatim, Words } from "../answers.ts"
import { wholeHandle } from "../handles.ts"
import { moment, note, report, table } from "../output.ts"
import { administrator } from "../administrator.ts"
import { query } from "../xrpc.ts"
import { accountArgument, meant } from "./people.ts"

const optional = Schema.optionalKey

const Entry = Schema.Struct({
  seq: Schema.Int,
  at: Schema.Finite,
  kind: Words,
  way: optional(Words),
  client: optional(Verbatim),
  place: optional(Verbatim),
  app: optional(Verbatim),
  subject: optional(Verbatim),
  before: optional(Verbatim),
  after: optional(Verbatim),
  reason: optional(Verbatim),
  by: optional(Words),
  refused: optional(Schema.Record(Verbatim, Schema.Int)),
  until: optional(Schema.Finite)
})

const Page = Schema.Struct({
  did: Did,
  handle: Handle,
  cursor: optional(Schema.Int),
  entries: Schema.Array(Entry)
})

const changeOf = ({ before = "", after = "", refused, reason = "" }: typeof Entry.Type): string => {
  const counts = Object.entries(refused ?? {}).map(([way, count]) => `${way} ${count}`)
  const change = before === "" ? after : `${before} → ${after}`
  return [change, counts.join(", "), reason].filter((text) => text !== "").join(" · ")
}

const rowOf = (entry: typeof Entry.Type) => [
  moment(entry.at),
  entry.kind,
  entry.app ?? entry.subject ?? entry.way ?? "",
  changeOf(entry),
  entry.by ?? [entry.client, entry.place].filter((text) => text !== undefined).join(", ")
]

/** `nacre account history` */
export const history = Command.make(
  "history",
  {
    account: accountArgument,
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many entries to show, from the newest; 500 at most"),
      Flag.withDefault(50)
    )
  },
  Effect.fnUntraced(function* ({ account, limit }) {
    const admin = yield* administrator
    const name = yield* wholeHandle(admin.server, yield* meant(account))
    const shown = Math.min(Math.max(limit, 1), 500)
    const page = yield* query(admin, "admin/accounts/history", Page, {
      account: name,
      limit: shown
    })
    yield* report(page, () =>
      table(
        ["WHEN", "WHAT", "NAME", "CHANGE", "BY"],
        page.entries.map(rowOf),
        `Nothing has happened to ${name} yet.`
      )
    )
    if (page.cursor !== undefined) yield* note("There may be more: --limit.")
  })
).pipe(
  Command.withDescription(
    "Show what happened to an account: sign-ins from new devices and apps, refused ones by day, changes of security settings, moderation.\n\n" +
      `Kinds: ${historyKinds.join(", ")}`
  ),
  Command.withShortDescription("Show what happened to an account"),
  Command.withExamples([
    { command: "nacre account history alice", description: "The newest 50 entries" },
    { command: "nacre account history alice --limit 500 --json", description: "All as JSON" }
  ])
)
