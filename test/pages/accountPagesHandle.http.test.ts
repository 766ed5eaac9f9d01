import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { enter, formOn } from "../support/http/accountPages.ts"
import { Browser, unescape } from "../support/http/httpBrowser.ts"
import { newcomer } from "../support/http/httpCodes.ts"
import { origin, startHost } from "../support/http/httpHost.ts"
import { ok, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const someone = async (options: { readonly plc?: true } = { plc: true }) => {
  const who = await newcomer(world, `handled${world.next()}`, options)
  const browser = new Browser(world)
  await enter(browser, who)
  const wish = async (fields: Readonly<Record<string, string>>) => {
    const { csrf = "", account = "" } = (await formOn(browser, "handle", "handle")).fields
    const shown = await browser.submit({
      action: "/account/handle",
      fields: { csrf, account, ...fields }
    })
    const text = unescape(shown.text.replaceAll(/<[^>]*>/g, " ")).replaceAll(/\s+/g, " ")
    return { status: shown.status, text, html: shown.text }
  }
  const handle = async () =>
    ok(await world.call("com.atproto.repo.describeRepo", { params: { repo: who.did } }))["handle"]
  return { who, wish, handle }
}

const noName = "Use 3–18 letters, digits or hyphens."

const fileOf = (domain: string) => `https://${domain}/.well-known/atproto-did`

describe("changing a handle on its page", () => {
  it("a name on the server’s domain takes effect at once", async () => {
    const { who, wish, handle } = await someone({})
    const name = `page${world.next()}`
    const { status, text } = await wish({ name: `@${name}`, domain: "test" })
    assert.strictEqual(status, 200)
    assert.include(text, "Handle changed.")
    assert.strictEqual(await handle(), `${name}.test`)
    assert.notStrictEqual(`${name}.test`, who.handle)
  })

  it("an invalid, reserved or taken handle is rejected in plain words", async () => {
    const { who, wish, handle } = await someone({})
    for (const [name, words] of [
      ["ab", noName],
      ["a".repeat(19), noName],
      ["ünï", noName],
      ["two.names", noName],
      ["admin", "taken or reserved"],
      [world.alice.handle.split(".")[0]!, "taken or reserved"],
      ["not a name", noName]
    ] as const) {
      const { status, text } = await wish({ name, domain: "test" })
      assert.strictEqual(status, 400, name)
      assert.include(text, words)
    }
    const noDomain = "Enter a domain name"
    for (const handle of ["foo", "a b.example", "-.example.com"]) {
      assert.include((await wish({ handle })).text, noDomain, handle)
    }
    assert.strictEqual(await handle(), who.handle)
  })

  it("a domain that doesn’t point to the account shows both places with what is there", async () => {
    const { who, wish, handle } = await someone()
    const domain = `own${world.next()}.example.org`
    const nothing = await wish({ handle: domain })
    assert.strictEqual(nothing.status, 400)
    assert.include(nothing.text, "doesn’t point to your account yet")
    assert.include(nothing.html, `<code>_atproto.${domain}</code>`)
    assert.include(nothing.html, `<code>did=${who.did}</code>`)
    assert.include(nothing.text, "Not found, or not readable.")
    assert.include(nothing.text, "answered with status 404")
    world.network.dns.set(domain, world.alice.did)
    world.network.web.set(fileOf(domain), () => new Response("<b>Welcome</b> to nginx"))
    const wrong = await wish({ handle: domain })
    assert.include(wrong.text, `It points to another account: ${world.alice.did}`)
    assert.include(wrong.text, "It contains <b>Welcome</b> to nginx")
    assert.notInclude(wrong.html, "<b>")
    world.network.dns.delete(domain)
    world.network.dead.add(domain)
    const unknown = await wish({ handle: domain })
    assert.include(unknown.text, "couldn’t reach DNS")
    assert.include(unknown.text, "unknown")
    world.network.dead.delete(domain)
    assert.strictEqual(await handle(), who.handle)
  })

  it("a domain copied from the address bar is accepted once one place is right", async () => {
    const byRecord = await someone()
    const record = `record${world.next()}.example.org`
    world.network.dns.set(record, byRecord.who.did)
    assert.include((await byRecord.wish({ handle: `https://${record}/about` })).text, "changed")
    assert.strictEqual(await byRecord.handle(), record)
    const byFile = await someone()
    const file = `file${world.next()}.example.org`
    world.network.web.set(fileOf(file), () => new Response(`${byFile.who.did}\n`))
    assert.include((await byFile.wish({ handle: `@${file.toUpperCase()}` })).text, "changed")
    assert.strictEqual(await byFile.handle(), file)
  })

  it("a domain in other scripts is converted to its ASCII form", async () => {
    const { who, wish, handle } = await someone()
    const ascii = "xn--bcher-kva.example.org"
    world.network.dns.set(ascii, who.did)
    assert.include((await wish({ handle: "bücher.example.org" })).text, "changed")
    assert.strictEqual(await handle(), ascii)
  })

  it("local and invalid names are never looked up", async () => {
    const { wish } = await someone()
    const before = world.network.asked.length
    for (const handle of ["localhost", "127.0.0.1", "printer.local", "", "a b", "x.internal"]) {
      assert.strictEqual((await wish({ handle })).status, 400, handle)
    }
    assert.deepStrictEqual(world.network.asked.slice(before), [])
  })

  it("handle changes share their limit with updateHandle", async () => {
    const host = await startHost({ PUBLIC_URL: origin, RATE_LIMITS: "sensitive" })
    const who = await newcomer(host, "restless")
    const browser = new Browser(host)
    await enter(browser, who)
    const update = () =>
      host.call("com.atproto.identity.updateHandle", {
        auth: who.auth,
        input: { handle: who.handle }
      })
    for (let time = 0; time < 10; time++) ok(await update())
    const before = host.network.asked.length
    const form = await formOn(browser, "handle", "handle")
    const refused = await browser.submit(form, { handle: "own.example.org", name: undefined })
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "Too many attempts")
    assert.strictEqual(host.network.asked.length, before)
    await host.close()
  })
})
