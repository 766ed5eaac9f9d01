import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Whether an account is here, and whether the directory was asked. */
export interface Presence {
  readonly isHere: boolean
  readonly wasAsked: boolean
}

/**
 * Which DIDs have an account here, so a made-up DID wakes no object.
 *
 * Remembers a DID without an account for a minute. If the directory is unavailable, the object
 * decides.
 */
export class KnownAccounts extends Context.Service<
  KnownAccounts,
  {
    /** Whether a DID is remembered to have an account here. */
    remembers(did: string): boolean
    /** `fresh` asks the directory even if the DID is remembered as missing. */
    look(did: string, options?: { readonly fresh?: boolean }): Effect.Effect<Presence>
    /** Forgets that a DID is missing, because its account was just created. */
    forget(did: string): Effect.Effect<void>
  }
>()("nacre/services/KnownAccounts") {}
