import * as Effect from "effect/Effect"
import type { DidDocument } from "../../../core/identity/didDocument.ts"
import { checkHandle } from "../../../core/identity/handle.ts"
import { Denied } from "../../sessions/Auth.ts"
import type { Settings } from "../../host/Config.ts"
import { handleFailure, HandleUnproven, leadOf } from "../../identity/HandleProof.ts"
import type { Identity } from "../../identity/Identity.ts"
import { isServedHere } from "../../identity/HostedDidDocument.ts"
import { refuse, type SignUpRequest } from "./fields.ts"

/** Where an account's DID comes from. */
export type Origin =
  /** A did:plc is to be made. */
  | { readonly kind: "new" }
  /** A did:web of this very host, or of a name under its domains, by the administrator. */
  | { readonly kind: "hosted"; readonly did: string }
  /** The DID lives elsewhere and says itself that it wants to move in. */
  | { readonly kind: "moving"; readonly did: string; readonly didDoc: DidDocument }

/** Finds out where the DID comes from, and whether this caller may bring it. */
export const originOf = Effect.fnUntraced(function* (
  { did, caller }: SignUpRequest,
  config: Settings,
  identity: Identity["Service"]
) {
  if (did === undefined) return { kind: "new" } satisfies Origin
  if (caller.kind === "admin" && isServedHere(did, config)) {
    return { kind: "hosted", did } satisfies Origin
  }
  if (caller.kind !== "service" || caller.did !== did) {
    return yield* new Denied({
      error: "AuthenticationRequired",
      message: `Missing auth to create account with did: ${did}`
    })
  }
  const unresolvable = () => Effect.fail(refuse("UnresolvableDid", `Could not resolve DID: ${did}`))
  const didDoc = yield* identity
    .resolveDid(did, { fresh: true })
    .pipe(Effect.catchTags({ DidNotFound: unresolvable, DidDeactivated: unresolvable }))
  return { kind: "moving", did, didDoc } satisfies Origin
})

/** The handle in its stored form; one that is not under the host's domains must lead to the DID already. */
export const checkNewHandle = Effect.fnUntraced(function* (
  { handle, caller }: SignUpRequest,
  origin: Origin,
  config: Settings,
  identity: Identity["Service"]
) {
  const checked = checkHandle(handle, {
    serviceDomains: config.handleDomains,
    host: config.host,
    allowTest: config.isLocal,
    override: caller.kind === "admin"
  })
  if (!checked.ok) return yield* handleFailure(checked.fault)
  // The administrator may give the host's own name away: this server answers for it as soon as the account is there.
  const isOwnName = caller.kind === "admin" && checked.handle === config.host
  if (checked.hosted || isOwnName) return checked.handle
  if (origin.kind === "new") {
    return yield* refuse("UnsupportedDomain", "Not a supported handle domain", "handle")
  }
  return (yield* leadOf(identity, checked.handle)) === origin.did
    ? checked.handle
    : yield* new HandleUnproven()
})
