import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The longest lifetime of a link, in milliseconds. */
export const linkLife = 15 * 60_000

/** The link has expired, was used, or never existed. */
export class PasskeyLinkOver extends Schema.TaggedError<PasskeyLinkOver>()("PasskeyLinkOver", {}) {}

/** A stored link; its password version is compared on use. */
export interface PasskeyLink {
  readonly expiresAt: number
  /** The version of the password when the link was created. */
  readonly passwordVersion: string
}

/**
 * The link that adds a passkey to this object's account: one at a time, for one use.
 *
 * Stores only a hash of its secret.
 */
export class PasskeyLinks extends Context.Service<
  PasskeyLinks,
  {
    /** Replaces the link; this is the only time its secret is returned. */
    make(link: PasskeyLink): Effect.Effect<string>
    /** The valid link with this secret; doesn't use it up. */
    find(secret: string): Effect.Effect<PasskeyLink | undefined>
    /** Uses the link up, valid or not; true for only one of two concurrent calls. */
    use(secret: string): boolean
    /** Revokes the link. */
    revoke(): void
  }
>()("nacre/services/PasskeyLinks") {}
