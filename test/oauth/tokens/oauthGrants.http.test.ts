import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { makeKey } from "./signing.ts"
import type { Answered } from "../../support/http/httpHost.ts"
import { ok, startWorld, takeDown, type World } from "../../support/http/httpWorld.ts"
import {
  type App,
  challengeOf,
  type Fields,
  loopbackId,
  makeApp,
  publicApp,
  random
} from "../../support/http/oauthApp.ts"

let world: World
let app: App

beforeAll(async () => {
  world = await startWorld()
  app = await publicApp(world)
})
afterAll(() => world.close())

const session = "com.atproto.server.getSession"

const named = ({ status, body }: Answered) => `${status} ${body["error"] ?? "ok"}`

const exchange = (fields: Fields) => app.post("/oauth/token", fields)

/** Whether an access token still works. */
const opens = async (accessToken: string) => (await app.call(session, accessToken)).status === 200

/** Asserts that at most one of several concurrent requests got tokens; returns that one. */
const assertOneAtMost = (answers: ReadonlyArray<Answered>) => {
  for (const answer of answers) assert.include(["200 ok", "400 invalid_grant"], named(answer))
  const won = answers.filter(({ status }) => status === 200)
  assert.isAtMost(won.length, 1)
  return won
}

describe("a code", () => {
  it("a code opens one session, and a replay ends that session", async () => {
    const fields = await app.code(world.alice.did)
    const tokens = ok(await exchange(fields))
    assert.isTrue(await opens(tokens["access_token"]))
    assert.strictEqual(named(await exchange(fields)), "400 invalid_grant")
    assert.isFalse(await opens(tokens["access_token"]))
    assert.strictEqual(named(await app.refresh(tokens["refresh_token"])), "400 invalid_grant")
  })

  it("a code redeemed concurrently returns tokens at most once, and ends them", async () => {
    const fields = await app.code(world.alice.did)
    const answers = await Promise.all([exchange(fields), exchange(fields), exchange(fields)])
    const won = assertOneAtMost(answers)
    for (const { body } of won) assert.isFalse(await opens(body["access_token"]))
  })

  it("a code expires after a minute", async () => {
    const fields = await app.code(world.alice.did)
    world.advance(61_000)
    assert.strictEqual(named(await exchange(fields)), "400 invalid_grant")
  })

  it("a wrong attempt burns a code, whatever was wrong", async () => {
    const scope = "atproto"
    const wrongs: Readonly<Record<string, Fields>> = {
      "no verifier": { code_verifier: undefined },
      "another verifier": { code_verifier: random() + random() },
      "the challenge for the verifier": { code_verifier: "x".repeat(43) },
      "no redirect_uri": { redirect_uri: undefined },
      "another redirect_uri": { redirect_uri: "http://127.0.0.1:1234/callback" },
      "another client": { client_id: loopbackId(scope) }
    }
    for (const [name, wrong] of Object.entries(wrongs)) {
      const fields = await app.code(world.alice.did)
      assert.strictEqual(named(await exchange({ ...fields, ...wrong })), "400 invalid_grant", name)
      assert.strictEqual(named(await exchange(fields)), "400 invalid_grant", name)
    }
    const fields = await app.code(world.alice.did)
    const stolen = await app.post("/oauth/token", fields, { key: await makeKey("ES256") })
    assert.strictEqual(named(stolen), "400 invalid_grant")
    assert.strictEqual(named(await exchange(fields)), "400 invalid_grant")
  })

  it("a code's challenge is not accepted as its verifier", async () => {
    const verifier = random() + random()
    const fields = await app.code(world.alice.did, { code_challenge: verifier.slice(0, 43) })
    const plain = await exchange({ ...fields, code_verifier: verifier.slice(0, 43) })
    assert.strictEqual(named(plain), "400 invalid_grant")
  })

  it("a code uses up its code_challenge for a day, for its client only", async () => {
    const verifier = random() + random()
    const own = { code_challenge: challengeOf(verifier) }
    const codeOf = async (by: App) => ({
      ...(await by.code(world.alice.did, own)),
      code_verifier: verifier
    })
    const [first, second] = [await codeOf(app), await codeOf(app)]
    const wrong = await exchange({ ...first, code_verifier: random() + random() })
    assert.strictEqual(named(wrong), "400 invalid_grant")
    ok(await exchange(second))
    assert.strictEqual(named(await exchange(await codeOf(app))), "400 invalid_grant")
    const other = await makeApp(world, {
      ...app,
      clientId: loopbackId("atproto"),
      scope: "atproto"
    })
    await other.push()
    ok(await other.post("/oauth/token", await codeOf(other)))
    world.advance(23 * 3_600_000)
    assert.strictEqual(named(await exchange(await codeOf(app))), "400 invalid_grant")
    world.advance(2 * 3_600_000)
    ok(await exchange(await codeOf(app)))
  })

  it("a code stays valid after use_dpop_nonce", async () => {
    const fields = await app.code(world.alice.did)
    app.nonce = "an old one"
    ok(await exchange(fields))
  })

  it("a code opens nothing for an account deactivated or taken down meanwhile", async () => {
    for (const { did } of [world.carol, world.dora]) {
      const answer = await exchange(await app.code(did))
      assert.strictEqual(named(answer), "400 invalid_grant")
    }
  })

  it("an unknown code and an incomplete form are rejected", async () => {
    const cases: ReadonlyArray<readonly [Fields, string]> = [
      [{ grant_type: "authorization_code", code: `cod-${random()}` }, "400 invalid_grant"],
      [{ grant_type: "authorization_code" }, "400 invalid_request"],
      [{ grant_type: "refresh_token" }, "400 invalid_request"],
      [{ grant_type: "refresh_token", refresh_token: "ref.x.y.z" }, "400 invalid_grant"],
      [{ grant_type: "password", username: "a", password: "b" }, "400 unsupported_grant_type"],
      [{ grant_type: "client_credentials" }, "400 unsupported_grant_type"],
      [{ grant_type: "toString" }, "400 unsupported_grant_type"],
      [{}, "400 invalid_request"],
      [{ grant_type: "refresh_token", client_id: undefined }, "400 invalid_request"]
    ]
    for (const [fields, expected] of cases) {
      assert.strictEqual(named(await exchange(fields)), expected, JSON.stringify(fields))
    }
  })
})

