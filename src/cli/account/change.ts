import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { calledName } from "../../core/identity/calledName.ts"
import { Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { note, report } from "../output.ts"
import { theAccount, theServer } from "../place.ts"
import { askSecret, insist } from "../prompts.ts"
import { administrator, knownPassword, signIn, signInAs } from "../session.ts"
import { procedure, type Remote } from "../xrpc.ts"
import { generateFlag, newPassword } from "./create.ts"
import { mailedCode } from "./mailedCode.ts"
import { accountArgument, didOf, meant, ownerFlag, yesFlag } from "./people.ts"

const does = (remote: Remote, nsid: string, input?: object) =>
  procedure(remote, nsid, Schema.Unknown, input)

/** Lets an account be, or not, as the administrator. */
const setDeactivated = Effect.fnUntraced(function* (account: string, applied: boolean) {
  const admin = yield* administrator
  const did = yield* didOf(admin.server, account)
  yield* does(admin, "com.atproto.admin.updateSubjectStatus", {
    subject: { $type: "com.atproto.admin.defs#repoRef", did },
    deactivated: { applied }
  })
  return did
})

/** `nacre account activate` */
export const activate = Command.make(
  "activate",
  { account: accountArgument, owner: ownerFlag },
  Effect.fnUntraced(function* ({ account, owner }) {
    const name = yield* meant(account)
    let did: string
    if (owner) {
      const session = yield* signInAs(yield* theServer, name)
      yield* does(session, "com.atproto.server.activateAccount")
      did = session.did
    } else {
      did = yield* setDeactivated(name, false)
    }
    yield* report({ did, active: true }, () => `${name} is active.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Make an account active again, or for the first time after a move"))

/** `nacre account deactivate` */
export const deactivate = Command.make(
  "deactivate",
  {
    account: accountArgument,
    owner: ownerFlag,
    deleteAfter: Flag.String("delete-after").pipe(
      Flag.withMetavar("time"),
      Flag.withDescription("When the server shall delete it (RFC 3339); with --owner"),
      Flag.optional
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, owner, deleteAfter, yes }) {
    const name = yield* meant(account)
    if (Option.isSome(deleteAfter) && !owner) {
      return yield* new Failed({
        message: "Only the owner says when an account is to be deleted",
        next: "Add --owner, or delete it now: nacre account delete"
      })
    }
    yield* insist(`Nobody will see ${name} or its posts until it is activated. Go on?`, yes)
    let did: string
    if (owner) {
      const session = yield* signInAs(yield* theServer, name)
      const input = Option.isSome(deleteAfter) ? { deleteAfter: deleteAfter.value } : {}
      yield* does(session, "com.atproto.server.deactivateAccount", input)
      did = session.did
    } else {
      did = yield* setDeactivated(name, true)
    }
    yield* report({ did, active: false }, () => `${name} is deactivated.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Take an account offline; nothing of it is lost"))

/** Deletes as the owner: by password and a mailed code. */
const deleteAsOwner = Effect.fnUntraced(function* (name: string) {
  const server = yield* theServer
  const password =
    (yield* knownPassword(server, name)) ??
    (yield* askSecret({ message: `The password of ${name}`, otherwise: "NACRE_PASSWORD=…" }))
  const session = yield* signIn(server, name, password)
  const { did } = session
  const token = yield* mailedCode({
    of: session,
    purpose: "delete_account",
    request: does(session, "com.atproto.server.requestAccountDelete")
  })
  yield* does({ server }, "com.atproto.server.deleteAccount", {
    did,
    password: Redacted.value(password),
    token
  })
  return did
})

/** `nacre account delete` */
export const remove = Command.make(
  "delete",
  {
    account: Argument.String("account").pipe(
      Argument.withDescription("Its handle or DID, which has to be said")
    ),
    owner: ownerFlag,
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, owner, yes }) {
    const name = calledName(account)
    yield* insist(`${name} will be gone with all its records and pictures, for ever. Go on?`, yes)
    let did: string
    if (owner) {
      did = yield* deleteAsOwner(name)
    } else {
      const admin = yield* administrator
      did = yield* didOf(admin.server, name)
      yield* does(admin, "com.atproto.admin.deleteAccount", { did })
    }
    yield* report({ did, deleted: true }, () => `${name} is deleted.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Delete an account with everything that is in it. Export it first: nacre export"
  )
)

/** `nacre account password` */
export const password = Command.make(
  "password",
  { account: accountArgument, generate: generateFlag },
  Effect.fnUntraced(function* ({ account, generate }) {
    const name = yield* meant(account)
    const admin = yield* administrator
    const did = yield* didOf(admin.server, name)
    const made = yield* newPassword(generate)
    const text = Redacted.value(made.password)
    yield* does(admin, "com.atproto.admin.updateAccountPassword", { did, password: text })
    yield* report({ did, ...(made.shown ? { password: text } : {}) }, () =>
      made.shown ? text : `${name} has a new password.`
    )
    yield* note("Whoever was signed in is signed out; app passwords stay good.")
  })
).pipe(
  Command.withDescription(
    "Give an account a new password, as the administrator. Owners change theirs at /account/password"
  )
)

/** `nacre account handle` */
export const handle = Command.make(
  "handle",
  {
    handle: Argument.String("handle").pipe(
      Argument.withDescription("The new handle: a domain of your own, or a name under the server's")
    ),
    owner: ownerFlag
  },
  Effect.fnUntraced(function* (given) {
    const name = yield* theAccount
    const wanted = yield* wholeHandle(yield* theServer, given.handle)
    let did: string
    if (given.owner) {
      const session = yield* signInAs(yield* theServer, name)
      yield* does(session, "com.atproto.identity.updateHandle", { handle: wanted })
      did = session.did
    } else {
      const admin = yield* administrator
      did = yield* didOf(admin.server, name)
      yield* does(admin, "com.atproto.admin.updateAccountHandle", { did, handle: wanted })
    }
    yield* report({ did, handle: wanted }, () => `${did} is ${wanted} now.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Give the account of --account another handle. What a domain of your own needs first: nacre identity"
  )
)
