import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { OAuthSessions } from "../../../src/services/oauth/OAuthSessions.ts"
import { type LetIn, letIn, proofOf, withApp } from "../../support/http/httpApps.ts"
import type { Answered, Asked } from "../../support/http/httpHost.ts"
import { allMethods, samples } from "../../support/http/httpMethods.ts"
import { ok, outcomeOf, png, post, startWorld, type World } from "../../support/http/httpWorld.ts"

const generic = "atproto transition:generic"
const getSession = "com.atproto.server.getSession"
const getServiceAuth = "com.atproto.server.getServiceAuth"
const createRecord = "com.atproto.repo.createRecord"

/** The error that an app reads in the header. */
const challenge = ({ headers }: Answered): string | undefined =>
  /^DPoP error="(\w+)", error_description="[^"]+", algs="[^"]*ES256[^"]*"$/.exec(
    headers.get("www-authenticate") ?? ""
  )?.[1]

describe("an app with an access token", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const app = (granted = generic) => letIn(world, world.alice.did, granted)

  const call = async (
    by: LetIn,
    nsid: string,
    asked: Asked = {},
    change: Parameters<typeof withApp>[4] = {}
  ) => world.call(nsid, await withApp(world, by, nsid, asked, change))

  const record = (collection: string, who = world.alice) => ({
    input: { repo: who.did, collection, record: { ...post(), $type: collection }, validate: false }
  })

  it("every response has the nonce for the next proof, and no cache may keep one", async () => {
    const by = await app()
    for (const nsid of allMethods) {
      if (/deactivateAccount|subscribeRepos/.test(nsid)) continue
      const asked = await samples[nsid]!.make(world, world.alice)
      const good = await call(by, nsid, asked)
      const bad = await world.call(nsid, { ...asked, auth: "DPoP garbage" })
      for (const answer of [good, bad]) {
        assert.match(answer.headers.get("dpop-nonce") ?? "", /^[\w-]{20,}$/, nsid)
        assert.include(answer.headers.get("cache-control") ?? "", "private", nsid)
        const varies = (answer.headers.get("vary") ?? "").split(/,\s*/)
        assert.strictEqual(varies.filter((by) => by === "Authorization").length, 1, nsid)
      }
    }
    const { headers } = await world.call(getSession, { auth: world.alice.auth })
    assert.isNull(headers.get("dpop-nonce"))
  })

  it("an app retries with the nonce that it got", async () => {
    const by = await app()
    const first = await call(by, getSession, {}, { claims: { nonce: undefined } })
    assert.strictEqual(first.status, 401)
    assert.strictEqual(first.body["error"], "use_dpop_nonce")
    assert.strictEqual(challenge(first), "use_dpop_nonce")
    const nonce = first.headers.get("dpop-nonce")
    assert.strictEqual(ok(await call(by, getSession, {}, { claims: { nonce } }))["did"], by.did)
  })

  it("an app may use a nonce for a minute but not for three", async () => {
    const by = await app()
    const { headers } = await call(by, getSession)
    const nonce = headers.get("dpop-nonce")
    world.advance(60_000)
    ok(await call(by, getSession, {}, { claims: { nonce } }))
    world.advance(120_000)
    const late = await call(by, getSession, {}, { claims: { nonce } })
    assert.strictEqual(outcomeOf(late), "401 use_dpop_nonce")
  })

  it("an app gets invalid_token only when its token has expired or its session has ended", async () => {
    const by = await app()
    ok(await call(by, getSession))
    const end = Effect.flatMap(OAuthSessions, (sessions) => sessions.end(by.session))
    await world.inside(by.did, end)
    const revoked = await call(by, getSession)
    assert.strictEqual(revoked.status, 401)
    assert.strictEqual(challenge(revoked), "invalid_token")
    const other = await app()
    world.advance(900_000)
    assert.strictEqual(challenge(await call(other, getSession)), "invalid_token")
  })

  it("a proof for another call, token or time is rejected", async () => {
    const by = await app()
    const other = await app()
    const wrong = {
      htm: "POST",
      htu: "http://localhost:8787/xrpc/com.atproto.server.deleteSession",
      ath: undefined,
      jti: undefined,
      iat: Math.floor(world.now() / 1000) - 3600
    }
    for (const [name, value] of Object.entries(wrong)) {
      const answer = await call(by, getSession, {}, { claims: { [name]: value } })
      assert.strictEqual(outcomeOf(answer), "401 invalid_dpop_proof", name)
      assert.strictEqual(challenge(answer), "invalid_dpop_proof", name)
    }
    const dpop = await proofOf(world, other, getSession, {})
    const answer = await world.call(getSession, {
      auth: `DPoP ${by.accessToken}`,
      headers: { dpop }
    })
    assert.strictEqual(outcomeOf(answer), "401 invalid_dpop_proof")
  })

  it("a proof works for one call, even concurrently", async () => {
    const by = await app()
    const asked = await withApp(world, by, getSession)
    const outcomes = (await Promise.all([0, 1, 2].map(() => world.call(getSession, asked)))).map(
      outcomeOf
    )
    assert.deepStrictEqual(outcomes.toSorted(), [
      "401 invalid_dpop_proof",
      "401 invalid_dpop_proof",
      "ok"
    ])
  })

  it("an app must use a nonce of the account's object if an earlier life may have used its proof", async () => {
    const upload = "com.atproto.repo.uploadBlob"
    const body = { body: png("proof") as Uint8Array<ArrayBuffer> }
    for (const [nsid, asked] of [
      [getSession, {}],
      [upload, body]
    ] as const) {
      const by = await app()
      // As if the object had just used a proof and was recreated.
      const earlier = Effect.map(SqlStorage, (sql) =>
        sql.exec("INSERT INTO oauth_proof VALUES (?, ?)", by.session, world.now() + 5000).toArray()
      )
      await world.inside(world.alice.did, earlier)
      const refused = await call(by, nsid, asked)
      assert.strictEqual(outcomeOf(refused), "401 use_dpop_nonce")
      assert.strictEqual(challenge(refused), "use_dpop_nonce")
      const nonce = refused.headers.get("dpop-nonce")
      const again = await withApp(world, by, nsid, asked, { claims: { nonce } })
      assert.strictEqual(outcomeOf(await world.call(nsid, again)), "ok")
      assert.strictEqual(outcomeOf(await world.call(nsid, again)), "401 invalid_dpop_proof")
    }
  })

  it("a proof names the public origin and ignores the call's query", async () => {
    const by = await app()
    const nsid = "com.atproto.repo.listMissingBlobs"
    ok(await call(by, nsid, { params: { limit: 5, cursor: "a?b#c" } }))
    assert.strictEqual((await call(by, nsid, { method: "HEAD" })).status, 200)
  })

  it("an app gets no access to another account or repo", async () => {
    const by = await app()
    const elsewhere = { ...by, did: world.bob.did }
    assert.strictEqual(ok(await call(elsewhere, getSession))["did"], world.alice.did)
    const answer = await call(by, createRecord, record("app.bsky.feed.post", world.bob))
    assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired")
  })

  it("a password session isn't accepted as an OAuth token, nor the reverse", async () => {
    const by = await app()
    const token = world.alice.auth.replace("Bearer ", "")
    const asked = await withApp(world, { ...by, accessToken: token }, getSession)
    assert.strictEqual(outcomeOf(await world.call(getSession, asked)), "401 invalid_token")
    const bearer = { ...(await withApp(world, by, getSession)), auth: `Bearer ${by.accessToken}` }
    assert.strictEqual(outcomeOf(await world.call(getSession, bearer)), "400 InvalidToken")
  })

  it("an app writes only what it may, and gets the missing scope", async () => {
    const by = await app("atproto repo:app.bsky.feed.post?action=create")
    ok(await call(by, createRecord, record("app.bsky.feed.post")))
    const like = await call(by, createRecord, record("app.bsky.feed.like"))
    assert.strictEqual(outcomeOf(like), "403 ScopeMissingError")
    assert.strictEqual(
      like.body["message"],
      'Missing required scope "repo:app.bsky.feed.like?action=create"'
    )
    assert.strictEqual(
      like.headers.get("www-authenticate"),
      'DPoP error="insufficient_scope", error_description="The token lacks a scope", scope="repo:app.bsky.feed.like?action=create"'
    )
    const gone = { repo: world.alice.did, collection: "app.bsky.feed.post", rkey: "a" }
    const deleted = await call(by, "com.atproto.repo.deleteRecord", { input: gone })
    assert.strictEqual(outcomeOf(deleted), "403 ScopeMissingError")
  })

  it("a batch with one forbidden write writes nothing", async () => {
    const by = await app("atproto repo:app.bsky.feed.post")
    const write = (collection: string) => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection,
      value: { ...post("in a batch"), $type: collection }
    })
    const writes = [write("app.bsky.feed.post"), write("app.bsky.feed.like")]
    const input = { repo: world.alice.did, writes, validate: false }
    const latest = async () =>
      ok(await world.call("com.atproto.sync.getLatestCommit", { params: { did: world.alice.did } }))
    const before = await latest()
    const answer = await call(by, "com.atproto.repo.applyWrites", { input })
    assert.strictEqual(outcomeOf(answer), "403 ScopeMissingError")
    assert.deepStrictEqual(await latest(), before)
  })

  it("an app uploads only blob types that it may", async () => {
    const by = await app("atproto blob:image/png")
    const upload = (type: string) =>
      call(by, "com.atproto.repo.uploadBlob", {
        body: png(`by an app: ${type}`) as Uint8Array<ArrayBuffer>,
        headers: { "content-type": type }
      })
    assert.strictEqual(ok(await upload("image/png"))["blob"]["mimeType"], "image/png")
    const video = await upload("video/mp4")
    assert.strictEqual(outcomeOf(video), "403 ScopeMissingError")
    assert.match(video.body["message"], /^Missing required scope "blob:video\/mp4"$/)
    assert.isNotNull(video.headers.get("dpop-nonce"))
  })

  it("an app gets service auth for what it may call, and never for the owner's methods", async () => {
    const aud = "did:web:elsewhere.com#service"
    const ask = (by: LetIn, lxm?: string) =>
      call(by, getServiceAuth, { params: { aud, ...(lxm === undefined ? {} : { lxm }) } })
    const by = await app("atproto rpc:com.example.read?aud=*")
    ok(await ask(by, "com.example.read"))
    assert.strictEqual(outcomeOf(await ask(by, "com.example.write")), "403 ScopeMissingError")
    assert.strictEqual(outcomeOf(await ask(by)), "403 ScopeMissingError")
    const all = await app("atproto rpc:*?aud=did:web:elsewhere.com%23service")
    ok(await ask(all, "com.example.write"))
    ok(await ask(all, "chat.bsky.convo.getLog"))
    const kept = await ask(all, "com.atproto.server.createAppPassword")
    assert.strictEqual(outcomeOf(kept), "400 InvalidRequest")
    const posts = await app()
    assert.strictEqual(
      outcomeOf(await ask(posts, "chat.bsky.convo.getLog")),
      "403 ScopeMissingError"
    )
    const chats = await app(`${generic} transition:chat.bsky`)
    ok(await ask(chats, "chat.bsky.convo.getLog"))
    assert.strictEqual(
      outcomeOf(await ask(await app("atproto"), "com.atproto.repo.uploadBlob")),
      "403 ScopeMissingError"
    )
  })

  it("an app neither reads nor writes personal details in the preferences", async () => {
    const details = {
      $type: "app.bsky.actor.defs#personalDetailsPref",
      birthDate: "1990-01-01T00:00:00.000Z"
    }
    const put = "app.bsky.actor.putPreferences"
    const input = { preferences: [details] }
    ok(await world.call(put, { auth: world.alice.auth, input }))
    const by = await app()
    const shown = ok(await call(by, "app.bsky.actor.getPreferences"))["preferences"]
    assert.notInclude(JSON.stringify(shown), "1990-01-01")
    assert.strictEqual(outcomeOf(await call(by, put, { input })), "400 InvalidRequest")
    ok(await call(by, put, { input: { preferences: [] } }))
    const { preferences } = ok(
      await world.call("app.bsky.actor.getPreferences", { auth: world.alice.auth })
    )
    assert.include(JSON.stringify(preferences), "1990-01-01")
  })

  it("an app sees the email address only with permission", async () => {
    const shown = async (granted: string) => ok(await call(await app(granted), getSession))
    assert.notInclude(JSON.stringify(await shown("atproto")), world.alice.email)
    for (const granted of ["atproto account:email", "atproto transition:email"]) {
      assert.strictEqual((await shown(granted))["email"], world.alice.email)
    }
  })

  it("an app reads its owner's repo while the account is deactivated, after a proof with a new nonce", async () => {
    const by = await letIn(world, world.dora.did, "atproto")
    const nsid = "com.atproto.repo.listRecords"
    const asked = { params: { repo: by.did, collection: "app.bsky.feed.post" } }
    assert.lengthOf(ok(await call(by, nsid, asked))["records"], 1)
    const late = await call(by, nsid, asked, { claims: { nonce: "old" } })
    assert.strictEqual(challenge(late), "use_dpop_nonce")
    const blob = { params: { did: by.did, cid: world.dora.avatar } }
    const late2 = await call(by, "com.atproto.sync.getBlob", blob, { claims: { nonce: "old" } })
    assert.strictEqual(challenge(late2), "use_dpop_nonce")
    assert.isNotNull(late2.headers.get("dpop-nonce"))
    assert.strictEqual((await call(by, "com.atproto.sync.getBlob", blob)).status, 200)
  })
})
