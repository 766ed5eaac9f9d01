import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A passkey as it is listed. */
export interface Passkey {
  /** The credential id, base64url. */
  readonly id: string
  readonly name: string
  readonly transports: ReadonlyArray<string>
  readonly createdAt: number
  readonly usedAt: number | undefined
}

/** What a browser answers (`PublicKeyCredential.toJSON()`); checked by the layer. */
export type CredentialJson = Readonly<Record<string, unknown>>

/** What an answer must have been made for. */
export interface Ceremony {
  /** base64url, random, used once. */
  readonly challenge: string
  /** `https://pds.example.com` */
  readonly origin: string
  /** `pds.example.com` */
  readonly rpId: string
}

/** The browser's answer does not prove what it should; `reason` is for the log. */
export class PasskeyRefused extends Schema.TaggedError<PasskeyRefused>()("PasskeyRefused", {
  reason: Schema.String
}) {}

/** The passkeys of the account in this object. Spec: WebAuthn Level 3, attestation `none`. */
export class Passkeys extends Context.Service<
  Passkeys,
  {
    readonly list: Effect.Effect<ReadonlyArray<Passkey>>
    add(
      passkey: { readonly name: string; readonly response: CredentialJson } & Ceremony
    ): Effect.Effect<Passkey, PasskeyRefused>
    /** Checks a sign-in: signature, user verification, counter. Notes the use. */
    verify(response: CredentialJson, ceremony: Ceremony): Effect.Effect<Passkey, PasskeyRefused>
    rename(id: string, name: string): Effect.Effect<void>
    remove(id: string): Effect.Effect<void>
    /** Removes one of several; false where it is the only one, which stays: of two removed at once, one does. */
    removeUnlessLast(id: string): Effect.Effect<boolean>
  }
>()("nacre/services/Passkeys") {}
