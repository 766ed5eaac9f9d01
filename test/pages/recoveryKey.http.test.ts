import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { formatDidKey, generatePrivateKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import { signUpdate, submitOperation } from "../../src/services/identity/PlcOperations.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { enter, formOn, ours } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { codeFor, newcomer } from "../support/http/httpCodes.ts"
import { type Host, startHost } from "../support/http/httpHost.ts"

let host: Host

beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

const ourKey = formatDidKey(publicKeyOf("k256", Buffer.from("42".repeat(32), "hex")))

/** A did:key that its owner made elsewhere. */
const ownKey = (curve: "k256" | "p256" = "p256") =>
  formatDidKey(publicKeyOf(curve, generatePrivateKey(curve)))

let count = 0

/** An account with a did:plc, and a browser that has just signed in. */
const someone = async (at: Host = host) => {
  const who = await newcomer(at, `keyed${(count += 1)}`, { plc: true })
  const browser = new Browser(at)
  await enter(browser, who)
  return { who, browser }
}

const keysOf = async (did: string, at: Host = host) => {
  const plc = Effect.flatMap(PlcDirectory, (directory) => directory.data(did))
  return (await at.beneath(plc)).rotationKeys
}

const review = (browser: Browser, key: string, replaces = "") =>
  browser.get(`/account/recovery-key?${new URLSearchParams({ key, replaces })}`, ours)

const set = async (browser: Browser, key: string, replaces = "") =>
  browser.submit((await review(browser, key, replaces)).form("/account/recovery-key"))

describe("the pages for a recovery key", () => {
  it("an owner's key comes first, and other owners' keys keep their order", async () => {
    const { who, browser } = await someone()
    const [older, newer, newest] = [ownKey("k256"), ownKey(), ownKey()]
    const shown = await review(browser, older)
    assert.include(shown.text, older)
    const done = await browser.submit(shown.form("/account/recovery-key"))
    assert.include(done.text, "Your recovery key is set.")
    assert.include(done.text, "A recovery key comes first.")
    await set(browser, newer)
    assert.deepStrictEqual(await keysOf(who.did), [newer, older, ourKey])
    await set(browser, older)
    assert.deepStrictEqual(await keysOf(who.did), [older, newer, ourKey])
    const replacing = await set(browser, newest, newer)
    assert.include(replacing.text, "Your recovery key is set.")
    assert.deepStrictEqual(await keysOf(who.did), [newest, older, ourKey])
  })

  it("the server's key can be neither set, replaced nor removed", async () => {
    const { who, browser } = await someone()
    const [key, other] = [ownKey(), ownKey()]
    await set(browser, key)
    assert.include((await review(browser, ourKey)).text, "That’s this server’s own key.")
    await set(browser, other, ourKey)
    assert.deepStrictEqual(await keysOf(who.did), [other, key, ourKey])
    const form = await formOn(browser, "remove-key", "remove-key")
    assert.strictEqual((await browser.submit(form, { key: ourKey })).status, 400)
    assert.deepStrictEqual(await keysOf(who.did), [other, key, ourKey])
  })

  it("an owner removes a key, and an unknown one changes nothing", async () => {
    const { who, browser } = await someone()
    const [key, other] = [ownKey(), ownKey()]
    await set(browser, key)
    await set(browser, other)
    const form = await formOn(browser, "remove-key", "remove-key")
    assert.strictEqual((await browser.submit(form, { key: ownKey() })).status, 400)
    const gone = await browser.submit(form, { key: other })
    assert.include(gone.text, "Key removed.")
    assert.deepStrictEqual(await keysOf(who.did), [key, ourKey])
    await browser.submit(await formOn(browser, "remove-key", "remove-key"))
    assert.deepStrictEqual(await keysOf(who.did), [ourKey])
    assert.include((await browser.get("/account/remove-key", ours)).text, "only this server’s key")
  })

  it("a text that isn't a did:key of the two curves stays in the form with an error", async () => {
    const { who, browser } = await someone()
    const attack = `did:key:"><script>alert(1)</script>`
    for (const key of [
      "nonsense",
      attack,
      "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    ]) {
      const page = await review(browser, key)
      assert.strictEqual(page.status, 400, key)
      assert.include(page.text, "Enter a did:key")
      assert.notInclude(page.text, "<script>alert")
      assert.isFalse(page.has("remove-key"))
    }
    const { fields } = (await review(browser, ownKey())).form("/account/recovery-key")
    const refused = await browser.submit({ action: "/account/recovery-key", fields }, { key: "x" })
    assert.strictEqual(refused.status, 400)
    assert.deepStrictEqual(await keysOf(who.did), [ourKey])
  })

  it("an identity with ten keys accepts no more, but one can be replaced", async () => {
    const { who, browser } = await someone()
    const before = [...Array.from({ length: 9 }, () => ownKey()), ourKey]
    const signed = signUpdate(who.did, { rotationKeys: before })
    await host.inside(who.did, Effect.flatMap(signed, submitOperation))
    assert.include((await review(browser, ownKey())).text, "lists ten keys")
    const key = ownKey()
    await set(browser, key, before[8])
    assert.deepStrictEqual(await keysOf(who.did), [key, ...before.slice(0, 8), ourKey])
  })

  it("a change of the keys needs the mailed code on a server that sends mail", async () => {
    const own = await startHost({ MAILER: "captured" })
    const { who, browser } = await someone(own)
    const key = ownKey()
    const first = (await review(browser, key)).form("/account/recovery-key")
    const asked = await browser.submit(first)
    assert.include(asked.text, "We sent you a code.")
    assert.deepStrictEqual(await keysOf(who.did, own), [ourKey])
    const code = await codeFor(own, who.did, "plc_operation")
    const form = asked.form("/account/recovery-key")
    const wrong = await browser.submit(form, { code: "AAAAA-AAAAA" })
    assert.strictEqual(wrong.status, 400)
    assert.deepStrictEqual(await keysOf(who.did, own), [ourKey])
    assert.lengthOf(wrong.text.match(/Send another code/g) ?? [], 1)
    await browser.submit(wrong.form("/account/recovery-key"), { code })
    assert.deepStrictEqual(await keysOf(who.did, own), [key, ourKey])
    // The code is used up.
    const removing = await formOn(browser, "remove-key", "remove-key")
    assert.strictEqual((await browser.submit(removing, { code, key })).status, 400)
    const sent = await browser.submit(removing, { key })
    assert.isDefined(sent.form("/account/remove-key").fields["code"])
    assert.deepStrictEqual(await keysOf(who.did, own), [key, ourKey])
    await own.close()
  })

  it("a directory that can't be reached changes nothing, and the page says so", async () => {
    const { who, browser } = await someone()
    const form = (await review(browser, ownKey())).form("/account/recovery-key")
    host.network.cut(true)
    const page = await browser.submit(form)
    host.network.cut(false)
    assert.include(page.text, "couldn’t reach the identity directory")
    assert.deepStrictEqual(await keysOf(who.did), [ourKey])
  })

  it("a did:web gets a page about its domain, and no form for keys", async () => {
    const who = await newcomer(host, "webkeyed")
    const browser = new Browser(host)
    await enter(browser, who)
    for (const page of ["keys", "recovery-key", "remove-key"]) {
      const shown = await browser.get(`/account/${page}`, ours)
      assert.include(shown.text, "protect the domain", page)
      assert.isFalse(shown.has("/account/recovery-key") || shown.has("/account/remove-key"), page)
    }
  })
})
