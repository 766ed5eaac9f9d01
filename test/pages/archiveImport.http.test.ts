import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ask, enter, ours } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { basic, bearer, type Host, origin } from "../support/http/httpHost.ts"
import { ok, upload } from "../support/http/httpWorld.ts"
import { type MoveInWorld, newPassword, startMoveIn } from "./moveIn/moveInWorld.ts"

let world: MoveInWorld
let host: Host

beforeAll(async () => {
  world = await startMoveIn()
  host = world.host
})
afterAll(() => world?.close())

type Mover = Awaited<ReturnType<MoveInWorld["mover"]>>

/** An account that waits for the data of an account of the old server. */
const waiting = async () => {
  const who = await world.mover()
  const lxm = "com.atproto.server.createAccount"
  const params = { aud: "did:web:localhost%3A8787", lxm }
  const { token } = ok(
    await world.old.call("com.atproto.server.getServiceAuth", { auth: who.auth, params })
  )
  const input = {
    did: who.did,
    handle: `${who.name}.test`,
    email: who.email,
    password: newPassword,
    inviteCode: await world.invite()
  }
  const made = ok(await host.call(lxm, { auth: bearer(token), input }))
  return { ...who, here: bearer(made["accessJwt"]) }
}

/** A browser in which the account is signed in, and the ticket of its import page. */
const opened = async ({ name }: Pick<Mover, "name">) => {
  const browser = new Browser(host)
  await enter(browser, { handle: `${name}.test`, password: newPassword })
  const page = await browser.get("/account/import", ours)
  return { browser, page, ticket: /data-ticket="([^"]+)"/.exec(page.text)?.[1] ?? "" }
}

interface Sent {
  readonly ticket?: string
  readonly body?: Uint8Array | string
  /** Runs before the body's last bytes. */
  readonly meanwhile?: () => Promise<unknown>
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
}

/** A body that ends only after `meanwhile`, which begins once somebody reads it. */
const slowly = (body: Uint8Array | string, meanwhile: () => Promise<unknown>) => {
  const bytes = Buffer.from(body)
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const writer = writable.getWriter()
  const send = async () => {
    await writer.write(bytes.subarray(0, 10))
    await meanwhile()
    await writer.write(bytes.subarray(10))
    await writer.close()
  }
  void send()
  return readable
}

/** Requests what the page's script requests. */
const call = async (browser: Browser, path: string, sent: Sent = {}) => {
  const { ticket, body, headers, meanwhile, method = "POST" } = sent
  const slow = meanwhile && slowly(body ?? "", meanwhile)
  const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
  const response = await host.handler(
    new Request(`${origin}/account/import/${path}`, {
      method,
      headers: {
        cookie,
        origin,
        "sec-fetch-site": "same-origin",
        "sec-fetch-mode": "cors",
        "sec-fetch-dest": "empty",
        "content-type": "application/octet-stream",
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        ...(ticket === undefined ? {} : { "x-nacre-ticket": ticket }),
        ...headers
      },
      ...(body === undefined ? {} : { body: slow ?? (body as BodyInit), duplex: "half" })
    } as RequestInit)
  )
  const text = await response.text()
  const isJson = response.headers.get("content-type")?.includes("json") === true
  return { status: response.status, json: isJson ? JSON.parse(text) : {}, text }
}

const later = (millis: number) => {
  for (const one of [host, world.old]) one.advance(millis)
}

const carOf = async (on: Host, did: string) =>
  (await on.call("com.atproto.sync.getRepo", { params: { did } })).bytes

const blobOf = async (did: string, cid: string) =>
  world.old.call("com.atproto.sync.getBlob", { params: { did, cid } })

const statusOf = async (auth: string) =>
  ok(await host.call("com.atproto.server.checkAccountStatus", { auth }))

const json = { "content-type": "application/json" }

