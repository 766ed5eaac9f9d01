import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "./Directory.ts"
import type { KeyUnreadable, PrivateKey } from "./Keys.ts"

/**
 * Signing keys that were made before their account (D1): who moves in can put one into the DID document first.
 *
 * One that nobody signs up with is forgotten after 30 days.
 */
export class ReservedKeys extends Context.Service<
  ReservedKeys,
  {
    /** The did:key reserved for a DID, the same whenever it is asked for. */
    reserve(did: string): Effect.Effect<string, DirectoryUnavailable>
    find(did: string): Effect.Effect<PrivateKey | undefined, DirectoryUnavailable | KeyUnreadable>
    /** The account is there, and keeps the key itself. */
    remove(did: string): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/ReservedKeys") {}
