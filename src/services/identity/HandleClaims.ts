import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** The result at a place where a name may claim a DID. */
export type DidClaim =
  | { readonly kind: "did"; readonly did: string }
  /**
   * `found` is the beginning of what is there instead; `status` that of a web server without the
   * file.
   */
  | { readonly kind: "none"; readonly found?: string; readonly status?: number }
  | { readonly kind: "conflict"; readonly dids: ReadonlyArray<string> }
  | { readonly kind: "failed"; readonly cause: unknown }

/** The results at both places where a handle may claim its DID; one is enough, and DNS wins. */
export interface FoundClaims {
  /** The TXT records of `_atproto.<handle>`. */
  readonly dns: DidClaim
  /** `https://<handle>/.well-known/atproto-did`. */
  readonly file: DidClaim
}

/** Looks up both places of a handle, bypassing caches, for owners who are setting one up. */
export class HandleClaims extends Context.Service<
  HandleClaims,
  { look(handle: string): Effect.Effect<FoundClaims> }
>()("nacre/services/HandleClaims") {}
