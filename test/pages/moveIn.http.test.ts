import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { startPlc } from "../../scripts/plc.ts"
import { enter, ours } from "../support/http/accountPages.ts"
import { codeFor } from "../support/http/httpCodes.ts"
import { Browser, type Shown } from "../support/http/httpBrowser.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, upload } from "../support/http/httpWorld.ts"

const oldOrigin = "http://localhost:8790"

let plc: Awaited<ReturnType<typeof startPlc>>
let old: Host
let host: Host
/** Changes what the old server answers, by the method's name. */
const attacks = new Map<string, (request: Request) => Response | Promise<Response>>()
/** The methods that were called at the old server. */
const called: Array<string> = []
let count = 0

beforeAll(async () => {
  plc = await startPlc()
  const more = {
    PUBLIC_URL: oldOrigin,
    HANDLE_DOMAINS: "old.example.com",
    PLC_ROTATION_KEY: "43".repeat(32)
  }
  old = await startHost({ ...more, MAILER: "captured" }, { plc })
  host = await startHost({ INVITE_REQUIRED: "on", DEV_ALLOW_HOSTS: "localhost:8790" }, { plc })
  const before = globalThis.fetch
  globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const url = new URL(request?.url ?? String(input))
    if (url.origin !== oldOrigin) return before(input, init)
    const sent = request ?? new Request(url, { ...init, duplex: "half" } as object)
    const nsid = url.pathname.replace("/xrpc/", "")
    called.push(nsid)
    const attack = attacks.get(nsid)
    return attack === undefined ? old.handler(sent) : attack(sent)
  }
})
afterEach(() => {
  attacks.clear()
  called.length = 0
})
afterAll(async () => {
  await old.close()
  await host.close()
})

const password = "the old server's password"
const newPassword = "a new password here"

/** An account at the old server with posts and pictures. */
const mover = async () => {
  const name = `mover${(count += 1)}`
  const handle = `${name}.old.example.com`
  const email = `${name}@mail.example.com`
  const input = { handle, email, password }
  const made = ok(await old.call("com.atproto.server.createAccount", { input, auth: basic() }))
  const { did, accessJwt } = made as { did: string; accessJwt: string }
  const auth = bearer(accessJwt)
  host.network.dns.set(handle, did)
  for (let at = 0; at < 3; at++) {
    const image = await upload(old, auth, new TextEncoder().encode(`picture ${at} of ${name}`))
    const record = {
      $type: "app.bsky.feed.post",
      text: `post ${at}`,
      createdAt: "2026-01-01T00:00:00.000Z",
      embed: { $type: "app.bsky.embed.images", images: [{ image, alt: "" }] }
    }
    const post = { repo: did, collection: "app.bsky.feed.post", record }
    ok(await old.call("com.atproto.repo.createRecord", { auth, input: post }))
  }
  const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
  ok(await old.call("app.bsky.actor.putPreferences", { auth, input: { preferences } }))
  return { did, handle, email, auth, name }
}

type Mover = Awaited<ReturnType<typeof mover>>

const invite = async () =>
  ok(
    await host.call("com.atproto.server.createInviteCode", {
      auth: basic(),
      input: { useCount: 1 }
    })
  )["code"] as string

/** Fills in the form that begins a move. */
const beginBy = async (
  browser: Browser,
  who: Mover,
  filled: Readonly<Record<string, string>> = {}
) => {
  const page = await browser.get(`/account/move-in?invite=${await invite()}`)
  return browser.submit(page.form("/move-in"), {
    identifier: who.handle,
    old: password,
    handle: who.name,
    email: who.email,
    password: newPassword,
    ...filled
  })
}

/** Continues until the page has another form. */
const copied = async (browser: Browser, page: Shown): Promise<Shown> => {
  let shown = page
  for (let at = 0; at < 10 && shown.has("/moving/step"); at++) {
    shown = await browser.submit(shown.form("/moving/step"))
  }
  return shown
}

const statusOf = async (on: Host, did: string) =>
  (await on.call("com.atproto.sync.getRepoStatus", { params: { did } })).body["active"] as
    | boolean
    | undefined

const confirm = async (browser: Browser, who: Mover, page: Shown) => {
  const code = await codeFor(old, who.did, "plc_operation")
  return browser.submit(page.form("/moving/confirm"), { code })
}

