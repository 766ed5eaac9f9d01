import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import { accessToken, refreshToken } from "../../src/core/sessions/sessionToken.ts"
import { hkdfKey } from "../../src/services/host/derivedSecrets.ts"
import { isProvenSession } from "../../src/services/sessions/provenSession.ts"

const did = "did:web:alice.test"
const service = "did:web:pds.test"
const now = 1_790_000_000_000
const settings = { masterKey: Redacted.make(new Uint8Array(32).fill(7)), serviceDid: service }
const key = hkdfKey(settings.masterKey, "session tokens")
const session = { id: "ses-one", level: "full" } as const
const times = { now: now / 1000, life: 60 }

describe("isProvenSession", () => {
  it("a session's own token proves it until it expires", () => {
    const token = `Bearer ${accessToken(key, { service, did }, session, times)}`
    assert.isTrue(isProvenSession(settings, did, token, now))
    assert.isTrue(isProvenSession(settings, did, token, now + 59_999))
    assert.isFalse(isProvenSession(settings, did, token, now + 60_000))
  })

  it("no other credential proves a session", () => {
    const other = hkdfKey(Redacted.make(new Uint8Array(32).fill(8)), "session tokens")
    const token = accessToken(key, { service, did }, session, times)
    const [head, claims] = token.split(".")
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      `DPoP ${token}`,
      `Basic ${token}`,
      `Bearer ${head}.${claims}.`,
      `Bearer ${accessToken(other, { service, did }, session, times)}`,
      `Bearer ${accessToken(key, { service, did: "did:web:bob.test" }, session, times)}`,
      `Bearer ${accessToken(key, { service: "did:web:other.test", did }, session, times)}`,
      `Bearer ${refreshToken(key, { service, did }, { id: "one", session: "ses-one", expires: now }, now / 1000)}`
    ]) {
      assert.isFalse(isProvenSession(settings, did, authorization, now), authorization)
    }
  })
})
