import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { accountPages } from "../../src/http/pages/account/table.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { pushed } from "../support/http/authorizePages.ts"
import { publicApp } from "../support/http/oauthApp.ts"
import { browserOf, enter, formOn, ours } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { codeFor, newcomer, type Newcomer } from "../support/http/httpCodes.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, type Person, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const accountOf = (host: Host, did: string) =>
  host.inside(
    did,
    Effect.flatMap(AccountStore, (accounts) => accounts.get)
  )

/** An account with a small repo, and a browser that has just signed in. */
const someone = async (options: { readonly plc?: true } = {}, host: Host = world) => {
  const who = await newcomer(host, `settled${world.next()}`, options)
  const browser = new Browser(host)
  await enter(browser, who)
  return { who, browser }
}

/** An account with a profile and a post, and a signed-in browser. */
const signedUp = async () => {
  const person = await signUp(world, `holder${world.next()}`)
  return { did: person.did, browser: await browserOf(world, person) }
}

/** Changes the DID with this server's rotation key. */
const changeDid = async (who: Newcomer, change: Readonly<Record<string, unknown>>) => {
  const token = await codeFor(world, who.did, "plc_operation")
  const signed = await world.call("com.atproto.identity.signPlcOperation", {
    auth: who.auth,
    input: { token, ...change }
  })
  const { operation } = ok(signed)
  const posted = await fetch(`${world.network.env["PLC_URL"]}/${who.did}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(operation)
  })
  assert.strictEqual(posted.status, 200)
}

const rotate = (who: Newcomer, rotationKeys: ReadonlyArray<string>) =>
  changeDid(who, { rotationKeys })

describe("an account that has moved to another server", () => {
  it("a moved account sees where it lives on its page and when an app asks, and no offer to reactivate", async () => {
    const { who, browser } = await someone({ plc: true })
    const endpoint = "https://elsewhere.example.com"
    await changeDid(who, {
      services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint } }
    })
    const moved = await browser.submit(await formOn(browser, "deactivate", "deactivate"))
    assert.include(moved.text, "Your account lives at elsewhere.example.com.")
    assert.isFalse(moved.has("/reactivate"))
    const app = await publicApp(world, "atproto")
    const asked = await browser.get((await pushed(app)).path)
    assert.include(asked.text, "Your account has moved")
    assert.include(asked.text, "It lives at elsewhere.example.com now.")
    assert.isFalse(asked.has("/reactivate"))
    assert.isFalse(asked.has("/accept"))
  })
})

describe("the page for an account's address", () => {
  it("an address is confirmed with its code, and changing it then needs another", async () => {
    const host = await startHost({ MAILER: "captured" })
    const { who, browser } = await someone({}, host)
    const sent = await browser.submit(await formOn(browser, "email", "email/send-confirmation"))
    assert.include(sent.text, "We’ve sent you a code")
    const code = await codeFor(host, who.did, "confirm_email")
    const confirm = sent.form("/email/confirm")
    const wrong = await browser.submit(confirm, { code: "AAAAA-AAAAA" })
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "That code is wrong")
    const right = await browser.submit(wrong.form("/email/confirm"), { code })
    assert.include(right.text, "Your email address is confirmed.")
    assert.isString((await accountOf(host, who.did)).emailConfirmedAt)

    const email = `other-${who.email}`
    const change = right.form("/account/email")
    const without = await browser.submit(change, { email, code: "" })
    assert.strictEqual(without.status, 400)
    assert.strictEqual((await accountOf(host, who.did)).email, who.email)
    const asked = await browser.submit(without.form("/email/send-change"))
    const permit = await codeFor(host, who.did, "update_email")
    const changed = await browser.submit(asked.form("/account/email"), { email, code: permit })
    assert.include(changed.text, "Email address changed.")
    assert.deepInclude(await accountOf(host, who.did), { email, emailConfirmedAt: undefined })
    await host.close()
  })

  it("no page of a server without mail offers a code by mail, or asks to confirm an address", async () => {
    const { who, browser } = await someone()
    for (const email of [who.email, undefined]) {
      await world.inside(
        who.did,
        Effect.flatMap(AccountStore, (accounts) => accounts.update({ email }))
      )
      for (const page of Object.keys(accountPages)) {
        const { status, text } = await browser.get(`/account/${page}`, ours)
        assert.strictEqual(status, 200, page)
        const promise =
          /send (a|another) code|sent you|inbox|we’ll email|not confirmed|confirm (this|your) (email )?address/i
        assert.notMatch(text, promise, page)
      }
    }
  })

  it("a server without mail offers no confirmation, and changes a confirmed address by a recent proof", async () => {
    const { who, browser } = await someone()
    await world.inside(
      who.did,
      Effect.flatMap(AccountStore, (accounts) =>
        accounts.update({ emailConfirmedAt: "2026-01-01T00:00:00.000Z" })
      )
    )
    const page = await browser.get("/account/email", ours)
    assert.isFalse(page.has("/email/send-confirmation"))
    assert.isFalse(page.has("/email/send-change"))
    assert.notInclude(page.text, "confirmed")
    const email = `proven-${who.email}`
    world.advance(15 * 60_000 + 1)
    const late = await browser.post({
      ...page.form("/account/email"),
      fields: { ...page.form("/account/email").fields, email }
    })
    assert.match(late.location ?? "", /^\/account\/confirm/)
    assert.strictEqual((await accountOf(world, who.did)).email, who.email)
    await enter(browser, who)
    await browser.submit(await formOn(browser, "email", "email"), { email })
    assert.deepInclude(await accountOf(world, who.did), { email, emailConfirmedAt: undefined })
  })

  it("an unconfirmed address changes at once, but not to an invalid or taken one", async () => {
    const { who, browser } = await someone()
    for (const email of ["nonsense", world.alice.email]) {
      const form = await formOn(browser, "email", "email")
      const refused = await browser.submit(form, { email })
      assert.strictEqual(refused.status, 400, email)
      assert.include(refused.form("/account/email").fields["email"], email)
    }
    assert.strictEqual((await accountOf(world, who.did)).email, who.email)
    const email = `at-once-${who.email}`
    await browser.submit(await formOn(browser, "email", "email"), { email })
    assert.strictEqual((await accountOf(world, who.did)).email, email)
  })

  it("a server that sends mail mails the code, and the page says so", async () => {
    const host = await startHost({ MAILER: "captured" })
    const { who, browser } = await someone({}, host)
    const page = await browser.get("/account/email", ours)
    assert.include(page.text, `Send a code to ${who.email}`)
    assert.notInclude(page.text, "administrator can read")
    const sent = await browser.submit(page.form("/email/send-confirmation"))
    assert.include(sent.text, "We’ve sent you a code")
    await host.close()
  })
})

describe("the page for an account's keys", () => {
  const ourKey = formatDidKey(publicKeyOf("k256", Buffer.from("42".repeat(32), "hex")))

  it("the keys page distinguishes no recovery key, one before the server’s, and a missing server key", async () => {
    const { who, browser } = await someone({ plc: true })
    const alone = await browser.get("/account/keys", ours)
    assert.include(alone.text, "You have no recovery key")
    assert.include(alone.text, ourKey)
    assert.include(alone.text, "Create a recovery key")
    const mine = formatDidKey(publicKeyOf("k256", Buffer.from("17".repeat(32), "hex")))
    await rotate(who, [mine, ourKey])
    const safe = await browser.get("/account/keys", ours)
    assert.include(safe.text, "A recovery key comes first.")
    assert.include(safe.text, "Add or replace a recovery key")
    assert.isBelow(safe.text.indexOf(mine), safe.text.indexOf(ourKey))
    await rotate(who, [mine])
    const lost = await browser.get("/account/keys", ours)
    assert.include(lost.text, "This server’s key isn’t in the list")
  })

  it("the keys page says when it can’t reach the directory", async () => {
    const { browser } = await someone({ plc: true })
    world.network.cut(true)
    const page = await browser.get("/account/keys", ours)
    world.network.cut(false)
    assert.strictEqual(page.status, 200)
    assert.include(page.text, "couldn’t reach the identity directory")
  })

  it("the keys page of a did:web names the domain", async () => {
    const { browser } = await someone()
    assert.include(
      (await browser.get("/account/keys", ours)).text,
      "control of the domain is control of the identity"
    )
  })
})

describe("an account's data", () => {
  it("the export page links to the archive, and to getRepo unless the account is deactivated", async () => {
    const { did, browser } = await signedUp()
    const page = await browser.get("/account/export", ours)
    const [, href = "", name] = /href="(\/xrpc[^"]*)" download="([^"]*)"/.exec(page.text) ?? []
    assert.strictEqual(name, `${(await accountOf(world, did)).handle}.car`)
    const file = await world.ask(href)
    assert.strictEqual(file.headers.get("content-type"), "application/vnd.ipld.car")
    await browser.submit(await formOn(browser, "deactivate", "deactivate"), { date: "" })
    const off = await browser.get("/account/export", ours)
    assert.notInclude(off.text, "download=")
    assert.include(off.text, "/account/export/download?")
  })
})

describe("an account deactivated on its page", () => {
  it("an account deactivated on its page shows its deletion date, and can be reactivated", async () => {
    const { who, browser } = await someone()
    const far = new Date(world.now() + 100 * 86_400_000).toISOString().slice(0, 10)
    const form = await formOn(browser, "deactivate", "deactivate")
    const off = await browser.submit(form, { date: far })
    assert.include(off.text, "It will be deleted on")
    const { deactivatedAt, deleteAfter } = await accountOf(world, who.did)
    assert.isDefined(deactivatedAt)
    assert.strictEqual(deleteAfter, `${far}T00:00:00.000Z`)
    const kept = await browser.submit(await formOn(browser, "deactivate", "deactivate"), {
      date: ""
    })
    assert.notInclude(kept.text, "It will be deleted on")
    await browser.submit(kept.form("/account/reactivate"))
    assert.strictEqual((await accountOf(world, who.did)).deactivatedAt, undefined)
  })

  it("the deletion date is at least three days ahead, and a malformed one is rejected", async () => {
    const { who, browser } = await someone()
    for (const date of ["tomorrow", "2026-99-99", "99999-01-01"]) {
      const form = await formOn(browser, "deactivate", "deactivate")
      assert.strictEqual((await browser.submit(form, { date })).status, 400, date)
    }
    assert.strictEqual((await accountOf(world, who.did)).deactivatedAt, undefined)
    const date = new Date(world.now()).toISOString().slice(0, 10)
    await browser.submit(await formOn(browser, "deactivate", "deactivate"), { date })
    const { deleteAfter = "" } = await accountOf(world, who.did)
    assert.isAbove(Date.parse(deleteAfter), world.now() + 71 * 3_600_000)
  })
})

describe("an account deleted on its page", () => {
  it("deletion needs the code and the handle, is held back for three days, and can be undone", async () => {
    const host = await startHost({ MAILER: "captured" })
    const { who, browser } = await someone({}, host)
    const sent = await browser.submit(await formOn(browser, "delete", "delete/send-code"))
    const code = await codeFor(host, who.did, "delete_account")
    const form = sent.form("/account/delete")
    for (const wrong of [
      { code: "AAAAA-AAAAA", handle: who.handle },
      { code, handle: world.alice.handle },
      { code, handle: "" },
      { code: "", handle: who.handle }
    ]) {
      assert.strictEqual((await browser.submit(form, wrong)).status, 400)
    }
    assert.strictEqual((await accountOf(host, who.did)).deactivatedAt, undefined)
    const held = await browser.submit(form, { code, handle: `@${who.handle.toUpperCase()}` })
    assert.include(held.text, "Until then you can keep it.")
    const { deactivatedAt, deleteAfter = "" } = await accountOf(host, who.did)
    assert.isDefined(deactivatedAt)
    assert.isAbove(Date.parse(deleteAfter), host.now() + 71 * 3_600_000)
    const other = new Browser(host)
    const again = await enter(other, who)
    assert.isTrue(again.has("/account/keep"))
    const kept = await other.submit(again.form("/account/keep"))
    assert.include(kept.text, "Your account won’t be deleted.")
    assert.isFalse(kept.has("/account/keep"))
    const back = await accountOf(host, who.did)
    assert.deepStrictEqual([back.deactivatedAt, back.deleteAfter], [undefined, undefined])
    await host.close()
  })

  it("on a server without mail, a recent proof and the typed handle request the deletion", async () => {
    const { who, browser } = await someone()
    const form = await formOn(browser, "delete", "delete")
    assert.strictEqual((await browser.submit(form, { handle: "x" })).status, 400)
    assert.isUndefined((await accountOf(world, who.did)).deactivatedAt)
    const held = await browser.submit(form, { handle: who.handle })
    assert.include(held.text, "Until then you can keep it.")
    assert.isDefined((await accountOf(world, who.did)).deleteAfter)
  })

  it("a server with DELETION_DELAY=off deletes at once, with all sessions", async () => {
    const host = await startHost({ DELETION_DELAY: "off" })
    const { who, browser } = await someone({}, host)
    const form = await formOn(browser, "delete", "delete")
    const gone = await browser.submit(form, { handle: who.handle })
    assert.include(gone.text, "Your account has been deleted.")
    assert.isTrue(gone.has("/account/sign-in"))
    assert.isUndefined(await Effect.runPromise(host.directory.byDid(who.did)))
    assert.strictEqual((await enter(new Browser(host), who)).status, 400)
    await host.close()
  })

  it("an account without an address gets no code, and the page says why", async () => {
    const host = await startHost({ MAILER: "captured" })
    const person = { handle: "nomail.test", password: "a password of nomail" }
    const made = ok(
      await host.call("com.atproto.server.createAccount", {
        input: { ...person, did: "did:web:nomail.test" },
        auth: basic()
      })
    )
    const browser = new Browser(host)
    await enter(browser, person as Person)
    const sent = await browser.submit(await formOn(browser, "delete", "delete/send-code"))
    assert.strictEqual(sent.status, 400)
    assert.include(sent.text, "no email address")
    assert.isDefined(made["did"])
    await host.close()
  })
})
