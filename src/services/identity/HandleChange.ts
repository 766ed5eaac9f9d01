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

/** The handle in its stored form, once it may be this account's: by the rules, free, and leading to the DID where it is not ours to give. */
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
  if (!checked.ok) return yield* handleFailure(checked.fault)
  const { handle, hosted } = checked
  const directory = yield* Directory
  // What is here already needs no new proof.
  const isOwn = (yield* directory.byHandle(handle))?.did === did && handle === before
  if (isOwn) return handle
  const holder = override
    ? (yield* directory.byHandle(handle))?.did
    : yield* directory.holderOf(handle)
  if (holder !== undefined && holder !== did) return yield* new HandleNotAvailable({ handle })
  // The administrator may give the host's own name away: this server answers for it then.
  if (hosted || (override && handle === config.host)) return handle
  return (yield* leadOf(yield* Identity, handle)) === did ? handle : yield* new HandleUnproven()
})

/** Puts a handle into the DID's PLC data, in place of the one that it claims. */
const writePlc = (did: string, handle: string) =>
  updatePlc(did, (data) => {
    const alsoKnownAs = withHandle(data.alsoKnownAs, handle)
    return alsoKnownAs === undefined ? undefined : { alsoKnownAs }
  })

/** Sees to it that the DID's document claims the handle: written by us, served by us, or by its owner already. */
const writeDocument = Effect.fnUntraced(function* ({ did }: Account, handle: string) {
  if (didMethod(did) === "plc") return yield* writePlc(did, handle)
  if (isServedHere(did, yield* Config)) return
  const document = yield* (yield* Identity).resolveDid(did, { fresh: true })
  if (handleOf(document) !== handle) {
    return yield* new HandleRefused({ message: "DID document does not claim this handle" })
  }
})

/**
 * Gives the account another handle: document, directory, account, event, in this order. The one that it gives up is kept
 * for it.
 *
 * Cut off in the middle, asking again does the rest, and asking for the handle before takes it back. Asking for the
 * handle it has sends `#identity` again.
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
        // Somebody else was faster: the document must not claim what is theirs.
        Effect.tapErrorTag("HandleNotAvailable", () =>
          before === invalidHandle ? Effect.void : Effect.ignore(writeDocument(account, before))
        )
      )
      yield* accounts.update({ handle })
    } else if (didMethod(did) === "plc") {
      // Unless the DID is another server's by now: then there is nothing of ours to take back.
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

/** Gives the account another handle as its owner wishes. */
export const changeOwnHandle = Effect.fn("changeOwnHandle")(function* (handle: string) {
  yield* (yield* AccountLimits).take(rules.updateHandle)
  yield* changeHandle(handle)
})