describe("a refresh token", () => {
  it("a refresh token works once, and a later replay ends the session", async () => {
    const first = await app.signIn(world.alice.did)
    const second = ok(await app.refresh(first["refresh_token"]))
    const third = ok(await app.refresh(second["refresh_token"]))
    assert.isTrue(await opens(third["access_token"]))
    assert.strictEqual(named(await app.refresh(first["refresh_token"])), "400 invalid_grant")
    assert.isFalse(await opens(third["access_token"]))
    assert.strictEqual(named(await app.refresh(third["refresh_token"])), "400 invalid_grant")
  })

  it("concurrent refreshes with one key return the same tokens, which are valid", async () => {
    const { refresh_token: token } = await app.signIn(world.alice.did)
    const answers = await Promise.all([app.refresh(token), app.refresh(token), app.refresh(token)])
    const [first, ...others] = answers.map(ok)
    for (const other of others) assert.deepStrictEqual(other, first)
    assert.isTrue(await opens(first?.["access_token"]))
    ok(await app.refresh(first?.["refresh_token"]))
  })

  it("a refresh token reused within half a minute returns the same tokens to its key, and ends the session for any other", async () => {
    const { refresh_token: token } = await app.signIn(world.alice.did)
    const first = ok(await app.refresh(token))
    world.advance(29_000)
    assert.deepStrictEqual(ok(await app.refresh(token)), first)
    const fields = { grant_type: "refresh_token", refresh_token: token }
    const thief = await app.post("/oauth/token", fields, { key: await makeKey("ES256") })
    assert.strictEqual(named(thief), "400 invalid_grant")
    assert.isFalse(await opens(first["access_token"]))
    assert.strictEqual(named(await app.refresh(first["refresh_token"])), "400 invalid_grant")
  })

  it("a refresh token reused later ends the session", async () => {
    const { refresh_token: token } = await app.signIn(world.alice.did)
    const first = ok(await app.refresh(token))
    world.advance(31_000)
    assert.strictEqual(named(await app.refresh(token)), "400 invalid_grant")
    assert.isFalse(await opens(first["access_token"]))
  })

  it("a refresh token is bound to its client and its DPoP key, and reveals nothing without them", async () => {
    const { refresh_token: token } = await app.signIn(world.alice.did)
    const fields = { grant_type: "refresh_token", refresh_token: token }
    const other = await app.refresh(token, { client_id: loopbackId("atproto") })
    assert.strictEqual(named(other), "400 invalid_grant")
    const nobody = await app.refresh(token, { client_id: undefined })
    assert.strictEqual(named(nobody), "400 invalid_request")
    const thief = await app.post("/oauth/token", fields, { key: await makeKey("ES256") })
    assert.strictEqual(named(thief), "400 invalid_grant")
    ok(await app.refresh(token))
  })

  it("a public client's refresh token expires two weeks after the sign-in, however often it was refreshed", async () => {
    const day = 86_400_000
    let tokens = await app.signIn(world.bob.did)
    world.advance(13 * day)
    tokens = ok(await app.refresh(tokens["refresh_token"]))
    world.advance(day + 1000)
    assert.strictEqual(named(await app.refresh(tokens["refresh_token"])), "400 invalid_grant")
  })

  it("a refresh token of a taken-down account is rejected", async () => {
    const { refresh_token: token } = await app.signIn(world.bob.did)
    await takeDown(world, world.bob.did, "takendown")
    assert.strictEqual(named(await app.refresh(token)), "400 invalid_grant")
    await takeDown(world, world.bob.did, undefined)
  })
})

