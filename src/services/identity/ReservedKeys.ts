import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"
import type { KeyUnreadable, PrivateKey } from "./Keys.ts"

/** The limit of reserved keys is reached. */
export class ReservedKeysFull extends Schema.TaggedError<ReservedKeysFull>()(
  "ReservedKeysFull",
  {}
) {}

/**
 * Signing keys created before their account (D1), so an account that moves in can first put one
 * into its DID document.
 *
 * An unused key is deleted after 30 days.
 */
export class ReservedKeys extends Context.Service<
  ReservedKeys,
  {
    /** The did:key reserved for a DID, the same on each call; without a DID a new one each time. */
    reserve(did: string | undefined): Effect.Effect<string, DirectoryUnavailable | ReservedKeysFull>
    /**
     * One of these did:keys if it was reserved without a DID, or else the key reserved for the DID.
     */
    find(
      did: string,
      didKeys?: ReadonlyArray<string>
    ): Effect.Effect<PrivateKey | undefined, DirectoryUnavailable | KeyUnreadable>
    /** Puts every key under the current master key; returns how many weren't. */
    readonly rewrap: Effect.Effect<
      { readonly changed: number; readonly unreadable: number },
      DirectoryUnavailable
    >
    /** Deletes the key of a DID whose account exists; one reserved without a DID expires later. */
    remove(did: string): Effect.Effect<void, DirectoryUnavailable>
  }
>()("nacre/services/ReservedKeys") {}
