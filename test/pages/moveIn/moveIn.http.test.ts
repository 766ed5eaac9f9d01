import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { enter, ours } from "../../support/http/accountPages.ts"
import { codeFor } from "../../support/http/httpCodes.ts"
import { Browser, type Shown } from "../../support/http/httpBrowser.ts"
import { bearer } from "../../support/http/httpHost.ts"
import { ok } from "../../support/http/httpWorld.ts"
import {
  type Attack,
  copied,
  type MoveInWorld,
  newPassword,
  password,
  startMoveIn,
  statusOf
} from "./moveInWorld.ts"

let world: MoveInWorld

const sessionHere = async (name: string) => {
  const input = { identifier: `${name}.test`, password: newPassword }
  const session = ok(await world.host.call("com.atproto.server.createSession", { input }))
  return bearer(session["accessJwt"])
}

beforeAll(async () => {
  world = await startMoveIn()
})
afterEach(() => {
  world.attacks.clear()
  world.called.length = 0
})
afterAll(() => world?.close())

describe("moving in by the account’s pages", () => {
  it("/move-in redirects to the form, with the invite of its link", async () => {
    const browser = new Browser(world.host)
    const code = await world.invite()
    const invited = await browser.get(`/move-in?invite=${code}&to=https://example.com`)
    assert.deepStrictEqual(
      [invited.status, invited.location],
      [303, `/account/move-in?invite=${code}`]
    )
    assert.strictEqual((await browser.get("/move-in")).location, "/account/move-in")
    const { fields } = (await browser.get(invited.location ?? "")).form("/move-in")
    assert.strictEqual(fields["invite"], code)
  })

  it("an account comes with records, pictures and preferences, and the old one is deactivated at the end", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const page = await copied(browser, await world.beginBy(browser, who))
    assert.isTrue(await statusOf(world.old, who.did))
    const asked = await browser.submit(page.form("/moving/send-code"))
    assert.include(asked.text, "has sent you a code")
    const end = await world.confirm(browser, who, asked)
    assert.include(end.text, "Your account lives here now")
    assert.isTrue(await statusOf(world.host, who.did))
    assert.isFalse(await statusOf(world.old, who.did))
    const input = { identifier: `${who.name}.test`, password: newPassword }
    const session = ok(await world.host.call("com.atproto.server.createSession", { input }))
    const auth = bearer(session["accessJwt"])
    const status = ok(await world.host.call("com.atproto.server.checkAccountStatus", { auth }))
    assert.deepInclude(status, { importedBlobs: 3, expectedBlobs: 3, validDid: true })
    const { preferences } = ok(await world.host.call("app.bsky.actor.getPreferences", { auth }))
    assert.include(JSON.stringify(preferences), "adultContentPref")
    assert.include(world.called, "com.atproto.server.deleteSession")
    assert.include((await browser.get("/account/moving", ours)).text, "There is no move to finish")
  })

  it("an old server’s mailed factor is asked for, and its code begins the move", async () => {
    const who = await world.mover()
    const { old } = world
    const server = (name: string, input?: object) =>
      old.call(`com.atproto.server.${name}`, {
        auth: who.auth,
        ...(input === undefined ? { method: "POST" } : { input })
      })
    ok(await server("requestEmailConfirmation"))
    const token = await codeFor(old, who.did, "confirm_email")
    ok(await server("confirmEmail", { email: who.email, token }))
    ok(await server("updateEmail", { email: who.email, emailAuthFactor: true }))
    const browser = new Browser(world.host)
    const asked = await world.beginBy(browser, who)
    assert.strictEqual(asked.status, 400)
    assert.include(asked.text, "Your old server asks for a code")
    assert.isUndefined(await statusOf(world.host, who.did))
    const wrong = await world.beginBy(browser, who, { code: "AAAAA-AAAAA" })
    assert.strictEqual(wrong.status, 400)
    const code = await codeFor(old, who.did, "auth_factor")
    const begun = await world.beginBy(browser, who, { code })
    assert.include(begun.text, "Moving your account")
  })

  it("a move continues in another browser, after the session at the old server is gone, and copies what is new", async () => {
    const who = await world.mover()
    const first = new Browser(world.host)
    const begun = await world.beginBy(first, who)
    await first.submit(begun.form("/moving/step"))
    const record = { $type: "app.bsky.feed.post", text: "late", createdAt: "2026-01-02T00:00:00Z" }
    const post = { repo: who.did, collection: "app.bsky.feed.post", record }
    ok(await world.old.call("com.atproto.repo.createRecord", { auth: who.auth, input: post }))
    world.attacks.set("com.atproto.identity.requestPlcOperationSignature", () =>
      Response.json({ error: "ExpiredToken", message: "expired" }, { status: 400 })
    )
    world.attacks.set("com.atproto.server.refreshSession", () =>
      Response.json({ error: "ExpiredToken", message: "expired" }, { status: 400 })
    )
    const browser = new Browser(world.host)
    const entered = await enter(browser, { handle: `${who.name}.test`, password: newPassword })
    assert.include((await browser.get("/account", ours)).text, "/account/moving", entered.text)
    let page = await copied(browser, await browser.get("/account/moving", ours))
    page = await browser.submit(page.form("/moving/send-code"))
    assert.include(page.text, "has expired")
    world.attacks.clear()
    page = await browser.submit(page.form("/moving/sign-in"), { old: password })
    page = await world.confirm(browser, who, page)
    assert.include(page.text, "has something new")
    page = await copied(browser, page)
    page = await world.confirm(browser, who, page)
    assert.include(page.text, "Your account lives here now")
    const list = { repo: who.did, collection: "app.bsky.feed.post" }
    const { records } = ok(await world.host.call("com.atproto.repo.listRecords", { params: list }))
    assert.strictEqual((records as ReadonlyArray<unknown>).length, 4)
  })

  it("a wrong password, a hostile old server or a bad invite creates nothing, and says what to do", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
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
      world.attacks.clear()
      world.attacks.set(nsid, answer)
      const shown = await world.beginBy(browser, who)
      assert.include([400, 401], shown.status, nsid)
      assert.notInclude(shown.text, password)
      assert.isUndefined(await statusOf(world.host, who.did), nsid)
    }
    world.attacks.clear()
    for (const filled of [
      { old: "wrong" },
      { invite: "none" },
      { identifier: "nobody.example.com" }
    ]) {
      const shown = await world.beginBy(browser, who, filled)
      assert.strictEqual(shown.status, 400)
      assert.isUndefined(await statusOf(world.host, who.did))
    }
    assert.isTrue(await statusOf(world.old, who.did))
  })

  it("an old server that signs another operation than the one asked for, or sends another repo, moves nothing", async () => {
    const who = await world.mover()
    const other = await world.mover()
    const browser = new Browser(world.host)
    const begun = await world.beginBy(browser, who)
    world.attacks.set("com.atproto.sync.getRepo", (request) => {
      const url = new URL(request.url)
      url.searchParams.set("did", other.did)
      return world.old.handler(new Request(url, request))
    })
    const refused = await browser.submit(begun.form("/moving/step"))
    assert.include(refused.text, "couldn’t import")
    world.attacks.clear()
    const page = await copied(browser, await browser.get("/account/moving", ours))
    world.attacks.set("com.atproto.identity.signPlcOperation", async (request) => {
      const answer = await world.old.handler(request)
      const { operation } = (await answer.json()) as { operation: { rotationKeys: Array<string> } }
      operation.rotationKeys.unshift("did:key:zQ3shhCGUqDKjStzuDxPkTxN6ujddP4RkEKJJouJGRRkaLGbg")
      return Response.json({ operation })
    })
    const end = await world.confirm(browser, who, page)
    assert.strictEqual(end.status, 400)
    assert.isTrue(await statusOf(world.old, who.did))
    assert.isFalse(await statusOf(world.host, who.did))
  })

  it("a file that the old server doesn’t send is left out after three tries, named, and tried again on request", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const get = "com.atproto.sync.getBlob"
    let page = await world.beginBy(browser, who)
    page = await browser.submit(page.form("/moving/step"))
    const { blobs } = ok(
      await world.host.call("com.atproto.repo.listMissingBlobs", {
        auth: await sessionHere(who.name)
      })
    ) as { blobs: ReadonlyArray<{ readonly cid: string }> }
    const [stuck, lost] = blobs.map(({ cid }) => cid)
    const files: Attack = (request) => {
      const cid = new URL(request.url).searchParams.get("cid")
      if (cid === stuck) return new Response(null, { status: 504 })
      if (cid === lost) return Response.json({ error: "BlobNotFound" }, { status: 400 })
      return world.old.handler(request)
    }
    world.attacks.set(get, files)
    // While the server doesn't answer at all, no file is given up.
    world.attacks.set("com.atproto.sync.getLatestCommit", () => new Response(null, { status: 502 }))
    for (let at = 0; at < 4; at++) {
      page = await browser.submit(page.form("/moving/step"))
      assert.include(page.text, "We couldn’t reach localhost:8790")
    }
    world.attacks.delete("com.atproto.sync.getLatestCommit")
    for (let at = 0; at < 2; at++) {
      page = await browser.submit(page.form("/moving/step"))
      assert.include(page.text, "doesn’t send one of your pictures")
    }
    page = await copied(browser, page)
    assert.include(page.text, "2 pictures or videos couldn’t be copied")
    for (const cid of [stuck, lost]) assert.include(page.text, `<code>${cid}</code>`)
    assert.include(page.text, "Used in app.bsky.feed.post/")
    assert.isFalse(page.has("/moving/step"))
    world.attacks.clear()
    page = await browser.submit(page.form("/moving/retry"))
    assert.notInclude(page.text, "couldn’t be copied")
    assert.include(page.text, "3 of 3")
    assert.include((await world.confirm(browser, who, page)).text, "Your account lives here now")
  })

  it("an account whose files the old server has all lost moves without them", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    world.attacks.set("com.atproto.sync.getBlob", () => new Response(null, { status: 404 }))
    let page = await copied(browser, await world.beginBy(browser, who))
    assert.include(page.text, "3 pictures or videos couldn’t be copied")
    page = await world.confirm(browser, who, page)
    assert.include(page.text, "Your account lives here now")
  })

  it("an old server that never answers, or stops in the middle, ends a step with a clear message, and the move continues later", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const unreachable = "We couldn’t reach localhost:8790, or it took too long."
    const failed = ({ status, text }: Shown, says = unreachable) => {
      assert.strictEqual(status, 400)
      assert.include(text, says)
    }
    let page = await world.beginBy(browser, who)
    const slow = [
      { nsid: "com.atproto.sync.getRepo", none: 30_000, part: 240_000, says: unreachable },
      {
        nsid: "com.atproto.sync.getBlob",
        none: 15_000,
        part: 60_000,
        says: "doesn’t send one of your pictures"
      }
    ]
    for (const { nsid, says, ...limits } of slow) {
      for (const answer of ["none", "part"] as const) {
        const wait = { nsid, answer, millis: limits[answer] }
        page = await world.inVain(browser, page.form("/moving/step"), wait)
        failed(page, says)
      }
      page = await browser.submit(page.form("/moving/step"))
    }
    page = await copied(browser, page)
    const requestCode = "com.atproto.identity.requestPlcOperationSignature"
    const asked = { nsid: requestCode, millis: 15_000, answer: "none" } as const
    page = await world.inVain(browser, page.form("/moving/send-code"), asked)
    failed(page)
    assert.isTrue(await statusOf(world.old, who.did))
    page = await browser.submit(page.form("/moving/send-code"))
    assert.include(page.text, "has sent you a code")
    assert.include((await world.confirm(browser, who, page)).text, "Your account lives here now")
    const input = { identifier: `${who.name}.test`, password: newPassword }
    const session = ok(await world.host.call("com.atproto.server.createSession", { input }))
    const auth = bearer(session["accessJwt"])
    const status = ok(await world.host.call("com.atproto.server.checkAccountStatus", { auth }))
    assert.deepInclude(status, { importedBlobs: 3, expectedBlobs: 3 })
  })
})
