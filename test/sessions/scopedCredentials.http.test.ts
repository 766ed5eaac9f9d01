import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { credentialScopes } from "../../src/core/oauth/credentialScope.ts"
import { readOnlyScope, readScopeValue } from "../../src/core/oauth/scopes.ts"
import type { SessionLevel } from "../../src/services/sessions/Authority.ts"
import { AppPasswords } from "../../src/services/sessions/AppPasswords.ts"
import { Config } from "../../src/services/host/Config.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { ask, browserOf, ours } from "../support/http/accountPages.ts"
import { unescape } from "../support/http/httpBrowser.ts"
import { basic, bearer, type Host, origin, startHost } from "../support/http/httpHost.ts"
import { ownToken, scopedSession } from "../support/http/httpScoped.ts"
import { ok, outcomeOf, type Person, png, post, signUp } from "../support/http/httpWorld.ts"
import { refusal } from "../factors/factorWorld.ts"

let host: Host
let anna: Person
let count = 0

beforeAll(async () => {
  host = await startHost()
  anna = await signUp(host, "annaa")
})
afterAll(() => host.close())

const aud = "did:web:api.bsky.app#bsky_appview"

/** A session of a new app password. */
const withScope = async (scope: string): Promise<string> => {
  const name = `app ${(count += 1)}`
  return bearer((await scopedSession(host, anna.did, { name, scope })).accessJwt)
}

const create = (auth: string, collection = "app.bsky.feed.post", record = post()) =>
  host.call("com.atproto.repo.createRecord", {
    auth,
    input: { repo: anna.did, collection, record, validate: false }
  })

/** Asks the account's object for a call of another service. */
const proxied = (auth: string, lxm: string, method: string) => {
  const input = {
    authorization: auth,
    method,
    url: `${origin}/xrpc/${lxm}`,
    lxm,
    aud,
    tokenAud: "did:web:api.bsky.app"
  }
  return ask(host, anna.did, "authorizeProxy", input).then(
    () => "ok",
    () => refusal(host, anna.did, "authorizeProxy", input).then(({ error }) => error)
  )
}

describe("a read-only credential", () => {
  const kinds = {
    "app password": () => withScope(credentialScopes.read),
    "access token": async () =>
      bearer(
        await ownToken(host, anna.did, { name: `t${(count += 1)}`, scope: credentialScopes.read })
      )
  }
  for (const [kind, make] of Object.entries(kinds)) {
    it(`a read-only ${kind} reads through other services, but calls no procedure, no chat, and gets no token`, async () => {
      const auth = await make()
      assert.strictEqual(await proxied(auth, "app.bsky.feed.getTimeline", "GET"), "ok")
      assert.strictEqual(
        await proxied(auth, "app.bsky.graph.muteActor", "POST"),
        "ScopeMissingError"
      )
      assert.strictEqual(
        await proxied(auth, "chat.bsky.convo.listConvos", "GET"),
        "ScopeMissingError"
      )
      const params = { aud: "did:web:api.bsky.app", lxm: "app.bsky.feed.getTimeline" }
      const token = await host.call("com.atproto.server.getServiceAuth", { auth, params })
      assert.strictEqual(outcomeOf(token), "403 ScopeMissingError")
      assert.match(
        token.headers.get("www-authenticate") ?? "",
        /^Bearer error="insufficient_scope"/
      )
      const session = ok(await host.call("com.atproto.server.getSession", { auth }))
      assert.strictEqual(session["did"], anna.did)
      assert.notProperty(session, "email")
    })
  }

  it("no app can request the read-only value", () => {
    assert.isUndefined(readScopeValue(readOnlyScope))
  })
})

