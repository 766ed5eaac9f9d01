import { createHmac } from "node:crypto"
import { Secret, TOTP } from "otpauth/bare"

/** Length of a new secret, in bytes: the hash's, as RFC 4226 recommends. */
export const totpSecretLength = 20

/** How long a code is shown, in seconds. */
const period = 30

// Many authenticator apps ignore other hashes, lengths and periods; all of them support these.
const form = {
  algorithm: "SHA1",
  digits: 6,
  period,
  hmac: (_algorithm: string, key: Uint8Array, message: Uint8Array): Uint8Array =>
    createHmac("sha1", key).update(message).digest()
}

const secretOf = (bytes: Uint8Array): Secret => new Secret({ buffer: bytes.slice().buffer })

/** A secret in the form of authenticator apps: base32. */
export const formatTotpSecret = (secret: Uint8Array): string => secretOf(secret).base32

/**
 * The time step (of 30 seconds, since 1970) of a code: the current, previous or next one; undefined
 * for any other code.
 */
export const totpStep = (secret: Uint8Array, code: string, now: number): number | undefined => {
  const delta = TOTP.validate({
    ...form,
    secret: secretOf(secret),
    token: code,
    timestamp: now,
    window: 1
  })
  return delta === null ? undefined : Math.floor(now / 1000 / period) + delta
}

/** The content of the QR code for an authenticator app: an `otpauth://totp/` URI. */
export const totpUri = (
  secret: string,
  { issuer, account }: { readonly issuer: string; readonly account: string }
): string => new TOTP({ ...form, secret, issuer, label: account }).toString()
