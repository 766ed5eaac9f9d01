import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { byteSize, parseQuota } from "../../core/blobs/byteSize.ts"
import { Did, Handle, Words } from "../answers.ts"
import { Failed } from "../failure.ts"
import { ReasonFlag } from "../flags.ts"
import { wholeHandle } from "../handles.ts"
import { report } from "../output.ts"
import { administrator } from "../administrator.ts"
import { procedure, query } from "../xrpc.ts"
import { accountArgument, meant } from "./people.ts"

const optional = Schema.optionalKey

const account = Argument.String("account").pipe(
  Argument.withDescription("The account's handle, email address or DID")
)

/** The command's server as its operator, and the whole name of an account. */
const about = Effect.fnUntraced(function* (typed: string) {
  const admin = yield* administrator
  return { admin, name: yield* wholeHandle(admin.server, typed) }
})

const Check = Schema.Struct({
  did: Did,
  handle: Handle,
  canSignIn: Schema.Boolean,
  summary: Words,
  reasons: Schema.Array(Words)
})

/** `nacre account check` */
export const check = Command.make(
  "check",
  { account: accountArgument },
  Effect.fnUntraced(function* ({ account }) {
    const { admin, name } = yield* about(yield* meant(account))
    const checked = yield* query(admin, "admin/accounts/check", Check, { account: name })
    yield* report(checked, () =>
      [`${checked.summary}.`, ...checked.reasons.map((reason) => `- ${reason}.`)].join("\n")
    )
  })
).pipe(
  Command.withDescription(
    "Say whether an account's owner can sign in, and why: standing, password, second factor, refused attempts, email"
  ),
  Command.withShortDescription("Say whether an account's owner can sign in"),
  Command.withExamples([
    { command: "nacre account check alice", description: "Can Alice sign in?" }
  ])
)

const Done = Schema.Struct({
  did: Did,
  handle: Handle,
  active: optional(Schema.Boolean),
  deleteAfter: optional(Words)
})

/** `nacre account suspend` */
export const suspend = Command.make(
  "suspend",
  { account },
  Effect.fnUntraced(function* ({ account }) {
    const reason = yield* ReasonFlag
    if (Option.isNone(reason)) {
      return yield* new Failed({
        message: "A suspension needs a reason, which the account's owner reads",
        next: 'Add one: --reason "Spam. Write to admin@example.com"'
      })
    }
    const { admin, name } = yield* about(account)
    const input = { account: name, reason: reason.value }
    const { did, handle } = yield* procedure(admin, "admin/accounts/suspend", Done, input)
    const result = { did, handle, status: "suspended", reason: reason.value }
    yield* report(result, () => `Suspended ${handle}. Its owner reads the reason at sign-in.`)
  })
).pipe(
  Command.withDescription(
    "Suspend an account with a reason: nobody sees it, and its owner reads the reason at sign-in"
  ),
  Command.withExamples([
    { command: 'nacre account suspend alice --reason "Spam"', description: "Suspend Alice" }
  ])
)

/** `nacre account restore` */
export const restore = Command.make(
  "restore",
  { account },
  Effect.fnUntraced(function* ({ account }) {
    const { admin, name } = yield* about(account)
    const input = { account: name }
    const { did, handle } = yield* procedure(admin, "admin/accounts/restore", Done, input)
    yield* report({ did, handle, restored: true }, () => `Restored ${handle}.`)
  })
).pipe(Command.withDescription("Restore an account that is suspended or taken down"))

/** `nacre account keep` */
export const keep = Command.make(
  "keep",
  { account },
  Effect.fnUntraced(function* ({ account }) {
    const { admin, name } = yield* about(account)
    const input = { account: name }
    const { did, handle, active } = yield* procedure(admin, "admin/accounts/keep", Done, input)
    yield* report({ did, handle, active: active === true }, () =>
      active === true
        ? `${handle} is kept, and active again.`
        : `${handle} is kept. It stays deactivated, as before.`
    )
  })
).pipe(Command.withDescription("Undo an account's deletion within its three days"))

const Storage = Schema.Struct({
  did: Did,
  handle: Handle,
  used: Schema.Finite,
  quota: Schema.Finite,
  isOwn: Schema.Boolean
})

/** `nacre account quota` */
export const quota = Command.make(
  "quota",
  {
    account,
    size: Argument.String("size").pipe(
      Argument.withDescription(
        "The new limit: a size such as 5GB, none, or default (the server's)"
      ),
      Argument.optional
    )
  },
  Effect.fnUntraced(function* ({ account, size }) {
    const bytes = Option.isNone(size) ? undefined : parseQuota(size.value)
    if (Option.isSome(size) && bytes === undefined) {
      return yield* new Failed({
        message: `${size.value} is not a size`,
        next: "Use a size such as 500MB or 5GB, none for no limit, or default"
      })
    }
    const { admin, name } = yield* about(account)
    const path = "admin/accounts/quota"
    const storage =
      bytes === undefined
        ? yield* query(admin, path, Storage, { account: name })
        : yield* procedure(admin, path, Storage, { account: name, bytes })
    yield* report(storage, () => {
      const { handle, isOwn, quota: most, used } = storage
      const limit = most === 0 ? "without a limit" : `of at most ${byteSize(most)}`
      const whose = isOwn ? "the account's own" : "the server's default"
      return `${handle} stores ${byteSize(used)} of blobs, ${limit} (${whose}).`
    })
  })
).pipe(
  Command.withDescription(
    "Show how much an account stores and may store, or give it a storage limit of its own. Nothing that is stored is deleted"
  ),
  Command.withShortDescription("Show or change an account's storage limit"),
  Command.withExamples([
    { command: "nacre account quota alice", description: "How much does Alice store?" },
    { command: "nacre account quota alice 5GB", description: "Alice may store 5 GB" },
    { command: "nacre account quota alice default", description: "The server's limit again" }
  ])
)

/** Asks for an account's deletion as an operator; returns when it is due, if it is held back. */
export const deleteAsOperator = Effect.fnUntraced(function* (typed: string) {
  const { admin, name } = yield* about(typed)
  return yield* procedure(admin, "admin/accounts/delete", Done, { account: name })
})
