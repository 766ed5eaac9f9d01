import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What is found at a place where a name may claim a DID. */
export type DidClaim =
  | { readonly kind: "did"; readonly did: string }
  /** `found` is the beginning of what stands there instead; `status` that of a web server that has no such file. */
  | { readonly kind: "none"; readonly found?: string; readonly status?: number }
  | { readonly kind: "conflict"; readonly dids: ReadonlyArray<string> }
  | { readonly kind: "failed"; readonly cause: unknown }

/** What is found at both places where a handle may claim its DID; one of them is enough, and DNS comes first. */
export interface FoundClaims {
  /** The TXT records of `_atproto.<handle>`. */
  readonly dns: DidClaim
  /** `https://<handle>/.well-known/atproto-did`. */
  readonly file: DidClaim
}

/** Looks at both places of a handle, past every cache: for owners who set one up and want to know what is missing. */
export class HandleClaims extends Context.Service<
  HandleClaims,
  { look(handle: string): Effect.Effect<FoundClaims> }
>()("nacre/services/HandleClaims") {}
