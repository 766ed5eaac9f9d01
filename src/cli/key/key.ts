import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { didMethod } from "../../core/identity/did.ts"
import { mailedCode } from "../account/mailedCode.ts"
import { accountArgument, didOf, meant, yesFlag } from "../account/people.ts"
import { DidKey } from "../answers.ts"
import { Failed } from "../failure.ts"
import { plcDataOf } from "../identity/lookup.ts"
import { facts, note, report } from "../output.ts"
import { namedAccount, theServer } from "../place.ts"
import { insist } from "../prompts.ts"
import {
  makeRecoveryKey,
  readRecoveryKey,
  recoveryDidKey,
  saveRecoveryKey
} from "../recoveryKey.ts"
import { administrator, owner } from "../session.ts"
import { procedure } from "../xrpc.ts"

const rotate = Command.make(
  "rotate",
  { account: accountArgument, yes: yesFlag },
  Effect.fnUntraced(function* ({ account, yes }) {
    const name = yield* meant(account)
    const admin = yield* administrator
    const did = yield* didOf(admin.server, name)
    yield* insist(`${name} will sign with a new key from now on. Go on?`, yes)
    const { signingKey } = yield* procedure(
      admin,
      "com.atproto.server.reserveSigningKey",
      Schema.Struct({ signingKey: DidKey }),
      { did }
    )
    yield* procedure(admin, "com.atproto.admin.updateAccountSigningKey", Schema.Unknown, {
      did,
      signingKey
    })
    yield* report({ did, signingKey }, () => `${name} signs with ${signingKey} now.`)
  })
).pipe(
  Command.withDescription(
    "Give an account another signing key, as the administrator; its DID follows"
  )
)

const fileArgument = Argument.String("file").pipe(Argument.withDescription("Where the key is kept"))

const make = Command.make(
  "make",
  { file: fileArgument },
  Effect.fnUntraced(function* ({ file }) {
    const key = yield* makeRecoveryKey
    yield* saveRecoveryKey(key, file)
    yield* report({ file, didKey: key.didKey }, ({ didKey }) => didKey)
    yield* note(
      `The key is in ${file}, which you alone may read. Keep it where nobody else has it, and not with this server.\n` +
        `It counts once it is among the keys of your DID: nacre key recovery set ${file}`
    )
  })
).pipe(
  Command.withDescription(
    "Make a recovery key into a new file; nothing of it is shown but its did:key"
  )
)

/** Where among those of a DID a key stands, in words. */
const placeOf = (rotationKeys: ReadonlyArray<string>, didKey: string): string => {
  const at = rotationKeys.indexOf(didKey)
  if (at === 0) return "first: it can undo what any other key does, for 72 hours"
  return at < 0
    ? "not among them: it can do nothing for this DID"
    : `number ${at + 1} of ${rotationKeys.length}: those before it can undo what it does`
}

const show = Command.make(
  "show",
  { file: fileArgument },
  Effect.fnUntraced(function* ({ file }) {
    const { didKey } = yield* readRecoveryKey(file)
    const name = yield* namedAccount
    const did = name === undefined ? undefined : yield* didOf(yield* theServer, name)
    const keys =
      did !== undefined && didMethod(did) === "plc"
        ? (yield* plcDataOf(did)).rotationKeys
        : undefined
    const index = keys?.indexOf(didKey)
    yield* report({ file, didKey, did, rotationKeys: keys, index }, () =>
      facts([
        ["Key", didKey],
        ["DID", did],
        ["Among its rotation keys", keys === undefined ? undefined : placeOf(keys, didKey)]
      ])
    )
  })
).pipe(
  Command.withDescription("Show the did:key of a recovery key, and what it may do for --account")
)

const set = Command.make(
  "set",
  {
    key: Argument.String("key").pipe(
      Argument.withDescription(
        "A file, a did:key, or a file that is not there: then a key is made into it"
      )
    ),
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ key, yes }) {
    const session = yield* owner
    const { did, handle } = session
    if (didMethod(did) !== "plc") {
      return yield* new Failed({
        message: `${did} is a did:web: whoever holds its domain can change it, there are no recovery keys`
      })
    }
    const before = (yield* plcDataOf(did)).rotationKeys
    const { didKey } = yield* recoveryDidKey(key)
    if (before[0] === didKey) {
      return yield* report({ did, rotationKeys: before }, () => `${didKey} is the first already.`)
    }
    yield* insist(
      `Who has ${didKey} will be able to change ${handle}'s DID before all others. Go on?`,
      yes
    )
    const rotationKeys = [didKey, ...before.filter((one) => one !== didKey)]
    const token = yield* mailedCode({
      of: session,
      purpose: "plc_operation",
      request: procedure(
        session,
        "com.atproto.identity.requestPlcOperationSignature",
        Schema.Unknown
      )
    })
    const { operation } = yield* procedure(
      session,
      "com.atproto.identity.signPlcOperation",
      Schema.Struct({ operation: Schema.Unknown }),
      { token, rotationKeys }
    )
    yield* procedure(session, "com.atproto.identity.submitPlcOperation", Schema.Unknown, {
      operation
    })
    const after = (yield* plcDataOf(did)).rotationKeys
    yield* report({ did, rotationKeys: after }, () =>
      facts(after.map((one, index) => [`Rotation key ${index + 1}`, one]))
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Put your recovery key before all other keys of your DID, with a mailed code"
  )
)

const recovery = Command.make("recovery").pipe(
  Command.withDescription("The key by which you can take your DID back from any server"),
  Command.withSubcommands([make, show, set])
)

/** `nacre key`: the keys of an account. */
export const key = Command.make("key").pipe(
  Command.withDescription("Change an account's signing key, and hold a recovery key"),
  Command.withSubcommands([rotate, recovery])
)
