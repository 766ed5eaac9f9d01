import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { didMethod } from "../identity/did.ts"
import { formatDidKey, publicKeyOf } from "../identity/didKey.ts"
import { pdsOf, signingKeyOf } from "../identity/didDocument.ts"
import { AccountEvents } from "./AccountEvents.ts"
import { type Account, AccountStore, inactiveStatus } from "./AccountStore.ts"
import { Config } from "./Config.ts"
import { Directory } from "./Directory.ts"
import { Identity } from "./Identity.ts"
import { isServedHere } from "./OwnDocument.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { RepoCounts } from "./RepoCounts.ts"

/** The account's DID does not lead to this server, or not with the account's key. */
export class IncompatibleDid extends Schema.TaggedError<IncompatibleDid>()("IncompatibleDid", {
  did: Schema.String,
  message: Schema.String
}) {}

/**
 * Checks, past every cache, that the account's DID document names this server and the account's key,
 * and for a did:plc that this server's key is among those that may change it.
 *
 * Spec: account lifecycle, migration.
 */
const assertDid = Effect.fn("assertDid")(function* (account: Account) {
  const settings = yield* Config
  const { did } = account
  if (isServedHere(did, settings)) return
  const fail = (message: string) => new IncompatibleDid({ did, message })
  const identity = yield* Identity
  const document = yield* identity
    .resolveDid(did, { fresh: true })
    .pipe(Effect.mapError(() => fail("DID document could not be resolved")))
  if (pdsOf(document)?.replace(/\/$/, "") !== settings.publicUrl) {
    return yield* fail("DID document atproto_pds service endpoint does not match this server's URL")
  }
  if (signingKeyOf(document) !== account.signingKey.didKey) {
    return yield* fail("DID document verification method does not match the account's signing key")
  }
  if (didMethod(did) !== "plc") return
  const plc = yield* PlcDirectory
  const { rotationKeys } = yield* plc
    .data(did)
    .pipe(Effect.mapError(() => fail("PLC data could not be read")))
  const ours = formatDidKey(publicKeyOf("k256", Redacted.value(settings.plcRotationKey)))
  if (!rotationKeys.includes(ours)) {
    return yield* fail("This server's rotation key is not included in the PLC DID data")
  }
})

/** Makes the account active once its DID leads here, and tells the network. */
export const activate = Effect.fn("activate")(function* () {
  const accounts = yield* AccountStore
  const account = yield* accounts.get
  yield* assertDid(account)
  // The directory first: when it cannot be reached nothing has changed, and the call can be repeated.
  yield* (yield* Directory).setStatus(account.did, account.takedown ?? "active")
  yield* accounts.update({ deactivatedAt: undefined, deleteAfter: undefined })
  const events = yield* AccountEvents
  yield* events.account
  yield* events.identity
  yield* events.sync
})

/** Makes the account inactive, and tells the network; `deleteAfter` is what the owner wishes, for later. */
export const deactivate = Effect.fn("deactivate")(function* (deleteAfter: string | undefined) {
  const accounts = yield* AccountStore
  const account = yield* accounts.get
  yield* (yield* Directory).setStatus(account.did, account.takedown ?? "deactivated")
  const now = new Date(yield* Clock.currentTimeMillis).toISOString()
  yield* accounts.update({ deactivatedAt: account.deactivatedAt ?? now, deleteAfter })
  yield* (yield* AccountEvents).account
})

/** What checkAccountStatus answers: how far a migration has come. */
export const accountStatus = Effect.fn("accountStatus")(function* () {
  const account = yield* (yield* AccountStore).get
  const counts = yield* (yield* RepoCounts).get
  const validDid = yield* assertDid(account).pipe(
    Effect.as(true),
    Effect.catchTag("IncompatibleDid", () => Effect.succeed(false))
  )
  return {
    activated: inactiveStatus(account) === undefined,
    validDid,
    repoCommit: counts.commit,
    repoRev: counts.rev,
    repoBlocks: counts.blocks,
    indexedRecords: counts.records,
    privateStateValues: counts.privateStateValues,
    expectedBlobs: counts.expectedBlobs,
    importedBlobs: counts.importedBlobs
  }
})
