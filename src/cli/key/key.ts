import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import { nacre } from "../../../scripts/project.ts"
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
import { administrator } from "../administrator.ts"
import { signInAs } from "../session.ts"
import { procedure } from "../xrpc.ts"

const rotate = Command.make(
  "rotate",
  { account: accountArgument, yes: yesFlag },
  Effect.fnUntraced(function* ({ account, yes }) {
    const name = yield* meant(account)
    const admin = yield* administrator
    const did = yield* didOf(admin.server, name)
    yield* insist(`Replace the signing key of ${name}?`, yes)
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
    yield* report({ did, signingKey }, () => `${name} now signs with ${signingKey}.`)
  })
).pipe(
  Command.withDescription(
    "Replace an account's signing key and update its DID, as the administrator"
  )
)

const fileArgument = Argument.String("file").pipe(Argument.withDescription("The key's file"))

const make = Command.make(
  "make",
  { file: fileArgument },
  Effect.fnUntraced(function* ({ file }) {
    const key = yield* makeRecoveryKey
    yield* saveRecoveryKey(key, file)
    yield* report({ file, didKey: key.didKey }, ({ didKey }) => didKey)
    yield* note(
      `Saved the key in ${file}, readable only by you. Store the file somewhere safe, not on this server.\n` +
        `To make it take effect, add it to your identity: ${nacre} key recovery set ${file}`
    )
  })
).pipe(Command.withDescription("Create a recovery key in a new file and print its public did:key"))

/** A key's position among the rotation keys of a DID, in words. */
const placeOf = (rotationKeys: ReadonlyArray<string>, didKey: string): string => {
  const at = rotationKeys.indexOf(didKey)
  if (at === 0) return "first: it can overrule every other key for 72 hours"
  return at < 0
    ? "not listed: it can't change this DID"
    : `number ${at + 1} of ${rotationKeys.length}: keys listed before it can overrule it`
}

const show = Command.make(
  "show",
  { file: fileArgument, account: accountArgument },
  Effect.fnUntraced(function* ({ account, file }) {
    const { didKey } = yield* readRecoveryKey(file)
    const name = Option.isSome(account) ? account.value : yield* namedAccount
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
        ["Rotation key", keys === undefined ? undefined : placeOf(keys, didKey)]
      ])
    )
  })
).pipe(Command.withDescription("Show a recovery key's did:key and what it can do for an account"))

const set = Command.make(
  "set",
  {
    key: Argument.String("key").pipe(
      Argument.withDescription(
        "A key file or a did:key. If the file doesn't exist, a new key is created in it"
      )
    ),
    account: accountArgument,
    yes: yesFlag
  },
  Effect.fnUntraced(function* ({ account, key, yes }) {
    const session = yield* signInAs(yield* theServer, yield* meant(account))
    const { did, handle } = session
    if (didMethod(did) !== "plc") {
      return yield* new Failed({
        message: `${did} is a did:web, which has no recovery keys: its domain controls it`
      })
    }
    const before = (yield* plcDataOf(did)).rotationKeys
    const { didKey } = yield* recoveryDidKey(key)
    if (before[0] === didKey) {
      return yield* report(
        { did, rotationKeys: before },
        () => `${didKey} is already the first key.`
      )
    }
    yield* insist(
      `Make ${didKey} the recovery key of ${handle}? Anyone who holds it can take over the identity.`,
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
  Command.withDescription("Make a key the recovery key of your account; asks for an emailed code")
)

const recovery = Command.make("recovery").pipe(
  Command.withDescription(
    "Create and set a recovery key, which takes your account back from any server"
  ),
  Command.withSubcommands([make, show, set])
)

/** `nacre key`: the keys of an account. */
export const key = Command.make("key").pipe(
  Command.withDescription("Replace an account's signing key, and manage recovery keys"),
  Command.withSubcommands([rotate, recovery])
)
