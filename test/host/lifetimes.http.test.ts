import { assert, describe, it } from "@effect/vitest"
import { parseJwt } from "../../src/core/sessions/jwt.ts"
import { bearer, startHost } from "../support/http/httpHost.ts"
import { ok, outcomeOf, signUp } from "../support/http/httpWorld.ts"

const minute = 60_000
const day = 24 * 60 * minute

const lifeOf = (token: string): number => {
  const { exp, iat } = parseJwt(token)?.claims ?? {}
  return Number(exp) - Number(iat)
}

describe("a host with its own lifetimes", () => {
  it("tokens have the configured lifetimes, and a session ends without a refresh", async () => {
    const host = await startHost({ ACCESS_TOKEN_MINUTES: "5", SESSION_DAYS: "2" })
    const { did, password } = await signUp(host, "alice")
    const input = { identifier: did, password }
    const { accessJwt, refreshJwt } = ok(
      await host.call("com.atproto.server.createSession", { input })
    )
    assert.deepStrictEqual([lifeOf(accessJwt), lifeOf(refreshJwt)], [300, 2 * 24 * 3600])
    const session = () => host.call("com.atproto.server.getSession", { auth: bearer(accessJwt) })
    ok(await session())
    host.advance(6 * minute)
    assert.strictEqual(outcomeOf(await session()), "400 ExpiredToken")
    host.advance(2 * day)
    const refresh = { method: "POST", auth: bearer(refreshJwt) }
    const refused = await host.call("com.atproto.server.refreshSession", refresh)
    assert.strictEqual(outcomeOf(refused), "400 ExpiredToken")
    await host.close()
  })
})

describe("/ready of a public host", () => {
  const publicHost = { PUBLIC_URL: "https://pds.example.com", RELAYS: "none", DEV_ALLOW_HOSTS: "" }
  const warningsOf = async (env: Record<string, string>) => {
    const host = await startHost({ ...publicHost, ...env })
    const { body } = await host.ask("/ready")
    await host.close()
    const warnings: ReadonlyArray<{ readonly variable: string }> = body["warnings"] ?? []
    return warnings.map(({ variable }) => variable)
  }

  it("/ready warns about CORS_ORIGINS=* only with STRICT", async () => {
    assert.deepStrictEqual(await warningsOf({ STRICT: "on" }), ["CORS_ORIGINS"])
    assert.deepStrictEqual(await warningsOf({}), [])
    const named = { STRICT: "on", CORS_ORIGINS: "https://app.example.com" }
    assert.deepStrictEqual(await warningsOf(named), [])
    const local = { STRICT: "on", PUBLIC_URL: "http://localhost:8787" }
    assert.deepStrictEqual(await warningsOf(local), [])
  })
})
