import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** Whether an account is here, and whether the directory had to be asked for it. */
export interface Presence {
  readonly isHere: boolean
  readonly wasAsked: boolean
}

/**
 * Which DIDs have an account here, so that a made-up one wakes no object.
 *
 * A DID without an account is remembered for a minute. Where the directory cannot be asked, the object decides.
 */
export class KnownAccounts extends Context.Service<
  KnownAccounts,
  {
    /** `fresh` asks the directory although the DID is remembered as missing. */
    look(did: string, options?: { readonly fresh?: boolean }): Effect.Effect<Presence>
    /** Forgets that a DID is missing: its account has just been created. */
    forget(did: string): Effect.Effect<void>
  }
>()("nacre/services/KnownAccounts") {}
