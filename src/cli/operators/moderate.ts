import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { type SoughtSubject, soughtSubject } from "../../core/operators/subjects.ts"
import { administrator } from "../administrator.ts"
import { CidText, Did, Verbatim, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { ReasonFlag } from "../flags.ts"
import { wholeHandle } from "../handles.ts"
import { facts, report } from "../output.ts"
import { procedure, query, type Remote } from "../xrpc.ts"

const optional = Schema.optionalKey

const flags = {
  target: Argument.String("target").pipe(
    Argument.withDescription("A handle, a DID, an at:// address or a bsky.app link")
  ),
  blob: Flag.String("blob").pipe(
    Flag.withMetavar("CID"),
    Flag.withDescription("A blob of the account: a picture or another file"),
    Flag.optional
  )
}

const Status = Schema.Struct({
  subject: Schema.Struct({
    $type: Schema.Literals([
      "com.atproto.admin.defs#repoRef",
      "com.atproto.repo.strongRef",
      "com.atproto.admin.defs#repoBlobRef"
    ]),
    did: optional(Did),
    uri: optional(Verbatim),
    cid: optional(CidText)
  }),
  takedown: Schema.Struct({ applied: Schema.Boolean, ref: optional(Words) }),
  deactivated: optional(Schema.Struct({ applied: Schema.Boolean }))
})

type Status = typeof Status.Type

const kinds = {
  "com.atproto.admin.defs#repoRef": "account",
  "com.atproto.repo.strongRef": "record",
  "com.atproto.admin.defs#repoBlobRef": "blob"
} as const satisfies Record<Status["subject"]["$type"], string>

/** The query of a subject; only the server's operators can find an account that is down by its handle. */
const paramsOf = Effect.fnUntraced(function* (
  admin: Remote,
  { account, path, blob }: SoughtSubject
) {
  if (path !== undefined) return { uri: `at://${account}/${path}` }
  const { did } = account.startsWith("did:")
    ? { did: account }
    : yield* query(admin, "admin/accounts/check", Schema.Struct({ did: Did }), { account })
  return { did, blob }
})

/** Finds what is called so, with its standing. */
const find = Effect.fn("cli.findSubject")(function* (typed: string, blob: Option.Option<string>) {
  const admin = yield* administrator
  // A link or an address isn't a bare name.
  const whole = /[/:]/.test(typed) ? typed : yield* wholeHandle(admin.server, typed)
  const sought = soughtSubject(whole, Option.getOrUndefined(blob))
  if (sought === undefined) {
    return yield* new Failed({
      message: "The target is neither an account, a record nor a blob",
      next: "Write a handle, a DID, an at:// address of a record or a bsky.app link, and a blob's CID after --blob"
    })
  }
  const params = yield* paramsOf(admin, sought)
  const status = yield* query(admin, "com.atproto.admin.getSubjectStatus", Status, params)
  return { admin, status }
})

const shownOf = ({ subject, takedown, deactivated }: Status) => {
  const { $type, ...names } = subject
  return {
    kind: kinds[$type],
    ...names,
    takedown,
    ...(deactivated === undefined ? {} : { deactivated: deactivated.applied })
  }
}

/** A subject in a sentence. */
const nameOf = ({ subject: { $type, did, uri, cid } }: Status): string =>
  kinds[$type] === "blob" ? `blob ${cid} of ${did}` : `${kinds[$type]} ${uri ?? did}`

const show = Command.make(
  "show",
  flags,
  Effect.fnUntraced(function* ({ target, blob }) {
    const { status } = yield* find(target, blob)
    yield* report(shownOf(status), ({ kind, did, uri, cid, takedown, deactivated }) =>
      facts([
        ["Kind", kind],
        ["DID", did],
        ["Record", uri],
        ["CID", cid],
        ["Taken down", takedown.applied ? `yes (${takedown.ref ?? "no reason"})` : "no"],
        ["Deactivated", deactivated === undefined ? undefined : deactivated ? "yes" : "no"]
      ])
    )
  })
).pipe(
  Command.withDescription("Show whether an account, a record or a blob is taken down, and why"),
  Command.withExamples([
    {
      command: "nacre moderate show https://bsky.app/profile/alice.example.com/post/3k2yihcrp6f2c",
      description: "Look a post up by its link"
    }
  ])
)

/** Sets or lifts a takedown, and reads the new standing back. */
const change = Effect.fnUntraced(function* (
  typed: string,
  blob: Option.Option<string>,
  applied: boolean
) {
  const { admin, status } = yield* find(typed, blob)
  const { subject } = status
  const ref = Option.getOrUndefined(yield* ReasonFlag)
  yield* procedure(admin, "com.atproto.admin.updateSubjectStatus", Schema.Unknown, {
    subject,
    takedown: { applied, ...(applied && ref !== undefined ? { ref } : {}) }
  })
  const takedown = { applied, ...(applied && ref !== undefined ? { ref } : {}) }
  yield* report(shownOf({ ...status, takedown }), () =>
    applied ? `Took down the ${nameOf(status)}.` : `Restored the ${nameOf(status)}.`
  )
})

const takeDown = Command.make("take-down", flags, ({ target, blob }) =>
  change(target, blob, true)
).pipe(
  Command.withDescription(
    "Take an account, a record or a blob down. --reason stays with the takedown and in the audit log"
  ),
  Command.withShortDescription("Take an account, a record or a blob down"),
  Command.withExamples([
    {
      command: 'nacre moderate take-down alice --reason "Spam"',
      description: "Take Alice's account down"
    }
  ])
)

const restore = Command.make("restore", flags, ({ target, blob }) =>
  change(target, blob, false)
).pipe(
  Command.withDescription("Restore an account, a record or a blob that was taken down"),
  Command.withExamples([
    { command: "nacre moderate restore alice", description: "Restore Alice's account" }
  ])
)

/** `nacre moderate` */
export const moderate = Command.make("moderate").pipe(
  Command.withDescription("Look up, take down and restore accounts, records and blobs"),
  Command.withSubcommands([show, takeDown, restore])
)
