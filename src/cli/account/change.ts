import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { nacre } from "../../../scripts/project.ts"
import { calledName } from "../../core/identity/calledName.ts"
import { Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { note, report } from "../output.ts"
import { theServer } from "../place.ts"
import { insist, insistTyped } from "../prompts.ts"
import { administrator } from "../administrator.ts"
import { signIn, signInAs, withPassword } from "../session.ts"
import { procedure, type Remote } from "../xrpc.ts"
import { deleteAsOperator } from "./care.ts"
import { generateFlag, newPassword } from "./create.ts"
import { mailedCode } from "./mailedCode.ts"
import { accountArgument, didOf, meant, ownerFlag, yesFlag } from "./people.ts"

const does = (remote: Remote, nsid: string, input?: object) =>
  procedure(remote, nsid, Schema.Unknown, input)

/** Activates or deactivates an account as the administrator. */
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
    yield* report({ did, active: true }, () => `Activated ${name}.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Activate an account, for example after a move"))

/** `nacre account deactivate` */
export const deactivate = Command.make(
  "deactivate",
  {
    account: accountArgument,
    owner: ownerFlag,
    deleteAfter: Flag.String("delete-after").pipe(
      Flag.withMetavar("time"),
      Flag.withDescription(
        "When the server deletes it, such as 2030-12-31T00:00:00Z; needs --owner"
      ),
      Flag.optional
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, owner, deleteAfter, yes }) {
    const name = yield* meant(account)
    if (Option.isSome(deleteAfter) && !owner) {
      return yield* new Failed({
        message: "Only the account's owner can schedule its deletion",
        next: `Add --owner, or delete the account now: ${nacre} account delete`
      })
    }
    yield* insist(
      `Deactivate ${name}? Its profile and posts stay hidden until you activate it again.`,
      yes
    )
    let did: string
    if (owner) {
      const session = yield* signInAs(yield* theServer, name)
      const input = Option.isSome(deleteAfter) ? { deleteAfter: deleteAfter.value } : {}
      yield* does(session, "com.atproto.server.deactivateAccount", input)
      did = session.did
    } else {
      did = yield* setDeactivated(name, true)
    }
    yield* report({ did, active: false }, () => `Deactivated ${name}.`)
  }, Effect.scoped)
).pipe(Command.withDescription("Hide an account and stop its apps; its data is kept"))

/** Deletes an account as its owner, with the password and a mailed code. */
const deleteAsOwner = Effect.fnUntraced(function* (name: string) {
  const server = yield* theServer
  // The deletion itself takes the password, so a stored session isn't enough.
  const { password, session } = yield* withPassword(server, name, (typed) =>
    Effect.map(signIn(server, name, typed), (opened) => ({ password: typed, session: opened }))
  )
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
      Argument.withDescription("The account's handle or DID")
    ),
    owner: ownerFlag,
    now: Flag.Boolean("now").pipe(
      Flag.withDescription("Delete it at once, as the administrator; nobody can undo that"),
      Flag.withDefault(false)
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, now, owner, yes }) {
    const name = calledName(account)
    yield* insistTyped(`Permanently delete ${name}, with all its posts and pictures?`, {
      word: name,
      yes
    })
    let did: string
    if (owner) {
      did = yield* deleteAsOwner(name)
    } else if (now) {
      const admin = yield* administrator
      did = yield* didOf(admin.server, name)
      yield* does(admin, "com.atproto.admin.deleteAccount", { did })
    } else {
      const asked = yield* deleteAsOperator(name)
      if (asked.deleteAfter !== undefined) {
        const { deleteAfter } = asked
        yield* report({ did: asked.did, deleted: false, deleteAfter }, () => {
          const keep = `${nacre} account keep ${name}`
          return `${name} is deactivated, and will be deleted on ${deleteAfter}. To keep it: ${keep}`
        })
        return
      }
      did = asked.did
    }
    yield* report({ did, deleted: true }, () => `Deleted ${name}.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Permanently delete an account and everything in it, three days from now: until then its owner or nacre account keep can undo it. To keep a copy, run nacre export first"
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
      made.shown ? text : `Changed the password of ${name}.`
    )
    yield* note("All devices and apps are signed out. App passwords keep working.")
  })
).pipe(
  Command.withDescription(
    "Set a new password for an account, as the administrator. Owners change theirs in a browser, at /account/password"
  )
)

/** `nacre account handle` */
export const handle = Command.make(
  "handle",
  {
    handle: Argument.String("handle").pipe(
      Argument.withDescription("The new handle: your own domain, or a name on this server")
    ),
    account: accountArgument,
    owner: ownerFlag
  },
  Effect.fnUntraced(function* (given) {
    const name = yield* meant(given.account)
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
    yield* report({ did, handle: wanted }, () => `Changed the handle of ${did} to ${wanted}.`)
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Change an account's handle. Before you use your own domain, run nacre identity to see which DNS record it needs"
  )
)
