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
  /** A new did:plc. */
  | { readonly kind: "new" }
  /** A did:web of this host, or of a name under its domains, added by the administrator. */
  | { readonly kind: "hosted"; readonly did: string }
  /** A DID on another server, whose own token requests the move. */
  | { readonly kind: "moving"; readonly did: string; readonly didDoc: DidDocument }

/** Determines where the DID comes from, and whether this caller may use it. */
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

/**
 * The handle in its stored form; one outside of the host's domains must already resolve to the DID.
 */
export const checkNewHandle = Effect.fnUntraced(function* (
  { handle, caller }: SignUpRequest,
  origin: Origin,
  config: Settings,
  identity: Identity["Service"]
) {
  const rules = {
    serviceDomains: config.handleDomains,
    host: config.host,
    allowTest: config.isLocal,
    override: caller.kind === "admin"
  }
  const checked = yield* Effect.mapError(
    Effect.fromResult(checkHandle(handle, rules)),
    handleFailure
  )
  // The administrator may assign the host's own name: this server answers for it once the account
  // exists.
  const isOwnName = caller.kind === "admin" && checked.handle === config.host
  if (checked.hosted || isOwnName) return checked.handle
  if (origin.kind === "new") {
    return yield* refuse("UnsupportedDomain", "Not a supported handle domain", "handle")
  }
  return (yield* leadOf(identity, checked.handle)) === origin.did
    ? checked.handle
    : yield* new HandleUnproven()
})