describe("moving in by the account’s pages", () => {
  it("an account comes with records, pictures and preferences, and the old one is deactivated at the end", async () => {
    const who = await mover()
    const browser = new Browser(host)
    const page = await copied(browser, await beginBy(browser, who))
    assert.isTrue(await statusOf(old, who.did))
    const asked = await browser.submit(page.form("/moving/send-code"))
    assert.include(asked.text, "has sent you a code")
    const end = await confirm(browser, who, asked)
    assert.include(end.text, "Your account lives here now")
    assert.isTrue(await statusOf(host, who.did))
    assert.isFalse(await statusOf(old, who.did))
    const input = { identifier: `${who.name}.test`, password: newPassword }
    const session = ok(await host.call("com.atproto.server.createSession", { input }))
    const auth = bearer(session["accessJwt"])
    const status = ok(await host.call("com.atproto.server.checkAccountStatus", { auth }))
    assert.deepInclude(status, { importedBlobs: 3, expectedBlobs: 3, validDid: true })
    const { preferences } = ok(await host.call("app.bsky.actor.getPreferences", { auth }))
    assert.include(JSON.stringify(preferences), "adultContentPref")
    assert.include(called, "com.atproto.server.deleteSession")
    assert.include((await browser.get("/account/moving", ours)).text, "There is no move to finish")
  })

  it("a move continues in another browser, after the session at the old server is gone, and copies what is new", async () => {
    const who = await mover()
    const first = new Browser(host)
    const begun = await beginBy(first, who)
    await first.submit(begun.form("/moving/step"))
    const record = { $type: "app.bsky.feed.post", text: "late", createdAt: "2026-01-02T00:00:00Z" }
    const post = { repo: who.did, collection: "app.bsky.feed.post", record }
    ok(await old.call("com.atproto.repo.createRecord", { auth: who.auth, input: post }))
    attacks.set("com.atproto.identity.requestPlcOperationSignature", () =>
      Response.json({ error: "ExpiredToken", message: "expired" }, { status: 400 })
    )
    attacks.set("com.atproto.server.refreshSession", () =>
      Response.json({ error: "ExpiredToken", message: "expired" }, { status: 400 })
    )
    const browser = new Browser(host)
    const entered = await enter(browser, { handle: `${who.name}.test`, password: newPassword })
    assert.include((await browser.get("/account", ours)).text, "/account/moving", entered.text)
    let page = await copied(browser, await browser.get("/account/moving", ours))
    page = await browser.submit(page.form("/moving/send-code"))
    assert.include(page.text, "has expired")
    attacks.clear()
    page = await browser.submit(page.form("/moving/sign-in"), { old: password })
    page = await confirm(browser, who, page)
    assert.include(page.text, "has something new")
    page = await copied(browser, page)
    page = await confirm(browser, who, page)
    assert.include(page.text, "Your account lives here now")
    const list = { repo: who.did, collection: "app.bsky.feed.post" }
    const { records } = ok(await host.call("com.atproto.repo.listRecords", { params: list }))
    assert.strictEqual((records as ReadonlyArray<unknown>).length, 4)
  })

  it("a wrong password, a hostile old server or a bad invite creates nothing, and says what to do", async () => {
    const who = await mover()
    const browser = new Browser(host)
    const session = "com.atproto.server.createSession"
    const auth = "com.atproto.server.getServiceAuth"
    const huge = new Uint8Array(3 * 1024 * 1024).fill(97)
    const answers: ReadonlyArray<readonly [string, () => Response]> = [
      [session, () => new Response("<html>")],
      [
        session,
        () =>
          Response.json({
            did: "did:plc:another",
            handle: "x.test",
            accessJwt: "a",
            refreshJwt: "b"
          })
      ],
      [session, () => new Response(huge)],
      [session, () => Response.redirect("http://10.0.0.1/", 302)],
      [session, () => Response.json({ accessJwt: "a".repeat(100_000) })],
      [session, () => Response.json({ error: "AuthFactorTokenRequired" }, { status: 401 })],
      [auth, () => Response.json({ token: "no token at all" })],
      [auth, () => Response.json({ error: "InvalidRequest" }, { status: 400 })]
    ]
    for (const [nsid, answer] of answers) {
      attacks.clear()
      attacks.set(nsid, answer)
      const shown = await beginBy(browser, who)
      assert.include([400, 401], shown.status, nsid)
      assert.notInclude(shown.text, password)
      assert.isUndefined(await statusOf(host, who.did), nsid)
    }
    attacks.clear()
    for (const filled of [
      { old: "wrong" },
      { invite: "none" },
      { identifier: "nobody.example.com" }
    ]) {
      const shown = await beginBy(browser, who, filled)
      assert.strictEqual(shown.status, 400)
      assert.isUndefined(await statusOf(host, who.did))
    }
    assert.isTrue(await statusOf(old, who.did))
  })

  it("an old server that signs another operation than the one asked for, or sends another repo, moves nothing", async () => {
    const who = await mover()
    const other = await mover()
    const browser = new Browser(host)
    const begun = await beginBy(browser, who)
    attacks.set("com.atproto.sync.getRepo", (request) => {
      const url = new URL(request.url)
      url.searchParams.set("did", other.did)
      return old.handler(new Request(url, request))
    })
    const refused = await browser.submit(begun.form("/moving/step"))
    assert.include(refused.text, "couldn’t import")
    attacks.clear()
    const page = await copied(browser, await browser.get("/account/moving", ours))
    attacks.set("com.atproto.identity.signPlcOperation", async (request) => {
      const answer = await old.handler(request)
      const { operation } = (await answer.json()) as { operation: { rotationKeys: Array<string> } }
      operation.rotationKeys.unshift("did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg")
      return Response.json({ operation })
    })
    const end = await confirm(browser, who, page)
    assert.strictEqual(end.status, 400)
    assert.isTrue(await statusOf(old, who.did))
    assert.isFalse(await statusOf(host, who.did))
  })
})
