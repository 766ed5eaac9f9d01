import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "./Directory.ts"
import type { KeyUnreadable, PrivateKey } from "./Keys.ts"

/**
 * Signing keys that were made before their account (D1): who moves in can name one in the DID document first.
 *
 * One that nobody signs up with is forgotten after 30 days.
 */
export class ReservedKeys extends Context.Service<
  ReservedKeys,
  {
    /** The did:key reserved for a DID, the same whenever it is asked for; without a DID a new one. */
    reserve(did: string | undefined): Effect.Effect<string, DirectoryUnavailable>
    /** The key reserved for this DID, else the one whose did:key the DID's document names. */
    find(
      did: string,
      didKey: string | undefined
    ): Effect.Effect<PrivateKey | undefined, DirectoryUnavailable | KeyUnreadable>
    /** The account that a key was reserved for is there, and keeps it. */
    remove(didKey: string): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/ReservedKeys") {}
