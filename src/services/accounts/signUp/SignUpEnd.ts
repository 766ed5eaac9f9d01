import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { didMethod } from "../../../core/identity/did.ts"
import {
  dataOf,
  tombstoneOperation,
  unsignedBytes,
  withSignature
} from "../../../core/identity/plcOperation.ts"
import { AccountEvents } from "../../stream/AccountEvents.ts"
import { type Account, AccountStore } from "../AccountStore.ts"
import { Alarm } from "../../host/Alarm.ts"
import { Denied } from "../../sessions/Auth.ts"
import { Config } from "../../host/Config.ts"
import { AccountExists, Directory, reservedFor } from "../Directory.ts"
import { hostKeyAmong, Keys } from "../../identity/Keys.ts"
import { provePassword, slowToFail } from "../../sessions/PasswordProof.ts"
import { PlcDirectory } from "../../identity/PlcDirectory.ts"

/** Delay until the alarm checks an incomplete sign-up again, in milliseconds. */
const again = 60_000

/** How long a replica of the PLC directory may lack a new DID, in milliseconds. */
const replicaMillis = 5 * 60_000

/** Ends the did:plc that the sign-up created; false while it may exist but isn't visible yet. */
const endDid = Effect.fnUntraced(function* ({ did, createdAt, signingKey }: Account) {
  if (didMethod(did) !== "plc") return true
  const plc = yield* PlcDirectory
  const last = yield* Effect.catchTag(plc.last(did), "DidNotFound", () => Effect.undefined)
  if (last === undefined) {
    return (yield* Clock.currentTimeMillis) - Date.parse(createdAt) >= replicaMillis
  }
  // Any other operation is not this sign-up's.
  if (last.type === "plc_tombstone" || last.prev !== null) return true
  const { rotationKeys, verificationMethods } = dataOf(last)
  if (verificationMethods["atproto"] !== signingKey.didKey) return true
  const key = hostKeyAmong(yield* Config, rotationKeys)
  if (key === undefined) return true
  const signer = yield* (yield* Keys).signer(key)
  const tombstone = tombstoneOperation(last)
  const signature = yield* signer.sign(unsignedBytes(tombstone))
  yield* plc
    .submit(did, withSignature(tombstone, signature))
    .pipe(
      Effect.catchTag("PlcRefused", (refused) =>
        Effect.logWarning("DID of a sign-up that was cut off not ended", refused)
      )
    )
  return true
})

const wrongPassword = () =>
  new Denied({ error: "AuthenticationRequired", message: "Invalid identifier or password" })

/**
 * Ends an interrupted sign-up: frees its names, adds a tombstone to its DID, deletes its object.
 *
 * With a password, only if it is that sign-up's. If this is interrupted, the alarm completes it.
 */
export const endSignUp = Effect.fn("endSignUp")(function* (input: {
  readonly password?: string | undefined
}) {
  const accounts = yield* AccountStore
  const account = accounts.peek()
  if (account === undefined) return
  const { did } = account
  const directory = yield* Directory
  if (input.password !== undefined) {
    yield* slowToFail(Effect.mapError(provePassword(input.password), wrongPassword))
  }
  const exists = new AccountExists({ did })
  if (!(yield* (yield* AccountEvents).owesSignUp)) return yield* exists
  yield* directory.abandon(did)
  if ((yield* directory.byDid(did)) !== undefined) return yield* exists
  if (yield* endDid(account)) yield* accounts.destroy
  else yield* (yield* Alarm).by((yield* Clock.currentTimeMillis) + again)
})

const lookAgain = Effect.gen(function* () {
  yield* (yield* Alarm).by((yield* Clock.currentTimeMillis) + again)
})

/** Announces a valid sign-up and ends an interrupted one; for the alarm. */
export const settleSignUp = Effect.gen(function* () {
  const events = yield* AccountEvents
  const account = (yield* AccountStore).peek()
  if (account === undefined || !(yield* events.owesSignUp)) return
  const directory = yield* Directory
  const entry = yield* directory.byDid(account.did)
  if (entry?.status === "active") return yield* events.signUp
  const reservedAt = yield* directory.reservedAt(account.did)
  const age = (yield* Clock.currentTimeMillis) - (reservedAt ?? 0)
  yield* entry !== undefined || age < reservedFor ? lookAgain : endSignUp({})
}).pipe(
  Effect.catchCause((cause) =>
    Effect.andThen(Effect.logWarning("sign-up not settled yet", cause), lookAgain)
  )
)