describe("importing an archive on the account’s page", () => {
  it("a waiting account gets records, blobs with their types and preferences, and only what is missing", async () => {
    const who = await waiting()
    const { browser, ticket } = await opened(who)
    const car = await carOf(world.old, who.did)
    const head = car.slice(0, 4096)
    const before = await call(browser, "state", { ticket, body: head })
    assert.deepInclude(before.json, { records: 0, isHere: false })
    const imported = await call(browser, "records", { ticket, body: car })
    assert.deepStrictEqual([imported.status, imported.json], [200, { odd: 0 }])
    const after = await call(browser, "state", { ticket, body: head })
    assert.deepInclude(after.json, { records: 3, isHere: true, expectedBlobs: 3, importedBlobs: 0 })
    const { json: listed } = await call(browser, "missing", { ticket })
    assert.strictEqual(listed.cids.length, 3)
    for (const cid of listed.cids) {
      const blob = await blobOf(who.did, cid)
      const sent = await call(browser, `blob?cid=${cid}`, { ticket, body: blob.bytes })
      assert.strictEqual(sent.status, 200, sent.text)
      const kept = await host.call("com.atproto.sync.getBlob", {
        params: { did: who.did, cid },
        auth: who.here
      })
      assert.deepStrictEqual(kept.bytes, blob.bytes)
      assert.strictEqual(kept.headers.get("content-type"), blob.headers.get("content-type"))
    }
    assert.deepStrictEqual((await call(browser, "missing", { ticket })).json.cids, [])
    const get = "app.bsky.actor.getPreferences"
    const preferences = ok(await world.old.call(get, { auth: who.auth }))
    const put = await call(browser, "preferences", {
      ticket,
      body: JSON.stringify(preferences),
      headers: json
    })
    assert.strictEqual(put.status, 200, put.text)
    assert.deepStrictEqual(ok(await host.call(get, { auth: who.here })), preferences)
    assert.deepInclude(await statusOf(who.here), { importedBlobs: 3, activated: false })
    const { text } = await browser.get("/account/activity", ours)
    assert.include(text, "Archive imported")
  })

  it("an import needs the page’s ticket, on its device, from our own page, while the account is signed in", async () => {
    const who = await waiting()
    const other = await waiting()
    const { browser, page, ticket } = await opened(who)
    const foreign = await opened(other)
    const csrf = page.form("/sign-out").fields["csrf"] ?? ""
    const car = await carOf(world.old, who.did)
    const refused: ReadonlyArray<readonly [string, Browser, Sent]> = [
      ["no ticket", browser, {}],
      ["another ticket", browser, { ticket: foreign.ticket }],
      ["a form's token", browser, { ticket: csrf }],
      ["a changed ticket", browser, { ticket: `${ticket}x` }],
      ["another device", foreign.browser, { ticket }],
      ["a stranger", new Browser(host), { ticket }],
      ["a session", new Browser(host), { ticket, headers: { authorization: who.here } }],
      ["another site", browser, { ticket, headers: { "sec-fetch-site": "cross-site" } }],
      ["a sibling", browser, { ticket, headers: { "sec-fetch-site": "same-site" } }],
      ["another origin", browser, { ticket, headers: { origin: "https://evil.example" } }],
      ["no origin", browser, { ticket, headers: { origin: "null" } }]
    ]
    const paths = ["state", "records", "missing", "blob?cid=x", "preferences"]
    for (const [name, from, sent] of refused) {
      for (const path of paths) {
        const { status } = await call(from, path, { ...sent, body: car })
        assert.strictEqual(status, 403, `${name} at ${path}`)
      }
    }
    for (const path of paths) {
      const { status } = await call(browser, path, { ticket, method: "GET" })
      assert.strictEqual(status, 404, path)
    }
    assert.strictEqual((await call(browser, "constructor", { ticket, body: car })).status, 404)
    for (const { here } of [who, other]) {
      assert.deepInclude(await statusOf(here), { indexedRecords: 0 })
    }
    await browser.submit(page.form("/sign-out"))
    assert.strictEqual((await call(browser, "records", { ticket, body: car })).status, 403)
    const late = await opened(who)
    later(12 * 3_600_000)
    assert.strictEqual((await call(late.browser, "state", { ticket: late.ticket })).status, 403)
  })

  it("an import changes nothing once its device is signed out, although it began before", async () => {
    const who = await waiting()
    const car = await carOf(world.old, who.did)
    const preferences = JSON.stringify({ preferences: [] })
    for (const [path, body, headers] of [
      ["records", car, {}],
      ["preferences", preferences, json]
    ] as const) {
      const { browser, page, ticket } = await opened(who)
      const meanwhile = () => browser.submit(page.form("/sign-out"))
      const { status } = await call(browser, path, { ticket, body, headers, meanwhile })
      assert.strictEqual(status, 403, path)
    }
    assert.deepInclude(await statusOf(who.here), { indexedRecords: 0 })
  })

  it("the import page needs a recent proof, and it alone may connect to the server", async () => {
    const who = await waiting()
    const { browser, page } = await opened(who)
    assert.include(page.headers.get("content-security-policy"), "connect-src 'self';")
    const settings = await browser.get("/account/settings", ours)
    assert.include(settings.text, "/account/import")
    assert.notInclude(settings.headers.get("content-security-policy"), "connect-src")
    later(15 * 60_000 + 1)
    const late = await browser.get("/account/import", ours)
    assert.match(late.location ?? "", /^\/account\/confirm/)
  })

  it("an active account, or one that waits for its deletion, accepts no archive", async () => {
    const name = `owner${world.called.length}`
    const made = ok(
      await host.call("com.atproto.server.createAccount", {
        auth: basic(),
        input: { handle: `${name}.test`, email: `${name}@mail.example.com`, password: newPassword }
      })
    )
    const did = made["did"] as string
    const active = await opened({ name })
    assert.strictEqual(active.ticket, "")
    assert.include(active.page.text, "Your account is active.")
    await ask(host, did, "deactivate", {})
    const { browser, ticket } = await opened({ name })
    const car = await carOf(host, did)
    assert.deepInclude((await call(browser, "state", { ticket })).json, { records: 0 })
    await ask(host, did, "reactivate")
    for (const path of ["state", "records", "missing", "blob?cid=x"]) {
      const { status, json } = await call(browser, path, { ticket, body: car })
      assert.deepInclude({ status, ...json }, { status: 400, ends: true }, path)
      assert.include(json.message, "isn’t deactivated any more", path)
    }
    const put = { ticket, body: JSON.stringify({ preferences: [] }), headers: json }
    assert.strictEqual((await call(browser, "preferences", put)).status, 400)
    await ask(host, did, "askDeletion")
    assert.strictEqual((await call(browser, "state", { ticket })).status, 400)
    assert.include((await opened({ name })).page.text, "waiting for its deletion")
  })

  it("the archive of another account, or a damaged one, changes nothing", async () => {
    const who = await waiting()
    const other = await world.mover()
    const { browser, ticket } = await opened(who)
    const foreign = await carOf(world.old, other.did)
    const own = await carOf(world.old, who.did)
    const changed = own.slice()
    changed[changed.length - 1]! ^= 1
    const state = await call(browser, "state", { ticket, body: foreign.slice(0, 4096) })
    assert.strictEqual(state.status, 400)
    assert.include(state.json.message, "another account")
    for (const [name, body] of Object.entries({
      foreign,
      changed,
      cut: own.slice(0, -1),
      beginning: own.slice(0, 100),
      none: new TextEncoder().encode("<html>no CAR</html>"),
      empty: new Uint8Array()
    })) {
      const { status, json } = await call(browser, "records", { ticket, body })
      assert.strictEqual(status, 400, name)
      assert.isString(json.message, name)
      assert.deepInclude(await statusOf(who.here), { indexedRecords: 0 }, name)
    }
    const tooMuch = await call(browser, "state", { ticket, body: new Uint8Array(4097) })
    assert.strictEqual(tooMuch.status, 413)
    const odd = await call(browser, "state", { ticket, body: "no CAR" })
    assert.deepInclude(odd.json, { records: 0, isHere: false })
  })

  it("records that are here are replaced only if the owner says so", async () => {
    const who = await waiting()
    const { browser, ticket } = await opened(who)
    const first = await carOf(world.old, who.did)
    await call(browser, "records", { ticket, body: first })
    const record = { $type: "app.bsky.feed.post", text: "later", createdAt: "2026-01-02T00:00:00Z" }
    const input = { repo: who.did, collection: "app.bsky.feed.post", record }
    ok(await world.old.call("com.atproto.repo.createRecord", { auth: who.auth, input }))
    const second = await carOf(world.old, who.did)
    const state = await call(browser, "state", { ticket, body: second.slice(0, 4096) })
    assert.deepInclude(state.json, { records: 3, isHere: false })
    assert.strictEqual((await call(browser, "records", { ticket, body: second })).status, 400)
    assert.deepInclude(await statusOf(who.here), { indexedRecords: 3 })
    const replaced = await call(browser, "records?replace=yes", { ticket, body: second })
    assert.strictEqual(replaced.status, 200)
    assert.deepInclude(await statusOf(who.here), { indexedRecords: 4 })
  })

  it("a blob that no record waits for, with other bytes or without any, isn’t stored", async () => {
    const who = await waiting()
    const { browser, ticket } = await opened(who)
    await call(browser, "records", { ticket, body: await carOf(world.old, who.did) })
    const { json: listed } = await call(browser, "missing", { ticket })
    const [cid = ""] = listed.cids
    const stray = (await upload(world.old, who.auth, new TextEncoder().encode("stray"))) as {
      readonly ref: { readonly $link: string }
    }
    for (const [name, path, body] of [
      ["stray", `blob?cid=${stray.ref.$link}`, "stray"],
      ["nameless", "blob", "stray"],
      ["other bytes", `blob?cid=${cid}`, "<script>alert(1)</script>"],
      ["no bytes", `blob?cid=${cid}`, ""]
    ] as const) {
      const { status, json } = await call(browser, path, { ticket, body })
      assert.strictEqual(status, 400, name)
      assert.deepInclude(json, { ends: false }, name)
    }
    assert.deepStrictEqual((await call(browser, "missing", { ticket })).json, listed)
    assert.deepStrictEqual((await ask(host, who.did, "ownBlobs", { limit: 10 })).items, [])
  })

  it("a blob of HTML or SVG arrives as what its record calls it, and is served without running", async () => {
    const who = await waiting()
    const page = new TextEncoder().encode("<html><script>alert(1)</script></html>")
    const svg = new TextEncoder().encode(
      `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`
    )
    for (const [at, bytes] of [page, svg].entries()) {
      const file = await world.old.call("com.atproto.repo.uploadBlob", {
        body: bytes as Uint8Array<ArrayBuffer>,
        auth: who.auth,
        headers: { "content-type": at === 0 ? "text/html" : "image/svg+xml" }
      })
      const record = { $type: "com.example.file", file: ok(file)["blob"] }
      const input = { repo: who.did, collection: "com.example.file", record, validate: false }
      ok(await world.old.call("com.atproto.repo.createRecord", { auth: who.auth, input }))
    }
    const { browser, ticket } = await opened(who)
    await call(browser, "records", { ticket, body: await carOf(world.old, who.did) })
    const { json: listed } = await call(browser, "missing", { ticket })
    const types: Array<string | null> = []
    for (const cid of listed.cids) {
      const body = (await blobOf(who.did, cid)).bytes
      assert.strictEqual((await call(browser, `blob?cid=${cid}`, { ticket, body })).status, 200)
      const { headers } = await host.call("com.atproto.sync.getBlob", {
        params: { did: who.did, cid },
        auth: who.here
      })
      types.push(headers.get("content-type"))
      assert.include(headers.get("content-security-policy"), "sandbox")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
    }
    assert.includeMembers(types, ["text/html", "image/svg+xml"])
  })

  it("preferences of another namespace, or no preferences at all, change nothing", async () => {
    const who = await waiting()
    const { browser, ticket } = await opened(who)
    const get = "app.bsky.actor.getPreferences"
    const before = ok(await host.call(get, { auth: who.here }))
    for (const body of [
      JSON.stringify({ preferences: [{ $type: "com.example.evil", on: true }] }),
      JSON.stringify({ preferences: "none" }),
      JSON.stringify([]),
      "no JSON",
      ""
    ]) {
      const { status, json: said } = await call(browser, "preferences", {
        ticket,
        body,
        headers: json
      })
      assert.strictEqual(status, 400, body)
      assert.isString(said.message)
    }
    assert.deepStrictEqual(ok(await host.call(get, { auth: who.here })), before)
  })
})
