import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkMetadata } from "../../../src/core/oauth/clientMetadata.ts"
import { clientMetadata } from "../../../src/http/accounts/moveIn/oauth.ts"
import { Browser, type Shown, unescape } from "../../support/http/httpBrowser.ts"
import { ours } from "../../support/http/accountPages.ts"
import { origin } from "../../support/http/httpHost.ts"
import {
  copied,
  type MoveInWorld,
  newPassword,
  password,
  startMoveIn,
  statusOf
} from "./moveInWorld.ts"

const oldOrigin = "http://localhost:8790"

let world: MoveInWorld

beforeAll(async () => {
  world = await startMoveIn()
})
afterEach(() => {
  world.attacks.clear()
  world.called.length = 0
})
afterAll(() => world?.close())

type Mover = Awaited<ReturnType<MoveInWorld["mover"]>>

/** The address to which a page sends the browser. */
const onward = ({ text, status }: Shown): string => {
  const to = /class="button" href="(http[^"]+)"/.exec(text)?.[1]
  if (to === undefined) throw new Error(`no way to the old server: ${status} ${text}`)
  return unescape(to)
}

/** Signs in on the old server's pages, and allows or denies; returns the path of the return. */
const allowAt = async (to: string, who: Mover, answer: "/accept" | "/reject" = "/accept") => {
  const there = new Browser(world.old)
  const own = { origin: oldOrigin }
  const first = await there.get(to)
  const signedIn = await there.post(
    first.form("/sign-in"),
    { identifier: who.handle, password },
    own
  )
  const consent = signedIn.status === 303 ? await there.get(signedIn.location!) : signedIn
  const back = await there.post(consent.form(answer), {}, own)
  const url = new URL(back.location!)
  assert.strictEqual(url.origin, "http://127.0.0.1:8787")
  return `${url.pathname}${url.search}`
}

/** Begins with the button beside the password's field. */
const startOf = async (browser: Browser, who: Mover, invite?: string) => {
  const page = await browser.get(`/account/move-in?invite=${invite ?? (await world.invite())}`)
  const { fields } = page.form("/account/move-in")
  return browser.post(
    { action: "/account/move-in/oauth", fields },
    { identifier: who.handle, handle: who.name, email: who.email, old: "" }
  )
}

const submitNew = (browser: Browser, page: Shown, who: Mover) =>
  browser.submit(page.form("/account/move-in"), {
    handle: who.name,
    email: who.email,
    password: newPassword
  })

