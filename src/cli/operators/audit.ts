import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import {
  type AuditEntry,
  type AuditHead,
  emptyHead,
  faultIn
} from "../../core/operators/auditChain.ts"
import { Opaque, Verbatim } from "../answers.ts"
import { Failed } from "../failure.ts"
import { JsonFlag } from "../flags.ts"
import { moment, note, print, report, table } from "../output.ts"
import { administrator } from "../administrator.ts"
import { query, type Remote } from "../xrpc.ts"

const optional = Schema.optionalKey
const Hash = Schema.Union([Opaque, Schema.Literal("")])
const Values = Schema.Record(
  Verbatim,
  Schema.Union([Verbatim, Schema.Finite, Schema.Boolean, Schema.Null])
)

const Page = Schema.Struct({
  head: Schema.Struct({ seq: Schema.Int, hash: Hash }),
  entries: Schema.Array(
    Schema.Struct({
      seq: Schema.Int,
      at: Schema.Finite,
      actor: Verbatim,
      act: Verbatim,
      status: Schema.Int,
      subject: optional(Verbatim),
      reason: optional(Verbatim),
      before: optional(Values),
      after: optional(Values),
      request: optional(Verbatim),
      prev: Hash,
      hash: Hash
    })
  )
})

/** How many entries each request asks for. */
const pageSize = 500

interface Filter {
  readonly actor?: string | undefined
  readonly act?: string | undefined
  readonly subject?: string | undefined
}

/**
 * Walks the entries from the oldest to the newest at the start, because reading adds entries
 * itself.
 */
const eachPage = Effect.fnUntraced(function* <E, R>(
  admin: Remote,
  filter: Filter,
  take: (entries: ReadonlyArray<AuditEntry>) => Effect.Effect<void, E, R>
) {
  let after = 0
  let head: AuditHead | undefined
  for (;;) {
    const page: typeof Page.Type = yield* query(admin, "admin/audit", Page, {
      ...filter,
      after,
      limit: pageSize
    })
    head ??= page.head
    const end = head.seq
    const entries = page.entries.filter(({ seq }) => seq <= end)
    yield* take(entries)
    const last = page.entries.at(-1)
    if (last === undefined || last.seq >= end) return head
    after = last.seq
  }
})

const verify = Command.make(
  "verify",
  {
    expect: Flag.String("expect").pipe(
      Flag.withMetavar("number:hash"),
      Flag.withDescription(
        "An entry that an earlier verification ended with; it must still be there"
      ),
      Flag.optional
    )
  },
  Effect.fnUntraced(function* ({ expect }) {
    const admin = yield* administrator
    let seen: AuditHead | undefined
    let count = 0
    let isThere = Option.isNone(expect)
    const head = yield* eachPage(admin, {}, (entries) =>
      Effect.suspend(() => {
        const fault = faultIn(entries, seen)
        if (fault !== undefined) {
          return new Failed({
            message:
              fault.fault === "changed"
                ? `Entry ${fault.seq} of the audit log was changed after it was written`
                : `Entries before number ${fault.seq} of the audit log are missing`,
            next: "Compare with an earlier export, and find out who can write to the server's database."
          })
        }
        count += entries.length
        isThere ||= entries.some(
          ({ seq, hash }) => Option.getOrUndefined(expect) === `${seq}:${hash}`
        )
        const last = entries.at(-1)
        if (last !== undefined) seen = { seq: last.seq, hash: last.hash }
        return Effect.void
      })
    )
    const end = seen ?? emptyHead
    if (end.seq !== head.seq || end.hash !== head.hash) {
      return yield* new Failed({
        message: `The newest entries of the audit log are missing: it ends with ${end.seq}, and ${head.seq} were written`,
        next: "Find out who can write to the server's database."
      })
    }
    if (!isThere) {
      return yield* new Failed({
        message: "The expected entry isn't in the audit log",
        next: "The log was rewritten, or the entry is older than the 100,000 that are kept."
      })
    }
    const result = { server: admin.server, entries: count, head: `${end.seq}:${end.hash}` }
    yield* report(
      result,
      () => `${count} entries, none changed or missing. Keep this for --expect: ${result.head}`
    )
  })
).pipe(
  Command.withDescription(
    "Check that no entry of the audit log was changed or removed. The command computes the chain of hashes itself"
  ),
  Command.withShortDescription("Check that the audit log is whole")
)

const valuesOf = (values: AuditEntry["before"]): string =>
  values === undefined
    ? ""
    : Object.entries(values)
        .map(([name, value]) => `${name}=${String(value)}`)
        .join(" ")

const rowOf = ({ act, actor, after, at, before, reason, seq, status, subject }: AuditEntry) => [
  String(seq),
  moment(at),
  actor,
  `${act.replace(/^com\.atproto\./, "")}${status < 300 ? "" : ` (${status})`}`,
  subject ?? "",
  [valuesOf(before), valuesOf(after)].filter((text) => text !== "").join(" → "),
  reason ?? ""
]

const filterFlag = (name: string, description: string) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.optional)

/** `nacre audit` */
export const audit = Command.make(
  "audit",
  {
    actor: filterFlag(
      "actor",
      "Only acts of this DID, or of the administrator's password: password"
    ),
    act: filterFlag("act", "Only this act: a method's name or a path"),
    subject: filterFlag("subject", "Only acts about this DID, at:// URI or invite code"),
    limit: Flag.Int("limit").pipe(
      Flag.withDescription("How many entries to show, from the newest"),
      Flag.withDefault(50)
    )
  },
  Effect.fnUntraced(function* ({ act, actor, limit, subject }) {
    const admin = yield* administrator
    const filter = {
      actor: Option.getOrUndefined(actor),
      act: Option.getOrUndefined(act),
      subject: Option.getOrUndefined(subject)
    }
    if (yield* JsonFlag) {
      yield* eachPage(admin, filter, (entries) =>
        Effect.forEach(entries, (entry) => print(JSON.stringify(entry)), { discard: true })
      )
      return
    }
    const shown = Math.min(Math.max(limit, 1), pageSize)
    const { entries } = yield* query(admin, "admin/audit", Page, { ...filter, limit: shown })
    const heads = ["NO", "WHEN", "WHO", "WHAT", "WHOM", "CHANGE", "WHY"]
    yield* print(table(heads, entries.map(rowOf), "No entries"))
    if (entries.length === shown) yield* note("There may be more: --limit, or --json for all.")
  })
).pipe(
  Command.withDescription(
    "Show what operators and moderators did, from the newest. With --json, all of it from the oldest, one JSON document a line"
  ),
  Command.withShortDescription("Show what operators and moderators did"),
  Command.withExamples([
    { command: "nacre audit --subject did:plc:…", description: "What was done to an account" },
    { command: "nacre audit --json > audit.jsonl", description: "Export the whole log" }
  ]),
  Command.withSubcommands([verify])
)
