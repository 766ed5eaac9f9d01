import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { claimedHandle, withHandle } from "../../core/identity/alsoKnownAs.ts"
import { didMethod } from "../../core/identity/did.ts"
import { invalidHandle } from "../../core/identity/handle.ts"
import {
  cidOfOperation,
  dataOf,
  InvalidPlcOperation,
  type PlcData,
  type PlcOperation,
  type PlcUpdate,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../core/identity/plcOperation.ts"
import { parseOperation } from "../../core/identity/plcParse.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { noter } from "../accounts/AccountHistory.ts"
import { AccountLock } from "../accounts/AccountLock.ts"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { Config, type Settings } from "../host/Config.ts"
import { DidDeactivated, Identity } from "./Identity.ts"
import { hostKeyAmong, Keys, rotationKey, rotationKeys } from "./Keys.ts"
import { PlcDirectory } from "./PlcDirectory.ts"
import { SeenOperations } from "./SeenOperations.ts"

/** This server will not sign or submit this operation. */
export class PlcOperationRefused extends Schema.TaggedError<PlcOperationRefused>()(
  "PlcOperationRefused",
  { did: Schema.String, message: Schema.String }
) {}

/** The fields that an operation may change; checked when it is signed. */
export type PlcChange = { readonly [field in keyof PlcData]?: unknown }

const refuse = (did: string, message: string) => new PlcOperationRefused({ did, message })

/** Rejects accounts whose DID is not in the PLC directory. */
export const assertPlc = (did: string): Effect.Effect<void, PlcOperationRefused> =>
  didMethod(did) === "plc"
    ? Effect.void
    : Effect.fail(
        refuse(
          did,
          "The account's DID is a did:web: it has no PLC operations, its document is changed where it is served"
        )
      )

/** Parses an operation with the directory's limits, or fails with the reason. */
const checked = (did: string, json: unknown) =>
  Effect.try({
    try: () => parseOperation(json),
    catch: (error) =>
      refuse(
        did,
        `Invalid operation: ${error instanceof InvalidPlcOperation ? error.message : "unreadable"}`
      )
  })

const placeholder = "A".repeat(86)

/**
 * The operation that follows a DID's last one, signed with this host's rotation key; fields missing
 * from `change` stay the same.
 *
 * Sends nothing. A DID from before 2023 whose only operation is a `create` gets one in today's
 * form.
 */
export const signUpdate = Effect.fn("PlcOperations.signUpdate")(function* (
  did: string,
  change: PlcChange
) {
  yield* assertPlc(did)
  const last = yield* (yield* PlcDirectory).last(did)
  if (last.type === "plc_tombstone") return yield* new DidDeactivated({ did })
  const key = hostKeyAmong(yield* Config, dataOf(last).rotationKeys)
  if (key === undefined) {
    return yield* refuse(did, "This server's rotation key is not among the DID's rotation keys")
  }
  // SAFETY: `checked` validates every field of it.
  const next = updateOperation(last, change as Partial<PlcData>)
  // Checked before signing, so nobody gets a signature over something else.
  yield* checked(did, { ...next, sig: placeholder })
  const signer = yield* (yield* Keys).signer(key)
  return withSignature(next, yield* signer.sign(unsignedBytes(next)))
})

/** The current keys above this host's: the owner's recovery keys, which must be kept. */
const keysAbove = (data: PlcData, config: Settings) => {
  const ours = rotationKeys(config).map(({ didKey }) => didKey)
  const at = data.rotationKeys.findIndex((key) => ours.includes(key))
  return at < 0 ? [] : data.rotationKeys.slice(0, at)
}

/** The PLC data that an account needs to live here; keeps the DID's other names. */
export const recommendedCredentials = Effect.fn("PlcOperations.recommendedCredentials")(function* (
  account: Account
) {
  const { did, handle } = account
  const config = yield* Config
  const credentials = {
    alsoKnownAs: handle === invalidHandle ? [] : [`at://${handle}`],
    verificationMethods: { atproto: account.signingKey.didKey },
    services: {
      atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: config.publicUrl }
    }
  }
  if (didMethod(did) !== "plc") return credentials
  const { didKey } = rotationKey(config)
  const data = yield* Effect.option((yield* PlcDirectory).data(did))
  if (Option.isNone(data)) return { rotationKeys: [didKey], ...credentials }
  const { alsoKnownAs } = data.value
  const wanted = handle === invalidHandle ? undefined : withHandle(alsoKnownAs, handle)
  return {
    ...credentials,
    rotationKeys: [...keysAbove(data.value, config), didKey],
    alsoKnownAs: wanted ?? alsoKnownAs
  }
})

