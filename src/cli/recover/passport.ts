import { hkdfSync } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { signedServiceJwt, unsignedServiceJwt } from "../../core/sessions/serviceJwt.ts"
import { formatDidKey, publicKeyOf, signBytes } from "../../core/identity/didKey.ts"
import type { RecoveryKey } from "../recoveryKey.ts"

/** A temporary signing key, which the DID lists until the new server's key replaces it. */
export interface WayKey {
  readonly didKey: string
  /** 32 bytes, K-256. */
  readonly secret: Redacted.Redacted<Uint8Array>
}

/**
 * Derives a DID's temporary signing key from the recovery key.
 *
 * It is deterministic, so an interrupted recovery resumes without a stored key.
 */
export const wayKeyOf = (key: RecoveryKey, did: string): WayKey => {
  const made = hkdfSync("sha256", Redacted.value(key.secret), did, "nacre/recover/signing-key", 32)
  const secret = new Uint8Array(made)
  return { didKey: formatDidKey(publicKeyOf("k256", secret)), secret: Redacted.make(secret) }
}

/** A token for creating the account on a server, as the old server would have issued it. */
export const tokenOf = Effect.fnUntraced(function* (key: WayKey, did: string, audience: string) {
  const iat = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const text = unsignedServiceJwt("k256", {
    iss: did,
    aud: audience,
    lxm: "com.atproto.server.createAccount",
    iat,
    exp: iat + 60,
    jti: crypto.randomUUID()
  })
  const bytes = new TextEncoder().encode(text)
  return signedServiceJwt(text, signBytes("k256", Redacted.value(key.secret), bytes))
})
