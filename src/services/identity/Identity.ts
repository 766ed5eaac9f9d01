import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DidDocument } from "../../core/identity/didDocument.ts"

/** No DID claims this handle, or several do. */
export class HandleNotFound extends Schema.TaggedError<HandleNotFound>()("HandleNotFound", {
  handle: Schema.String
}) {}

/** The DID does not exist, is of a method that is not supported, or has no usable document. */
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

/** Nobody could be asked just now; the answer may be different later. */
export class IdentityUnavailable extends Schema.TaggedError<IdentityUnavailable>()(
  "IdentityUnavailable",
  { subject: Schema.String, cause: Schema.optional(Schema.Defect()) }
) {}

/** Why a DID has no document. */
export type DidError = DidNotFound | DidDeactivated | IdentityUnavailable

/** Why a handle has no DID. */
export type HandleError = HandleNotFound | IdentityUnavailable

/** A DID with its handle, checked in both directions; `handle.invalid` where they do not agree. */
export interface ResolvedIdentity {
  readonly did: string
  readonly handle: string
  readonly didDoc: DidDocument
}

/** Past the cache or not. */
export interface ResolveOptions {
  readonly fresh?: boolean
}

/**
 * Finds out who somebody is: DID documents and handles, by the network's rules.
 *
 * Answers may be an hour old (a day while they are being refreshed) unless `fresh` is asked for.
 */
export class Identity extends Context.Service<
  Identity,
  {
    resolveDid(did: string, options?: ResolveOptions): Effect.Effect<DidDocument, DidError>
    /** The DID that a handle claims; whether the DID claims the handle is `resolveIdentity`'s matter. */
    resolveHandle(handle: string, options?: ResolveOptions): Effect.Effect<string, HandleError>
    /** The did:key of a verification method, `atproto` unless another is named. */
    signingKey(
      did: string,
      options?: ResolveOptions & { readonly id?: string }
    ): Effect.Effect<string, DidError | KeyNotFound>
    resolveIdentity(
      didOrHandle: string,
      options?: ResolveOptions
    ): Effect.Effect<ResolvedIdentity, DidError | HandleError>
    /** Drops what is remembered of a DID or handle, so that a change made here is seen at once. */
    forget(didOrHandle: string): Effect.Effect<void>
  }
>()("nacre/services/Identity") {}