describe("an app password with chosen permissions", () => {
  it("an app password with a scope writes what it may, and nothing else", async () => {
    const auth = await withScope("atproto repo:app.bsky.feed.post?action=create blob:image/*")
    ok(await create(auth))
    const like = { $type: "app.bsky.feed.like", subject: { uri: "at://x", cid: "x" } }
    const liked = await create(auth, "app.bsky.feed.like", like)
    assert.strictEqual(outcomeOf(liked), "403 ScopeMissingError")
    const upload = (type: string) =>
      host.call("com.atproto.repo.uploadBlob", {
        auth,
        body: png("p") as Uint8Array<ArrayBuffer>,
        headers: { "content-type": type }
      })
    ok(await upload("image/png"))
    assert.strictEqual(outcomeOf(await upload("video/mp4")), "403 ScopeMissingError")
    assert.strictEqual(await proxied(auth, "app.bsky.feed.getTimeline", "GET"), "ScopeMissingError")
  })

  it("the account page makes one; the official client posts with it, and its last use is shown", async () => {
    const ben = await signUp(host, "benni")
    const browser = await browserOf(host, ben)
    const form = (await browser.get("/account/app-password", ours)).form("/app-password")
    const filled = { name: "Poster", access: "chosen", "may-posts": "on" }
    const wrong = await browser.submit(form, { ...filled, more: "identity:*" })
    assert.strictEqual(wrong.status, 400)
    assert.include(unescape(wrong.text), "“identity:*” isn’t a permission")
    const created = await browser.submit(wrong.form("/app-password"), { more: "" })
    assert.strictEqual(created.status, 200)
    const [, password] = /<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})<\/code>/.exec(created.text) ?? []
    const list = async () => unescape((await browser.get("/account/apps", ours)).text)
    assert.include(await list(), "Not used yet.")
    const fetch = (input: RequestInfo | URL, init?: RequestInit) =>
      host.handler(new Request(input, init))
    const agent = new AtpAgent({ service: origin, fetch })
    await agent.login({ identifier: ben.handle, password: password! })
    await agent.post({ text: "hello" })
    const error = await agent.like(`at://${ben.did}/app.bsky.feed.post/x`, ben.post).catch(String)
    assert.include(String(error), "Missing required scope")
    assert.include(await list(), "Last used just now.")
    assert.include(await list(), "Create, edit and delete posts")
    host.advance(5 * 86_400_000)
    const browserLater = await browserOf(host, ben)
    const later = async () => unescape((await browserLater.get("/account/apps", ours)).text)
    assert.include(await later(), "Last used 5 days ago.")
    await agent.sessionManager.refreshSession()
    assert.include(await later(), "Last used just now.")
    host.advance(-5 * 86_400_000)
    const { passwords } = ok(
      await host.call("com.atproto.server.listAppPasswords", { auth: ben.auth })
    )
    assert.deepStrictEqual(Object.keys(passwords[0]).toSorted(), [
      "createdAt",
      "name",
      "privileged"
    ])
    ok(
      await host.call("com.atproto.server.revokeAppPassword", {
        auth: ben.auth,
        input: { name: "Poster" }
      })
    )
    const again = await agent.post({ text: "again" }).catch(String)
    assert.include(String(again), "revoked")
  })

  it("no scope reaches a method that takes the main password", async () => {
    const nsid = "com.example.greet"
    const { serviceDid } = await host.beneath(Config)
    const called = (scope: string, level: SessionLevel) =>
      withScope(scope).then((authorization) => {
        const url = `${origin}/xrpc/${nsid}`
        const call = {
          authorization,
          method: "GET",
          url,
          nsid,
          level,
          oauth: "permission"
        } as const
        return ask(host, anna.did, "authorizeMethod", call).then(
          () => "ok",
          () => refusal(host, anna.did, "authorizeMethod", call).then(({ error }) => error)
        )
      })
    const { standard, privileged } = credentialScopes
    const own = `atproto rpc:${nsid}?aud=${encodeURIComponent(`${serviceDid}#atproto_pds`)}`
    assert.strictEqual(await called(own, "standard"), "ok")
    assert.strictEqual(await called(standard, "standard"), "ok")
    for (const scope of [own, standard, privileged]) {
      assert.strictEqual(await called(scope, "full"), "Forbidden", scope)
    }
  })

  it("a form without a choice, and a permission over the account, are rejected", async () => {
    const browser = await browserOf(host, anna)
    const form = (await browser.get("/account/app-password", ours)).form("/app-password")
    const send = (fields: Record<string, string>) =>
      browser.submit(form, { name: "None", access: "chosen", ...fields })
    assert.strictEqual((await send({})).status, 400)
    for (const more of [
      "account:repo?action=manage",
      "account:email?action=manage",
      "identity:handle",
      "include:app.bsky.full",
      "transition:email",
      "nonsense"
    ]) {
      assert.strictEqual((await send({ more })).status, 400, more)
    }
    const { appPasswords } = await ask(host, anna.did, "security")
    assert.notInclude(
      appPasswords.map(({ name }) => name),
      "None"
    )
  })

  it("an earlier version of the server doesn't accept the password of a scoped app password", async () => {
    const { hash, plain } = await host.inside(
      anna.did,
      Effect.gen(function* () {
        const appPasswords = yield* AppPasswords
        const sql = yield* SqlStorage
        yield* appPasswords.create(anna.did, { name: "old", privileged: false, scope: "atproto" })
        yield* appPasswords.create(anna.did, { name: "usual", privileged: false })
        const of = (name: string) =>
          sql
            .exec<{ hash: string }>("SELECT hash FROM app_password WHERE name = ?", name)
            .toArray()[0]!.hash
        return { hash: of("old"), plain: of("usual") }
      })
    )
    assert.match(hash, /^scoped /)
    assert.notMatch(plain, / /)
  })
})

