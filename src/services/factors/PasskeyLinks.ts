import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** How long a link is good at most, in milliseconds. */
export const linkLife = 15 * 60_000

/** The link has expired, was used, or never was one. */
export class PasskeyLinkOver extends Schema.TaggedError<PasskeyLinkOver>()("PasskeyLinkOver", {}) {}

/** A link as it is kept; what it says of the password is compared when it is used. */
export interface PasskeyLink {
  readonly expiresAt: number
  /** That of the password that was in force when it was made. */
  readonly passwordVersion: string
}

/**
 * The link by which a passkey may be added to the account in this object: one at a time, for one use.
 *
 * Only a hash of its secret is stored.
 */
export class PasskeyLinks extends Context.Service<
  PasskeyLinks,
  {
    /** Makes a link in place of the one before; answers its secret, told this once. */
    make(link: PasskeyLink): Effect.Effect<string>
    /** The link of this secret, while it is good; it stays so. */
    find(secret: string): Effect.Effect<PasskeyLink | undefined>
    /** Uses the link up, good or not: of two who do one is told true. */
    use(secret: string): boolean
    /** The link is good no more. */
    revoke(): void
  }
>()("nacre/services/PasskeyLinks") {}
