import { createHmac } from "node:crypto"
import { Secret, TOTP } from "otpauth/bare"

/** The length of a new secret, in bytes: that of the hash, as RFC 4226 recommends. */
export const totpSecretLength = 20

/** How long a code is shown, in seconds. */
const period = 30

// Authenticator apps take other hashes, lengths and periods for granted at best: these are what all of them do.
const form = {
  algorithm: "SHA1",
  digits: 6,
  period,
  hmac: (_algorithm: string, key: Uint8Array, message: Uint8Array): Uint8Array =>
    createHmac("sha1", key).update(message).digest()
}

const secretOf = (bytes: Uint8Array): Secret => new Secret({ buffer: bytes.slice().buffer })

/** A secret as authenticator apps take it: base32. */
export const formatTotpSecret = (secret: Uint8Array): string => secretOf(secret).base32

/**
 * The step of time (of 30 seconds, since 1970) that a code belongs to: that of now, the one before or the one after;
 * undefined for a code of none of them.
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

/** What the QR code says to an authenticator app: an `otpauth://totp/` URI. */
export const totpUri = (
  secret: string,
  { issuer, account }: { readonly issuer: string; readonly account: string }
): string => new TOTP({ ...form, secret, issuer, label: account }).toString()