describe("an access token", () => {
  it("the account page creates an access token and shows it once; it works as a bearer until it is revoked", async () => {
    const cleo = await signUp(host, "cleoo")
    const browser = await browserOf(host, cleo)
    const page = await browser.get("/account/access-token", ours)
    const created = await browser.submit(page.form("/access-token"), {
      name: "Backup script",
      access: "standard",
      days: "30"
    })
    const [token = ""] = /nacre\.[\w-]+\.[\w-]{43}/.exec(created.text) ?? []
    const auth = bearer(token)
    ok(
      await host.call("com.atproto.repo.createRecord", {
        auth,
        input: { repo: cleo.did, collection: "app.bsky.feed.post", record: post() }
      })
    )
    const email = await host.call("com.atproto.server.requestEmailUpdate", { auth, method: "POST" })
    assert.strictEqual(outcomeOf(email), "403 Forbidden")
    const list = await browser.get("/account/apps", ours)
    assert.notInclude(list.text, token)
    assert.include(list.text, "Last used just now.")
    const stored = await host.inside(
      cleo.did,
      Effect.map(SqlStorage, (sql) => JSON.stringify(sql.exec("SELECT * FROM own_token").toArray()))
    )
    assert.notInclude(stored, token.split(".")[2]!)
    await browser.submit(list.form("/apps/revoke-token"))
    const after = await host.call("com.atproto.server.getSession", { auth })
    assert.strictEqual(outcomeOf(after), "400 InvalidToken")
  })

  it("an access token expires on its day, and a changed one or another account's is invalid", async () => {
    const name = `t${(count += 1)}`
    const token = await ownToken(host, anna.did, { name, scope: credentialScopes.standard }, 2)
    const ask = async (text: string) =>
      outcomeOf(await host.call("com.atproto.server.getSession", { auth: bearer(text) }))
    assert.strictEqual(await ask(token), "ok")
    const [start, , secret = ""] = token.split(".")
    const dan = await signUp(host, "danny")
    const sub = Buffer.from(JSON.stringify({ sub: dan.did })).toString("base64url")
    assert.strictEqual(await ask(`${start}.${sub}.${secret}`), "400 InvalidToken")
    const changed = `${secret.startsWith("A") ? "B" : "A"}${secret.slice(1)}`
    assert.strictEqual(await ask(token.replace(secret, changed)), "400 InvalidToken")
    host.advance(2 * 86_400_000)
    assert.strictEqual(await ask(token), "400 InvalidToken")
    const browser = await browserOf(host, anna)
    assert.match((await browser.get("/account/apps", ours)).text, /Expired on \d/)
    host.advance(-2 * 86_400_000)
  })

  it("wrong days and names are rejected under their field", async () => {
    const browser = await browserOf(host, anna)
    const form = (await browser.get("/account/access-token", ours)).form("/access-token")
    for (const [name, days] of [
      ["x", "0"],
      ["x", "367"],
      ["x", "1.5"],
      ["", "30"]
    ] as const) {
      const answer = await browser.submit(form, { name, days })
      assert.strictEqual(answer.status, 400)
    }
    const first = await browser.submit(form, { name: "same", days: "1" })
    assert.strictEqual(first.status, 200)
    const second = await browser.submit(form, { name: "same", days: "1" })
    assert.include(second.text, "already")
  })
})

describe("the command's paths for tokens", () => {
  it("the owner creates, lists and revokes, and the administrator lists and revokes", async () => {
    const eve = await signUp(host, "evelyn")
    const post = (path: string, auth: string, input: object) =>
      host.ask(`/manage/tokens${path}`, { auth, input })
    const made = ok(await post("/create", eve.auth, { name: "cli", days: 1 }))
    assert.strictEqual(made["scope"], credentialScopes.read)
    assert.strictEqual(
      outcomeOf(await host.call("com.atproto.server.getSession", { auth: bearer(made["token"]) })),
      "ok"
    )
    const bad = await post("/create", eve.auth, { name: "bad", scope: "identity:*" })
    assert.strictEqual(outcomeOf(bad), "400 InvalidRequest")
    const foreign = await post("/create", basic(), { account: eve.handle, name: "admin" })
    assert.strictEqual(outcomeOf(foreign), "403 Forbidden")
    const own = await post("/create", bearer(made["token"]), { name: "more" })
    assert.strictEqual(outcomeOf(own), "403 Forbidden")
    await ask(host, eve.did, "createAppPassword", { name: "phone", privileged: false })
    const listed = ok(await host.ask(`/manage/tokens?account=${eve.handle}`, { auth: basic() }))
    assert.deepStrictEqual(
      (listed["tokens"] as ReadonlyArray<{ kind: string; name: string }>).map(
        ({ kind, name }) => `${kind} ${name}`
      ),
      ["token cli", "app-password phone"]
    )
    ok(await post("/revoke", basic(), { account: eve.handle, name: "cli" }))
    ok(await post("/revoke", eve.auth, { name: "phone", kind: "app-password" }))
    assert.strictEqual(
      outcomeOf(await post("/revoke", eve.auth, { name: "cli" })),
      "400 InvalidRequest"
    )
    const { ownTokens, appPasswords } = await ask(host, eve.did, "security")
    assert.deepStrictEqual([ownTokens, appPasswords], [[], []])
  })
})
