import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DidDocument } from "../../core/identity/didDocument.ts"

/** No DID claims this handle, or several do. */
export class HandleNotFound extends Schema.TaggedError<HandleNotFound>()("HandleNotFound", {
  handle: Schema.String
}) {}

/** The DID does not exist, is of an unsupported method, or has no usable document. */
export class DidNotFound extends Schema.TaggedError<DidNotFound>()("DidNotFound", {
  did: Schema.String
}) {}

/** The DID has a tombstone. */
export class DidDeactivated extends Schema.TaggedError<DidDeactivated>()("DidDeactivated", {
  did: Schema.String
}) {}

/** The DID's document has no usable key of this name. */
export class KeyNotFound extends Schema.TaggedError<KeyNotFound>()("KeyNotFound", {
  did: Schema.String,
  id: Schema.String
}) {}

/** The look-up failed for now; a retry may succeed. */
export class IdentityUnavailable extends Schema.TaggedError<IdentityUnavailable>()(
  "IdentityUnavailable",
  { subject: Schema.String, cause: Schema.optional(Schema.Defect()) }
) {}

/** Why a DID has no document. */
export type DidError = DidNotFound | DidDeactivated | IdentityUnavailable

/** Why a handle has no DID. */
export type HandleError = HandleNotFound | IdentityUnavailable

/** A DID with its handle, verified in both directions; `handle.invalid` if they disagree. */
export interface ResolvedIdentity {
  readonly did: string
  readonly handle: string
  readonly didDoc: DidDocument
}

/** Options of a look-up. */
export interface ResolveOptions {
  readonly fresh?: boolean
}

/**
 * Resolves DID documents and handles by the network's rules.
 *
 * Results may be an hour old (a day during a refresh) unless `fresh` is set.
 */
export class Identity extends Context.Service<
  Identity,
  {
    resolveDid(did: string, options?: ResolveOptions): Effect.Effect<DidDocument, DidError>
    /**
     * The document that another service publishes, without waiting; undefined if it has to be
     * looked up. The time is in milliseconds.
     */
    documentNow(did: string, now: number): DidDocument | undefined
    /** The DID that a handle claims; `resolveIdentity` checks whether the DID claims the handle. */
    resolveHandle(handle: string, options?: ResolveOptions): Effect.Effect<string, HandleError>
    /** The did:key of a verification method, `atproto` by default. */
    signingKey(
      did: string,
      options?: ResolveOptions & { readonly id?: string }
    ): Effect.Effect<string, DidError | KeyNotFound>
    resolveIdentity(
      didOrHandle: string,
      options?: ResolveOptions
    ): Effect.Effect<ResolvedIdentity, DidError | HandleError>
    /** Drops the cached data of a DID or handle, so a change made here is visible at once. */
    forget(didOrHandle: string): Effect.Effect<void>
  }
>()("nacre/services/Identity") {}
