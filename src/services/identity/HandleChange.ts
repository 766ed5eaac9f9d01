import * as Effect from "effect/Effect"
import { withHandle } from "../../core/identity/alsoKnownAs.ts"
import { didMethod } from "../../core/identity/did.ts"
import { handleOf } from "../../core/identity/didDocument.ts"
import { checkHandle, invalidHandle } from "../../core/identity/handle.ts"
import { AccountEvents } from "../stream/AccountEvents.ts"
import { AccountLimits } from "../limits/AccountLimits.ts"
import { AccountLock } from "../accounts/AccountLock.ts"
import { Accounts } from "../accounts/Accounts.ts"
import { type Account, AccountStore } from "../accounts/AccountStore.ts"
import { Config } from "../host/Config.ts"
import { Directory, HandleNotAvailable } from "../accounts/Directory.ts"
import { Identity } from "./Identity.ts"
import { handleFailure, HandleRefused, HandleUnproven, leadOf, makeWay } from "./HandleProof.ts"
import { isGivenHere, isServedHere } from "./HostedDidDocument.ts"
import { updatePlc } from "./PlcOperations.ts"
import { rules } from "../limits/rules.ts"

/**
 * The handle in its stored form, if this account may use it: it follows the rules, is free, and
 * resolves to the DID unless we assign it.
 */
const claim = Effect.fnUntraced(function* (
  text: string,
  { did, handle: before }: Account,
  override: boolean
) {
  const config = yield* Config
  const checked = checkHandle(text, {
    serviceDomains: config.handleDomains,
    host: config.host,
    allowTest: config.isLocal,
    override
  })
  const { handle, hosted } = yield* Effect.mapError(Effect.fromResult(checked), handleFailure)
  const directory = yield* Directory
  // The account already has this handle, so it needs no new proof.
  const isOwn = (yield* directory.byHandle(handle))?.did === did && handle === before
  if (isOwn) return handle
  const holder = override
    ? (yield* directory.byHandle(handle))?.did
    : yield* directory.holderOf(handle)
  if (holder !== undefined && holder !== did) return yield* new HandleNotAvailable({ handle })
  // The administrator may assign the host's own name; this server then answers for it.
  if (hosted || (override && handle === config.host)) return handle
  return (yield* leadOf(yield* Identity, handle)) === did ? handle : yield* new HandleUnproven()
})

/** Replaces the handle in the DID's PLC data. */
const writePlc = (did: string, handle: string) =>
  updatePlc(did, (data) => {
    const alsoKnownAs = withHandle(data.alsoKnownAs, handle)
    return alsoKnownAs === undefined ? undefined : { alsoKnownAs }
  })

/**
 * Makes the DID's document claim the handle: we write it, we serve it, or its owner has done it
 * already.
 */
const writeDocument = Effect.fnUntraced(function* ({ did }: Account, handle: string) {
  if (didMethod(did) === "plc") return yield* writePlc(did, handle)
  if (isServedHere(did, yield* Config)) return
  const document = yield* (yield* Identity).resolveDid(did, { fresh: true })
  if (handleOf(document) !== handle) {
    return yield* new HandleRefused({ message: "DID document does not claim this handle" })
  }
})

/**
 * Changes the account's handle: document, directory, account, event, in this order. Reserves the
 * old one for the account.
 *
 * After an interruption, calling again completes it, and asking for the old handle reverts it.
 * Asking for the current handle emits `#identity` again.
 */
export const changeHandle = Effect.fn("changeHandle")(function* (
  text: string,
  options: { readonly override?: true } = {}
) {
  const accounts = yield* AccountStore
  const directory = yield* Directory
  const identity = yield* Identity
  const events = yield* AccountEvents
  const override = options.override === true
  const config = yield* Config
  const change = Effect.gen(function* () {
    const account = yield* accounts.get
    const { did, handle: before } = account
    const handle = yield* claim(text, account, override)
    if (handle !== before) {
      yield* writeDocument(account, handle)
      const keep = isGivenHere(before, config)
      yield* directory.setHandle(did, handle, { keep, override }).pipe(
        // Another account was faster: the document must not claim its handle.
        Effect.tapErrorTag("HandleNotAvailable", () =>
          before === invalidHandle ? Effect.void : Effect.ignore(writeDocument(account, before))
        )
      )
      yield* accounts.update({ handle }, { kind: "handle", before, after: handle })
    } else if (didMethod(did) === "plc") {
      // Unless the DID belongs to another server by now, so there is nothing to revert.
      yield* Effect.catchTags(writePlc(did, handle), {
        NotOurDid: () => Effect.void,
        DidDeactivated: () => Effect.void
      })
    }
    yield* Effect.forEach([did, before, handle], identity.forget, { discard: true })
    yield* events.identity
  })
  // Outside of the lock: the other account's object takes its own.
  const { did } = yield* accounts.get
  yield* makeWay({ accounts: yield* Accounts, config, directory, identity }, text, did)
  yield* (yield* AccountLock).alone(change)
})

/** Changes the account's handle for its owner. */
export const changeOwnHandle = Effect.fn("changeOwnHandle")(function* (handle: string) {
  yield* (yield* AccountLimits).take(rules.updateHandle)
  yield* changeHandle(handle)
})
