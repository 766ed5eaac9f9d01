import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Answered, bearer } from "../support/http/httpHost.ts"
import {
  appPassword,
  ok,
  outcomeOf,
  type Person,
  post,
  session,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

const hour = 3_600_000

describe("session faults that other servers had", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const newcomer = () => signUp(world, `user${world.next()}`)

  const server = (name: string, auth: string | undefined, asked: object = {}) =>
    world.call(`com.atproto.server.${name}`, { auth, ...asked })

  const signIn = (identifier: string, password: string, more = {}): Promise<Answered> =>
    server("createSession", undefined, { input: { identifier, password, ...more } })

  const refresh = (token: string) => server("refreshSession", bearer(token), { method: "POST" })
  const end = (token: string) => server("deleteSession", bearer(token), { method: "POST" })
  const getSession = (token: string) => server("getSession", bearer(token))

  const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString())

  it("a failed sign-in reveals nothing: the response is the same with and without an account", async () => {
    const { alice, dora } = world
    const attempts: ReadonlyArray<readonly [string, string]> = [
      [alice.handle, "wrong"],
      [alice.did, "wrong"],
      [alice.email, "wrong"],
      [dora.handle, "wrong"],
      [world.carol.handle, "wrong"],
      ["nobody.test", "wrong"],
      ["nobody@mail.example.com", "wrong"],
      ["did:web:nobody.test", "wrong"],
      ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "wrong"],
      ["no identifier at all", "wrong"],
      [alice.handle, ""],
      [alice.handle, "x".repeat(513)],
      ["nobody.test", "x".repeat(513)],
      [alice.handle, world.bob.password],
      [alice.handle, "aaaa-bbbb-cccc-dddd"],
      ["nobody.test", "aaaa-bbbb-cccc-dddd"]
    ]
    const answers = await Promise.all(attempts.map(([who, password]) => signIn(who, password)))
    const seen = new Set(
      answers.map(({ status, text, headers }) =>
        // Every request has an id of its own.
        JSON.stringify([
          status,
          text,
          [...headers].filter(([name]) => name !== "x-request-id").toSorted()
        ])
      )
    )
    assert.strictEqual(seen.size, 1, [...seen].join("\n"))
    assert.strictEqual(outcomeOf(answers[0]!), "401 AuthenticationRequired")
  })

  it("createSession accepts a handle in any case or with an @, an email address and a DID", async () => {
    const { handle, email, did, password } = world.alice
    for (const identifier of [
      handle,
      handle.toUpperCase(),
      `@${handle}`,
      email,
      email.toUpperCase(),
      did
    ]) {
      assert.strictEqual(ok(await signIn(identifier, password))["did"], did, identifier)
    }
  })

  it("ten concurrent refreshes all succeed, with the same next token", async () => {
    const { refreshJwt } = await session(world, world.alice.did, "full")
    const answers = (await Promise.all(Array.from({ length: 10 }, () => refresh(refreshJwt)))).map(
      ok
    )
    assert.strictEqual(new Set(answers.map((body) => claimsOf(body["refreshJwt"])["jti"])).size, 1)
    for (const { accessJwt } of answers)
      assert.strictEqual((await getSession(accessJwt)).status, 200)
    ok(await refresh(answers[3]!["refreshJwt"]))
  })

  it("a used refresh token works for two more hours, then ends its stolen session", async () => {
    const first = (await session(world, world.alice.did, "full")).refreshJwt
    const second = ok(await refresh(first))["refreshJwt"]
    world.advance(2 * hour - 60_000)
    assert.strictEqual(
      claimsOf(ok(await refresh(first))["refreshJwt"])["jti"],
      claimsOf(second)["jti"]
    )
    world.advance(120_000)
    assert.strictEqual(outcomeOf(await refresh(first)), "400 ExpiredToken")
    assert.strictEqual(outcomeOf(await refresh(second)), "400 ExpiredToken")
    world.advance(-2 * hour - 60_000)
  })

  it("tokens expire: access after two hours, refresh after ninety days", async () => {
    const { accessJwt, refreshJwt } = await session(world, world.alice.did, "full")
    world.advance(2 * hour + 1000)
    assert.strictEqual(outcomeOf(await getSession(accessJwt)), "400 ExpiredToken")
    world.advance(90 * 24 * hour)
    assert.strictEqual(outcomeOf(await refresh(refreshJwt)), "400 ExpiredToken")
    assert.strictEqual(outcomeOf(await end(refreshJwt)), "ok")
    world.advance(-90 * 24 * hour - 2 * hour - 1000)
  })

  it("the end of a session ends its access tokens too, and can be repeated", async () => {
    const { accessJwt, refreshJwt } = await session(world, world.alice.did, "full")
    const other = await session(world, world.alice.did, "full")
    ok(await end(refreshJwt))
    assert.strictEqual(outcomeOf(await getSession(accessJwt)), "400 ExpiredToken")
    assert.strictEqual(outcomeOf(await refresh(refreshJwt)), "400 ExpiredToken")
    ok(await end(refreshJwt))
    ok(await getSession(other.accessJwt))
  })

  it("an app password signs in, but can't create or list app passwords or deactivate the account", async () => {
    const who = await newcomer()
    const secret = await appPassword(world, who.did, "plain")
    const { accessJwt } = ok(await signIn(who.handle, secret))
    const auth = bearer(accessJwt)
    const input = { repo: who.did, collection: "app.bsky.feed.post", record: post() }
    ok(await world.call("com.atproto.repo.createRecord", { auth, input }))
    const closed: ReadonlyArray<readonly [string, object]> = [
      ["createAppPassword", { input: { name: "more" } }],
      ["listAppPasswords", {}],
      ["revokeAppPassword", { input: { name: "plain" } }],
      ["deactivateAccount", { input: {} }],
      ["activateAccount", { method: "POST" }],
      ["getAccountInviteCodes", {}]
    ]
    for (const [name, asked] of closed) {
      assert.strictEqual(outcomeOf(await server(name, auth, asked)), "400 InvalidToken", name)
    }
    const details = {
      $type: "app.bsky.actor.defs#personalDetailsPref",
      birthDate: "1990-01-01T00:00:00.000Z"
    }
    const put = { auth: who.auth, input: { preferences: [details] } }
    ok(await world.call("app.bsky.actor.putPreferences", put))
    const seen = await world.call("app.bsky.actor.getPreferences", { auth })
    assert.notInclude(seen.text, "1990")
    ok(await world.call("app.bsky.actor.putPreferences", { auth, input: { preferences: [] } }))
    const own = await world.call("app.bsky.actor.getPreferences", { auth: who.auth })
    assert.include(own.text, "1990")
  })

  it("no session gets a token for the owner's methods, and no app password one for chat or moving", async () => {
    const who = await newcomer()
    const mint = async (auth: string, lxm: string | undefined, aud = "did:web:localhost%3A8787") =>
      outcomeOf(
        await server("getServiceAuth", auth, {
          params: { aud, ...(lxm === undefined ? {} : { lxm }) }
        })
      )
    const level = async (name: "full" | "privileged" | "standard") =>
      bearer((await session(world, who.did, name)).accessJwt)
    const protectedMethods = [
      "com.atproto.server.createAppPassword",
      "com.atproto.server.deactivateAccount",
      "com.atproto.identity.signPlcOperation",
      "com.atproto.server.UPDATEEMAIL",
      "com.atproto.server.getSession"
    ]
    for (const name of ["full", "privileged", "standard"] as const) {
      const auth = await level(name)
      for (const lxm of protectedMethods) {
        assert.strictEqual(await mint(auth, lxm), "400 InvalidRequest", `${name} ${lxm}`)
      }
      assert.strictEqual(await mint(auth, "com.atproto.repo.uploadBlob"), "ok")
    }
    for (const lxm of [
      "chat.bsky.convo.listConvos",
      "com.atproto.server.createAccount",
      undefined
    ]) {
      assert.strictEqual(await mint(await level("standard"), lxm), "400 InvalidRequest", lxm)
      assert.strictEqual(await mint(await level("privileged"), lxm), "ok", lxm)
    }
  })

  it("service auth lasts as long as requested, up to an hour", async () => {
    const { auth } = world.alice
    const seconds = (from: number) => Math.floor(world.now() / 1000) + from
    const mint = (params: Record<string, string | number>) =>
      server("getServiceAuth", auth, { params: { aud: "did:web:a.com", ...params } })
    const lxm = "com.atproto.repo.uploadBlob"
    for (const bad of [
      { lxm, exp: seconds(-10) },
      { lxm, exp: seconds(3700) },
      { exp: seconds(90) }
    ]) {
      assert.strictEqual(outcomeOf(await mint(bad)), "400 BadExpiration", JSON.stringify(bad))
    }
    for (const aud of [
      "did:example:x",
      "a.com",
      "did:web:",
      "did:web:a.com#",
      "did:web:a.com#a#b"
    ]) {
      assert.strictEqual(outcomeOf(await mint({ aud, lxm })), "400 InvalidRequest", aud)
    }
    const token = ok(await mint({ lxm, exp: seconds(3500), aud: "did:web:a.com#bsky_appview" }))[
      "token"
    ]
    const claims = claimsOf(token)
    assert.deepInclude(claims, { iss: world.alice.did, aud: "did:web:a.com#bsky_appview", lxm })
    assert.isString(claims["jti"])
  })

  it("revoking an app password ends its sessions at once, and no others", async () => {
    const who = await newcomer()
    const made = ok(await server("createAppPassword", who.auth, { input: { name: "gone" } }))
    assert.match(made["password"], /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/)
    const kept = await appPassword(world, who.did, "kept")
    const again = await server("createAppPassword", who.auth, { input: { name: "gone" } })
    assert.strictEqual(outcomeOf(again), "400 InvalidRequest")
    const first = ok(await signIn(who.handle, made["password"]))
    const second = ok(await refresh(first["refreshJwt"]))
    const other = ok(await signIn(who.handle, kept))
    const listed = await server("listAppPasswords", who.auth)
    assert.notInclude(listed.text, made["password"])
    assert.lengthOf(ok(listed)["passwords"], 2)
    ok(await server("revokeAppPassword", who.auth, { input: { name: "gone" } }))
    for (const { accessJwt, refreshJwt } of [first, second]) {
      assert.strictEqual(outcomeOf(await getSession(accessJwt)), "400 ExpiredToken")
      assert.strictEqual(outcomeOf(await refresh(refreshJwt)), "400 ExpiredToken")
    }
    assert.strictEqual(
      outcomeOf(await signIn(who.handle, made["password"])),
      "401 AuthenticationRequired"
    )
    ok(await getSession(other["accessJwt"]))
    ok(await server("getSession", who.auth))
  })

  it("an account's app password works for no other account", async () => {
    const [one, other]: [Person, Person] = [await newcomer(), await newcomer()]
    const secret = await appPassword(world, one.did, "mine")
    assert.strictEqual(outcomeOf(await signIn(other.handle, secret)), "401 AuthenticationRequired")
  })

  it("refreshing an app password's session keeps its level", async () => {
    const who = await newcomer()
    const secret = await appPassword(world, who.did, "level")
    const { refreshJwt } = ok(await signIn(who.handle, secret))
    const { accessJwt } = ok(await refresh(refreshJwt))
    assert.strictEqual(claimsOf(accessJwt)["scope"], "com.atproto.appPass")
    const asked = { input: { name: "more" } }
    assert.strictEqual(
      outcomeOf(await server("createAppPassword", bearer(accessJwt), asked)),
      "400 InvalidToken"
    )
  })
})