/** Why an account with this operation could not live here, most important reason first. */
const faultOf = (operation: PlcData, account: Account, config: Settings): string | undefined => {
  const pds = operation.services["atproto_pds"]
  if (hostKeyAmong(config, operation.rotationKeys) === undefined) {
    return "Rotation keys do not include server's rotation key"
  }
  if (pds?.type !== "AtprotoPersonalDataServer") return "Incorrect type on atproto_pds service"
  if (pds.endpoint !== config.publicUrl) return "Incorrect endpoint on atproto_pds service"
  if (operation.verificationMethods["atproto"] !== account.signingKey.didKey) {
    return "Incorrect signing key"
  }
  const isRight =
    account.handle === invalidHandle || claimedHandle(operation.alsoKnownAs) === account.handle
  return isRight ? undefined : "Incorrect handle in alsoKnownAs"
}

/**
 * Sends an operation; if it is the last one already, it was sent before and the response was lost.
 */
const sendOnce = Effect.fnUntraced(function* (did: string, operation: PlcOperation) {
  const plc = yield* PlcDirectory
  const cid = cidOfOperation(operation)
  const isLast = Effect.match(plc.last(did), {
    onSuccess: (last) => cidOfOperation(last).equals(cid),
    onFailure: () => false
  })
  yield* Effect.catchTag(plc.submit(did, operation), "PlcRefused", (refused) =>
    Effect.flatMap(isLast, (sent) => (sent ? Effect.void : Effect.fail(refused)))
  )
})

/** Notes that an operation came from an owner through this server, whatever key signed it. */
const noteSeen = Effect.fnUntraced(function* (did: string, operation: PlcOperation) {
  const seen = yield* SeenOperations
  if (seen === undefined) return
  // The directory has the operation: at worst the watch reports it.
  yield* Effect.catch(seen.set(did, { cid: cidOfOperation(operation).toString() }), (failure) =>
    Effect.logWarning("an operation of an owner wasn't noted", { did }, failure)
  )
})

/**
 * Notes an operation that this server made, for the time when its key isn't the server's any more.
 *
 * What the watch doesn't know yet, or knows to be foreign, it has to judge itself.
 */
const noteOwn = Effect.fnUntraced(
  function* (did: string, operation: PlcUpdate) {
    const seen = yield* SeenOperations
    if (seen === undefined) return
    const known = yield* seen.get([did])
    const before = known.get(did)
    if (before !== undefined && (before.foreignAt !== undefined || before.cid !== operation.prev)) {
      return
    }
    yield* seen.set(did, { cid: cidOfOperation(operation).toString() })
  },
  Effect.catch((failure) => Effect.logWarning("an operation wasn't noted", failure))
)

/** Sends an operation that this server signed for itself. */
export const submitOwn = Effect.fnUntraced(function* (did: string, operation: PlcUpdate) {
  yield* sendOnce(did, operation)
  yield* noteOwn(did, operation)
})

/**
 * Submits an operation that keeps the account working here, and emits an event.
 *
 * The directory checks its signature and predecessor. Holds handle and key unchanged meanwhile,
 * because the operation would name the old ones.
 */
export const submitOperation = Effect.fn("PlcOperations.submitOperation")(function* (
  json: unknown
) {
  const submission = Effect.gen(function* () {
    const account = yield* (yield* AccountStore).get
    const { did } = account
    yield* assertPlc(did)
    const operation = yield* checked(did, json)
    if (operation.type !== "plc_operation") return yield* refuse(did, "Invalid operation")
    const config = yield* Config
    const fault = faultOf(operation, account, config)
    if (fault !== undefined) return yield* refuse(did, fault)
    const note = yield* noter
    yield* sendOnce(did, operation)
    note({ kind: "recovery-keys", after: keysAbove(operation, config).join(" ") })
    yield* noteSeen(did, operation)
    yield* (yield* Identity).forget(did)
    yield* (yield* AccountEvents).identity
  })
  yield* (yield* AccountLock).alone(submission)
})

/** This host's key may not change the DID. */
export class NotOurDid extends Schema.TaggedError<NotOurDid>()("NotOurDid", {
  did: Schema.String
}) {}

/**
 * Changes a did:plc with an operation signed with this host's rotation key; `change` returns
 * undefined if nothing needs to change.
 */
export const updatePlc = Effect.fn("updatePlc")(function* (
  did: string,
  change: (data: PlcData) => Partial<PlcData> | undefined
) {
  const plc = yield* PlcDirectory
  const keys = yield* Keys
  const last = yield* plc.last(did)
  if (last.type === "plc_tombstone") return yield* new DidDeactivated({ did })
  const data = dataOf(last)
  const changed = change(data)
  if (changed === undefined) return
  const key = hostKeyAmong(yield* Config, data.rotationKeys)
  if (key === undefined) return yield* new NotOurDid({ did })
  const operation = updateOperation(last, changed)
  const signer = yield* keys.signer(key)
  const signature = yield* signer.sign(unsignedBytes(operation))
  yield* submitOwn(did, withSignature(operation, signature))
  yield* (yield* Identity).forget(did)
})
