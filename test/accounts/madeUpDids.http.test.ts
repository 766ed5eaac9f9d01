import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { makeRefreshToken } from "../../src/core/oauth/refreshToken.ts"
import { Accounts } from "../../src/services/accounts/Accounts.ts"
import { KnownAccounts } from "../../src/services/accounts/KnownAccounts.ts"
import { bearer } from "../support/http/httpHost.ts"
import { allMethods, samples } from "../support/http/httpMethods.ts"
import { ok, outcomeOf, type Person, startWorld, type World } from "../support/http/httpWorld.ts"

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
const jwt = (claims: object) => `${part({ alg: "HS256", typ: "at+jwt" })}.${part(claims)}.c2ln`

const latest = "com.atproto.sync.getLatestCommit"

describe("a DID without an account", () => {
  let world: World
  const woken: Array<string> = []

  beforeAll(async () => {
    world = await startWorld()
    const accounts = await world.beneath(Accounts)
    const { call, forward } = accounts
    // Records every path to an object by DID.
    Object.assign(accounts, {
      forward: ((did, request) => {
        woken.push(did)
        return forward(did, request)
      }) satisfies Accounts["Service"]["forward"],
      call: ((did, method, ...input) => {
        woken.push(did)
        return call(did, method, ...input)
      }) satisfies Accounts["Service"]["call"]
    })
  })
  afterAll(() => world.close())

  const madeUp = () => {
    const letters = String(world.next()).replace(/\d/g, (digit) => "bcdefghijk"[Number(digit)]!)
    return `did:plc:${letters.padStart(24, "a")}`
  }

  const ghost = (): Person => ({ ...world.alice, did: madeUp(), handle: "ghost.invalid" })

  const assertAsleep = (about: string) => {
    const strangers = woken.splice(0).filter((did) => !did.startsWith("did:web:"))
    assert.deepStrictEqual(strangers, [], about)
  }

  it("a DID without an account wakes no object, whichever method and credential names it", async () => {
    for (const nsid of allMethods) {
      // A new account's object is created there, once its DID is proven.
      if (nsid === "com.atproto.server.createAccount") continue
      const who = ghost()
      const { did } = who
      const tokens = [
        jwt({ sub: did }),
        jwt({ iss: did, lxm: nsid }),
        jwt({ iss: `${did}#atproto` })
      ]
      const auths = [undefined, ...tokens.flatMap((token) => [bearer(token), `DPoP ${token}`])]
      for (const auth of auths) {
        const asked = await Promise.resolve(samples[nsid]!.make(world, who)).catch(() => ({}))
        woken.splice(0)
        await world.call(nsid, { ...asked, auth })
        assertAsleep(nsid)
      }
    }
  })

  it("a DID without an account wakes no object through a proxied method, the command's paths, OAuth tokens or a passkey link", async () => {
    const did = madeUp()
    const auth = bearer(jwt({ sub: did }))
    assert.strictEqual(
      outcomeOf(await world.call("app.bsky.feed.getTimeline", { auth })),
      "403 AccountNotFound"
    )
    for (const path of ["/manage/codes", "/manage/passkeys"]) await world.ask(path, { auth })
    await world.ask("/manage/passkeys/link", { auth, method: "POST" })
    const link = new URLSearchParams({ link: `${"a".repeat(22)}.${did}` }).toString()
    await world.ask("/passkey", {
      body: link,
      headers: { "content-type": "application/x-www-form-urlencoded" }
    })
    const token = makeRefreshToken({ did, session: "ses-1" }, new Uint8Array(32))
    for (const path of ["/oauth/token", "/oauth/revoke"]) {
      const form = { grant_type: "refresh_token", refresh_token: token, token }
      await world.ask(path, {
        body: new URLSearchParams({ ...form, client_id: "http://localhost" }).toString(),
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
    }
    assertAsleep("elsewhere")
  })

  it("a DID without an account gets RepoNotFound for reads and AccountNotFound for sessions", async () => {
    const did = madeUp()
    const outcome = async (auth: string | undefined, nsid = latest) =>
      outcomeOf(await world.call(nsid, { params: { did }, auth }))
    assert.strictEqual(await outcome(undefined), "400 RepoNotFound")
    assert.strictEqual(
      await outcome(bearer(jwt({ sub: did })), "com.atproto.server.getSession"),
      "403 AccountNotFound"
    )
    assert.strictEqual(
      await outcome(`DPoP ${jwt({ sub: did })}`, "com.atproto.server.getSession"),
      "401 invalid_token"
    )
  })

  it("a missing DID is remembered for a minute, except when its account moves in", async () => {
    const did = madeUp()
    const look = (fresh: boolean) =>
      world.beneath(Effect.flatMap(KnownAccounts, (known) => known.look(did, { fresh })))
    assert.deepStrictEqual(await look(false), { isHere: false, wasAsked: true })
    world.advance(59_000)
    assert.deepStrictEqual(await look(false), { isHere: false, wasAsked: false })
    assert.deepStrictEqual(await look(true), { isHere: false, wasAsked: true })
    world.advance(60_000)
    assert.deepStrictEqual(await look(false), { isHere: false, wasAsked: true })
    await world.beneath(Effect.flatMap(KnownAccounts, (known) => known.forget(did)))
    assert.deepStrictEqual(await look(false), { isHere: false, wasAsked: true })
    const { did: present } = world.alice
    const known = await world.beneath(Effect.flatMap(KnownAccounts, (all) => all.look(present)))
    assert.isTrue(known.isHere)
  })

  it("a missing DID costs its client's address 20 requests for a look-up, and one when it is remembered", async () => {
    const limited = await startWorld({ RATE_LIMITS: "on" })
    const headers = { "cf-connecting-ip": "192.0.2.9" }
    const ask = async (did: string) => limited.call(latest, { params: { did }, headers })
    const one = madeUp()
    await ask(one)
    const left = (await ask(one)).headers.get("ratelimit-remaining")
    assert.strictEqual(left, String(3000 - 22))
    let refused = 0
    for (let count = 0; count < 150; count++) {
      if (outcomeOf(await ask(madeUp())) === "429 RateLimitExceeded") refused += 1
    }
    assert.isAbove(refused, 0)
    ok(await limited.call(latest, { params: { did: limited.alice.did } }))
    await limited.close()
  })
})
