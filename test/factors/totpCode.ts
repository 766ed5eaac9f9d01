import { Secret, TOTP } from "otpauth"

/** An authenticator's code at a time in milliseconds. */
export const totpCode = (secret: Uint8Array, now: number): string =>
  new TOTP({
    algorithm: "SHA1",
    digits: 6,
    period: 30,
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer })
  }).generate({ timestamp: now })