describe("token revocation", () => {
  it("revocation ends the session with either token", async () => {
    for (const which of ["access_token", "refresh_token"]) {
      const tokens = await app.signIn(world.alice.did)
      assert.isTrue(await opens(tokens["access_token"]))
      const answer = await app.post("/oauth/revoke", { token: tokens[which] })
      assert.deepStrictEqual([answer.status, answer.text], [200, "{}"])
      assert.isFalse(await opens(tokens["access_token"]))
    }
  })

  it("revocation needs no proof, and responds the same to unknown tokens", async () => {
    const tokens = await app.signIn(world.alice.did)
    const revoke = (fields: Record<string, string>) =>
      world.ask("/oauth/revoke", {
        body: new URLSearchParams(fields).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
    const mine = { client_id: app.clientId, token: tokens["access_token"] as string }
    for (const token of ["x", "ref.x.y.z", `${mine.token}x`, "cod-x"]) {
      assert.strictEqual((await revoke({ ...mine, token })).text, "{}")
    }
    assert.strictEqual((await revoke({ ...mine, client_id: "nobody" })).text, "{}")
    assert.strictEqual(named(await revoke({ client_id: app.clientId })), "400 invalid_request")
    assert.strictEqual(named(await revoke({ token: mine.token })), "400 invalid_request")
    assert.isTrue(await opens(mine.token))
    assert.strictEqual((await revoke(mine)).text, "{}")
    assert.isFalse(await opens(mine.token))
  })

  it("revocation by another client does nothing", async () => {
    const tokens = await app.signIn(world.alice.did)
    const other = await makeApp(world, { ...app, clientId: loopbackId("atproto") })
    for (const which of ["access_token", "refresh_token"]) {
      assert.strictEqual((await other.post("/oauth/revoke", { token: tokens[which] })).text, "{}")
      assert.isTrue(await opens(tokens["access_token"]))
    }
    ok(await app.refresh(tokens["refresh_token"]))
  })

  it("revocation with an invalid proof fails, so the client can retry", async () => {
    const wrong = await app.post("/oauth/revoke", { token: "x" }, { claims: { htm: "GET" } })
    assert.strictEqual(named(wrong), "401 invalid_dpop_proof")
  })
})
