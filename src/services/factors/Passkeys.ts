import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A passkey in a list. */
export interface Passkey {
  /** The credential id, base64url. */
  readonly id: string
  readonly name: string
  readonly transports: ReadonlyArray<string>
  readonly createdAt: number
  readonly usedAt: number | undefined
}

/** A browser's result (`PublicKeyCredential.toJSON()`); the layer validates it. */
export type CredentialJson = Readonly<Record<string, unknown>>

/** What a result must be for. */
export interface Ceremony {
  /** base64url, random, used once. */
  readonly challenge: string
  /** `https://pds.example.com` */
  readonly origin: string
  /** `pds.example.com` */
  readonly rpId: string
}

/** The browser's result is invalid; `reason` is for the log. */
export class PasskeyRefused extends Schema.TaggedError<PasskeyRefused>()("PasskeyRefused", {
  reason: Schema.String
}) {}

/** Removing the passkey would leave the account without a way to sign in. */
export class LastPasskey extends Schema.TaggedError<LastPasskey>()("LastPasskey", {}) {}

/** The passkeys of this object's account. Spec: WebAuthn Level 3, attestation `none`. */
export class Passkeys extends Context.Service<
  Passkeys,
  {
    readonly list: Effect.Effect<ReadonlyArray<Passkey>>
    add(
      passkey: { readonly name: string; readonly response: CredentialJson } & Ceremony
    ): Effect.Effect<Passkey, PasskeyRefused>
    /** Verifies a sign-in: signature, user verification, counter. Records the use. */
    verify(response: CredentialJson, ceremony: Ceremony): Effect.Effect<Passkey, PasskeyRefused>
    rename(id: string, name: string): Effect.Effect<void>
    remove(id: string): Effect.Effect<void>
    /**
     * Removes one of several; false for the only one, which stays: of two concurrent removals, one
     * succeeds.
     */
    removeUnlessLast(id: string): Effect.Effect<boolean>
  }
>()("nacre/services/Passkeys") {}