describe("moving in with the old server’s own sign-in", () => {
  it("an account comes without its old password being typed here, and the old server’s tokens end with the move", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const path = await allowAt(onward(await startOf(browser, who)), who)
    const form = await browser.get(path)
    assert.include(form.text, "You’re signed in at localhost:8790.")
    assert.strictEqual(form.form("/account/move-in").fields["email"], who.email)
    assert.isUndefined(form.form("/account/move-in").fields["old"])
    let page = await copied(browser, await submitNew(browser, form, who))
    // The old server's access tokens are short.
    const requestCode = "com.atproto.identity.requestPlcOperationSignature"
    world.attacks.set(requestCode, () => {
      world.attacks.delete(requestCode)
      return Response.json({ error: "invalid_token" }, { status: 401 })
    })
    page = await browser.submit(page.form("/moving/send-code"))
    assert.include(page.text, "has sent you a code")
    page = await world.confirm(browser, who, page)
    assert.include(page.text, "Your account lives here now")
    assert.notInclude(page.text, "We couldn’t deactivate your old account")
    assert.isTrue(await statusOf(world.host, who.did))
    assert.isFalse(await statusOf(world.old, who.did))
    assert.include(world.called, "/oauth/revoke")
    assert.notInclude(world.called, "com.atproto.server.createSession")
  })

  it("a move continues with another sign-in at the old server, after its grant has ended", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const form = await browser.get(await allowAt(onward(await startOf(browser, who)), who))
    const page = await copied(browser, await submitNew(browser, form, who))
    for (const nsid of ["com.atproto.identity.requestPlcOperationSignature", "/oauth/token"]) {
      world.attacks.set(nsid, () =>
        Response.json(
          { error: nsid.includes("/") ? "invalid_grant" : "invalid_token" },
          { status: 401 }
        )
      )
    }
    const over = await browser.submit(page.form("/moving/send-code"))
    assert.include(over.text, "has expired")
    world.attacks.clear()
    const { fields } = over.form("/moving/sign-in")
    const again = await browser.post({ action: "/account/moving/oauth", fields })
    const path = await allowAt(onward(again), who)
    // Another browser can't use the return.
    const thief = new Browser(world.host)
    assert.strictEqual((await thief.get(path)).location, "/account/move-in")
    const back = await browser.get(path)
    assert.include(back.location, "/account/moving")
    const shown = await browser.get("/account/moving", ours)
    const sent = await browser.submit(shown.form("/moving/send-code"))
    assert.include((await world.confirm(browser, who, sent)).text, "Your account lives here now")
  })

  it("a return that was denied, changed, replayed or opened in another browser begins nothing", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const denied = await browser.get(
      await allowAt(onward(await startOf(browser, who)), who, "/reject")
    )
    assert.include(denied.text, "You didn’t sign in at localhost:8790")
    assert.strictEqual(denied.form("/account/move-in").fields["email"], who.email)
    for (const [name, value] of [
      ["state", "another"],
      ["iss", "https://evil.example.com"],
      ["code", "another"]
    ] as const) {
      const path = await allowAt(onward(await startOf(browser, who)), who)
      const url = new URL(path, origin)
      url.searchParams.set(name, value)
      const changed = await browser.get(`${url.pathname}${url.search}`)
      assert.include(changed.text, "You didn’t sign in at", name)
    }
    const path = await allowAt(onward(await startOf(browser, who)), who)
    assert.strictEqual((await new Browser(world.host).get(path)).location, "/account/move-in")
    const form = await browser.get(path)
    assert.isTrue(form.has("/account/move-in"))
    assert.notInclude((await browser.get(path)).text, "You’re signed in")
    world.attacks.set("com.atproto.server.getServiceAuth", () =>
      Response.json({ error: "InvalidRequest" }, { status: 400 })
    )
    const refused = await submitNew(browser, form, who)
    assert.include(refused.text, "You didn’t sign in at localhost:8790")
    assert.strictEqual(refused.form("/account/move-in").fields["identifier"], who.handle)
    assert.isUndefined(refused.form("/account/move-in").fields["grant"])
    world.attacks.clear()
    // Enter presses a form's first button.
    assert.isBelow(
      refused.text.indexOf(">Begin the move<"),
      refused.text.indexOf("Sign in at your old server instead")
    )
    // The session of the form belongs to this browser alone.
    const { grant } = form.form("/account/move-in").fields
    const thief = new Browser(world.host)
    const stolen = await world.beginBy(thief, who, {
      grant: grant ?? "",
      identifier: "nobody.test"
    })
    assert.include(stolen.text, "We couldn’t find an account")
    assert.isUndefined(await statusOf(world.host, who.did))
  })

  it("a hostile old server gets no browser to a private address, and no account with another’s tokens", async () => {
    const who = await world.mover()
    const browser = new Browser(world.host)
    const resource = "/.well-known/oauth-protected-resource"
    const server = "/.well-known/oauth-authorization-server"
    const good = (await (await fetch(`${oldOrigin}${server}`)).json()) as Record<string, unknown>
    const changed = (change: object) => () => Response.json({ ...good, ...change })
    const answers: ReadonlyArray<readonly [string, () => Response]> = [
      [resource, () => new Response("<html>")],
      [resource, () => Response.json({ authorization_servers: [] })],
      [resource, () => Response.json({ authorization_servers: ["http://10.0.0.1"] })],
      [resource, () => Response.redirect("http://10.0.0.1/", 302)],
      [server, changed({ issuer: "https://other.example.com" })],
      [server, changed({ authorization_endpoint: "javascript:alert(1)" })],
      [server, changed({ authorization_endpoint: "http://192.168.0.1/authorize" })],
      [server, changed({ pushed_authorization_request_endpoint: "http://10.0.0.1/par" })],
      [server, () => new Response(new Uint8Array(3 * 1024 * 1024).fill(32))],
      ["/oauth/par", () => Response.json({ request_uri: "x".repeat(100_000) })],
      [
        "/oauth/par",
        () =>
          Response.json(
            { error: "use_dpop_nonce" },
            { status: 400, headers: { "dpop-nonce": "n" } }
          )
      ]
    ]
    for (const [path, answer] of answers) {
      world.attacks.clear()
      world.attacks.set(path, answer)
      const shown = await startOf(browser, who)
      assert.strictEqual(shown.status, 400, path)
      assert.include(shown.text, "own sign-in", path)
    }
    world.attacks.clear()
    const path = await allowAt(onward(await startOf(browser, who)), who)
    world.attacks.set("/oauth/token", () =>
      Response.json({
        access_token: "a",
        refresh_token: "b",
        token_type: "DPoP",
        sub: "did:plc:another"
      })
    )
    assert.include((await browser.get(path)).text, "You didn’t sign in at")
    assert.isUndefined(await statusOf(world.host, who.did))
  })

  it("a public server’s document for other servers follows their rules", async () => {
    const answer = await world.host.handler(new Request(`${origin}/oauth/client-metadata`))
    assert.include(
      await answer.text(),
      "http://localhost?redirect_uri=http%3A%2F%2F127.0.0.1%3A8787"
    )
    const id = "https://pds.example.com/oauth/client-metadata"
    const settings = {
      publicUrl: "https://pds.example.com",
      host: "pds.example.com",
      brand: { name: "Example" }
    }
    // SAFETY: the document needs no other settings.
    const document = clientMetadata(settings as never)
    const checked = checkMetadata(new URL(id), document)
    assert.deepInclude(Result.getOrThrow(checked), { id, name: "Example", authMethod: "none" })
  })
})
