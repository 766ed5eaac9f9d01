import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { KeyUnreadable, PrivateKey } from "./Keys.ts"

/** As many keys wait for their accounts as may. */
export class ReservedKeysFull extends Schema.TaggedError<ReservedKeysFull>()(
  "ReservedKeysFull",
  {}
) {}

/**
 * Signing keys that were made before their account (D1): who moves in can put one into the DID document first.
 *
 * One that nobody signs up with is forgotten after 30 days.
 */
export class ReservedKeys extends Context.Service<
  ReservedKeys,
  {
    /** The did:key reserved for a DID, the same whenever it is asked for; without a DID a new one each time. */
    reserve(did: string | undefined): Effect.Effect<string, DirectoryUnavailable | ReservedKeysFull>
    /** One of these did:keys, if it was reserved without a DID, or else the key reserved for the DID. */
    find(
      did: string,
      didKeys?: ReadonlyArray<string>
    ): Effect.Effect<PrivateKey | undefined, DirectoryUnavailable | KeyUnreadable>
    /** Forgets the key of a DID whose account exists; one that was reserved without a DID stays for its time. */
    remove(did: string): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/ReservedKeys") {}
