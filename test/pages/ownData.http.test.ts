import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { decodeFrame } from "../support/server/serverFrames.ts"
import { tidFromMicros } from "../../src/core/repo/tid.ts"
import { previewLimit } from "../../src/http/pages/account/data/preview.ts"
import { BlobStore } from "../../src/services/blobs/BlobStore.ts"
import { ask, browserOf, formOn, ours } from "../support/http/accountPages.ts"
import { Browser, type Shown, unescape } from "../support/http/httpBrowser.ts"
import { origin } from "../support/http/httpHost.ts"
import {
  ok,
  type Person,
  png,
  post,
  settled,
  signUp,
  startWorld,
  tidOf,
  upload,
  type World
} from "../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const someone = async (): Promise<{ readonly who: Person; readonly browser: Browser }> => {
  const who = await signUp(world, `holder${world.next()}`)
  return { who, browser: await browserOf(world, who) }
}

const put = async (
  { did, auth }: Person,
  collection: string,
  rkey: string,
  record: object
): Promise<void> => {
  const input = { repo: did, collection, rkey, record, validate: false }
  ok(await world.call("com.atproto.repo.putRecord", { auth, input }))
}

const see = (browser: Browser, page: string, query: Record<string, string> = {}): Promise<Shown> =>
  browser.get(`/account/${page}?${new URLSearchParams(query)}`, ours)

/** The addresses that a page links to. */
const linksIn = ({ text }: Shown): ReadonlyArray<string> =>
  [...text.matchAll(/href="([^"]*)"/g)].map(([, href = ""]) => unescape(href))

const linkCalled = ({ text }: Shown, label: string): string =>
  unescape(new RegExp(`href="([^"]*)"[^>]*>${label}<`).exec(text)?.[1] ?? "")

/** The keys of the records that a page lists, in its order. */
const keysIn = (page: Shown): ReadonlyArray<string> =>
  linksIn(page).flatMap((href) => {
    const url = new URL(href, origin)
    return url.pathname === "/account/data/record" ? [url.searchParams.get("key") ?? ""] : []
  })

const recordsOf = async (who: Person, collection: string): Promise<number> => {
  const params = { repo: who.did, collection, limit: "100" }
  const { records } = ok(await world.call("com.atproto.repo.listRecords", { params }))
  return (records as ReadonlyArray<unknown>).length
}

const posts = "app.bsky.feed.post"
const notes = "com.example.note"

describe("an owner’s records", () => {
  it("an account's data page lists its collections with their number of records and size", async () => {
    const { who, browser } = await someone()
    for (let n = 0; n < 3; n++) await put(who, notes, tidOf(n), { text: "note" })
    const { text } = await see(browser, "data")
    assert.match(
      text,
      /<strong>Posts<\/strong><small>app\.bsky\.feed\.post<\/small\s*><small\s*>1 record, \d+ bytes</
    )
    assert.match(text, /<strong>com\.example\.note<\/strong\s*><small\s*>3 records, \d+ bytes</)
    assert.match(text, /\d+ bytes of [\d.]+ GB used by pictures/)
    const settings = await see(browser, "settings")
    assert.include(linksIn(settings), "/account/data")
  })

  it("an account with many collections lists them in pages, each once", async () => {
    const { who, browser } = await someone()
    for (let n = 0; n < 60; n++) await put(who, `com.example.kind${n}`, "self", {})
    const first = await see(browser, "data")
    const second = await browser.get(linkCalled(first, "More kinds"), ours)
    const listed = [first, second].flatMap((page) =>
      linksIn(page).filter((href) => href.startsWith("/account/data/records"))
    )
    assert.strictEqual(new Set(listed).size, 62)
    assert.strictEqual(listed.length, 62)
    assert.strictEqual(linkCalled(second, "More kinds"), "")
  })

  it("a collection's records are paged, newest first, and found by key and by day", async () => {
    const { who, browser } = await someone()
    const dayOf = (day: string) => tidFromMicros(Date.parse(day) * 1000, 0)
    const keys = [
      ...Array.from({ length: 30 }, (_, n) => tidOf(n)),
      dayOf("2026-03-03T00:00:00.000Z"),
      dayOf("2026-03-03T23:59:59.999Z"),
      dayOf("2026-03-04T00:00:00.000Z"),
      "self"
    ]
    for (const key of keys) await put(who, notes, key, { text: `the note ${key}` })
    const first = await see(browser, "data/records", { collection: notes })
    const second = await browser.get(linkCalled(first, "Older"), ours)
    assert.strictEqual(keysIn(first).length, 25)
    assert.deepStrictEqual([...keysIn(first), ...keysIn(second)], keys.toSorted().toReversed())
    assert.strictEqual(linkCalled(second, "Older"), "")
    assert.include(first.text, "the note self")

    const find = async (query: Record<string, string>) =>
      keysIn(await see(browser, "data/records", { collection: notes, ...query }))
    assert.deepStrictEqual(await find({ day: "2026-03-03" }), [keys[31]!, keys[30]!])
    assert.deepStrictEqual(await find({ key: "self" }), ["self"])
    assert.deepStrictEqual(await find({ key: "se" }), ["self"])
    assert.deepStrictEqual(await find({ key: "elf" }), [])
    assert.deepStrictEqual(await find({ key: "self", day: "2026-03-03" }), [])
    for (const day of ["2026-13-01", "yesterday", "1969-12-31", "9999-01-01", "2026-1-1"]) {
      const page = await see(browser, "data/records", { collection: notes, day })
      assert.include(page.text, "Enter a date such as")
      assert.deepStrictEqual(keysIn(page), [])
    }
  })

  it("a post shows its text, pictures, reply and links, where others see it, and its JSON", async () => {
    const { who, browser } = await someone()
    const image = await upload(world, who.auth, png(who.did))
    const parent = { uri: `at://${world.bob.did}/${posts}/3kaaaaaaaaa22`, cid: world.bob.post }
    const key = tidFromMicros(Date.parse("2026-03-03T12:00:00.000Z") * 1000, 0)
    await put(who, posts, key, {
      ...post("look at\nthis"),
      reply: { root: parent, parent },
      embed: { $type: "app.bsky.embed.images", images: [{ image, alt: "a small cat" }] },
      facets: [
        {
          index: { byteStart: 0, byteEnd: 4 },
          features: [{ $type: "app.bsky.richtext.facet#link", uri: "https://example.com/cat" }]
        }
      ]
    })
    const page = await see(browser, "data/record", { collection: posts, key })
    assert.include(page.text, "look at\nthis</p>")
    assert.match(
      page.text,
      /<img\s+class="preview"\s+src="\/account\/data\/blob\?cid=\w+"\s+alt="a small cat"/
    )
    assert.include(page.text, "3 March 2026, 12:00 UTC")
    const encoded = (did: string) => encodeURIComponent(did)
    const links = linksIn(page)
    assert.include(links, `https://bsky.app/profile/${encoded(who.did)}/post/${key}`)
    assert.include(links, `https://bsky.app/profile/${encoded(world.bob.did)}/post/3kaaaaaaaaa22`)
    assert.include(links, "https://example.com/cat")
    const json = unescape(/<pre>([\s\S]*?)<\/pre>/.exec(page.text)?.[1] ?? "")
    const params = { repo: who.did, collection: posts, rkey: key }
    const { value } = ok(await world.call("com.atproto.repo.getRecord", { params }))
    assert.deepStrictEqual(JSON.parse(json), value)
    const file = await browser.get(linkCalled(page, "Download JSON"), ours)
    assert.deepStrictEqual(JSON.parse(file.text), value)
    assert.match(
      file.headers.get("content-disposition") ?? "",
      /^attachment; filename="[\w.-]+\.json"$/
    )
    assert.include(file.headers.get("content-security-policy"), "sandbox")
  })

  it("a record of another type shows its fields", async () => {
    const { who, browser } = await someone()
    await put(who, notes, "self", { title: "My note", stars: 4, tags: ["a", "b"] })
    const { text } = await see(browser, "data/record", { collection: notes, key: "self" })
    assert.match(text, /<dt>title<\/dt>\s*<dd>My note<\/dd>/)
    assert.match(text, /<dt>stars<\/dt>\s*<dd>4<\/dd>/)
    assert.match(text, /<dt>tags<\/dt>\s*<dd>\[&quot;a&quot;,&quot;b&quot;\]<\/dd>/)
    assert.notInclude(text, "bsky.app")
  })

  it("hostile records, names and keys stay text, and only web addresses become links", async () => {
    const { who, browser } = await someone()
    const attack = `"'><img src=x onerror=alert(1)>\`<script>alert(1)</script>`
    const long = "k".repeat(512)
    await put(who, notes, long, {
      [attack]: attack,
      ["__proto__"]: { text: attack },
      constructor: attack,
      text: "x".repeat(200_000)
    })
    await put(who, posts, "3kzzzzzzzzzzz", {
      ...post(attack),
      reply: { parent: { uri: `at://${attack}` }, root: { uri: "javascript:alert(1)" } },
      embed: {
        $type: "app.bsky.embed.external",
        external: { uri: "javascript:alert(1)", title: attack, description: "" }
      },
      facets: [
        { features: [{ uri: "data:text/html,<script>alert(1)</script>" }, { uri: 5 }, null] },
        "x"
      ]
    })
    const pages = [
      await see(browser, "data"),
      await see(browser, "data/records", { collection: notes }),
      await see(browser, "data/record", { collection: notes, key: long }),
      await see(browser, "data/records", { collection: posts }),
      await see(browser, "data/record", { collection: posts, key: "3kzzzzzzzzzzz" }),
      await see(browser, "data/records", {
        collection: attack,
        key: attack,
        day: attack,
        after: attack
      }),
      await see(browser, "data/record", { collection: attack, key: attack }),
      await see(browser, "data/file", { cid: attack, after: attack }),
      await see(browser, "data/files", { after: attack }),
      await see(browser, "data", { after: attack })
    ]
    for (const { text, status } of pages) {
      assert.include([200, 404], status)
      assert.notInclude(text, "<img src=x")
      assert.notInclude(text, "<script>alert")
      assert.notMatch(text, /="[^"]*"'>/)
      assert.notMatch(text, /<a [^>]*href="(?:javascript|data):/)
    }
    assert.include(pages[2]!.text, "Only the beginning is shown")
    assert.isBelow(pages[2]!.text.length, 150_000)
    assert.include(keysIn(pages[1]!), long)
    const file = await browser.get(linkCalled(pages[2]!, "Download JSON"), ours)
    assert.strictEqual(JSON.parse(file.text).text.length, 200_000)
  })

  it("selected records are deleted after a confirmation, in one commit that the stream announces", async () => {
    const { who, browser } = await someone()
    for (let n = 0; n < 4; n++) await put(who, notes, tidOf(n), { text: `note ${n}` })
    await settled(world, who.did)
    const page = await see(browser, "data/records", { collection: notes })
    const form = page.form("/data/delete")
    const [one = "", two = ""] = keysIn(page)
    const question = await browser.post(form, { r0: one, r1: two })
    assert.strictEqual(question.status, 200)
    assert.include(question.text, "Delete 2 records?")
    assert.strictEqual(await recordsOf(who, notes), 4)
    const before = (
      await ask(world, who.did, "ownRecords", { collection: notes, ascending: true, limit: 9 })
    ).items
    const revOf = () => world.call("com.atproto.sync.getLatestCommit", { params: { did: who.did } })
    const first = ok(await revOf())["rev"] as string
    const after = await browser.submit(question.form("/data/delete"))
    assert.include(after.text, "Deleted.")
    assert.deepStrictEqual(
      keysIn(after),
      before
        .slice(0, 2)
        .map(({ rkey }) => rkey)
        .toReversed()
    )
    assert.isTrue((ok(await revOf())["rev"] as string) > first)
    await settled(world, who.did)
    const frames = world.subscribe(0)
    await world.delivered()
    const events = frames.map(decodeFrame).flatMap(({ body }) => {
      // SAFETY: the body of an event.
      const { repo, ops = [] } = body as {
        repo?: string
        ops?: ReadonlyArray<{ action: string; path: string }>
      }
      return repo === who.did ? [ops.map(({ action, path }) => `${action} ${path}`)] : []
    })
    assert.sameMembers(
      [...(events.at(-1) ?? [])],
      [`delete ${notes}/${one}`, `delete ${notes}/${two}`]
    )
    // Sent again, it changes nothing.
    const again = await browser.submit(question.form("/data/delete"))
    assert.strictEqual(again.status, 200)
    assert.strictEqual(await recordsOf(who, notes), 2)
  })

  it("nothing is deleted without a selection, or while the account is deactivated", async () => {
    const { who, browser } = await someone()
    const form = (await see(browser, "data/records", { collection: posts })).form("/data/delete")
    const none = await browser.post(form, { confirmed: "yes" })
    assert.strictEqual(none.status, 400)
    assert.include(none.text, "Select at least one record")
    const odd = await browser.post(form, { confirmed: "yes", collection: "no nsid", r0: "self" })
    assert.include([303, 400], odd.status)
    await browser.submit(await formOn(browser, "deactivate", "deactivate"), { date: "" })
    const listed = await see(browser, "data/records", { collection: posts })
    assert.isFalse(listed.has("/data/delete"))
    assert.include(listed.text, "Reactivate your account to delete records.")
    const key = keysIn(listed)[0]!
    assert.isFalse(
      (await see(browser, "data/record", { collection: posts, key })).has("/data/delete")
    )
    const refused = await browser.post(form, { confirmed: "yes", r0: key })
    assert.strictEqual(refused.status, 400)
    assert.deepStrictEqual(keysIn(await see(browser, "data/records", { collection: posts })), [key])
    assert.isDefined(who)
  })
})

describe("an owner’s files", () => {
  const fetchFile = (browser: Browser, path: string, headers: Record<string, string>) =>
    world.handler(
      new Request(`${origin}${path}`, {
        headers: {
          cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
          ...headers
        }
      })
    )
  const asPicture = {
    "sec-fetch-mode": "no-cors",
    "sec-fetch-dest": "image",
    "sec-fetch-site": "same-origin"
  }
  const uploadAs = async ({ auth }: Person, type: string, bytes: Uint8Array): Promise<string> => {
    const answer = await world.call("com.atproto.repo.uploadBlob", {
      body: bytes as Uint8Array<ArrayBuffer>,
      auth,
      headers: { "content-type": type }
    })
    // SAFETY: the response of uploadBlob.
    return (ok(answer)["blob"] as { readonly ref: { readonly $link: string } }).ref.$link
  }

  it("a file's page shows its picture, type and size, and the records that use it", async () => {
    const { who, browser } = await someone()
    const list = await see(browser, "data/files")
    assert.include(list.text, "Used by 1 record")
    const page = await see(browser, "data/file", { cid: who.avatar })
    assert.include(page.text, "image/png")
    assert.include(linksIn(page), "/account/data/record?collection=app.bsky.actor.profile&key=self")
    assert.strictEqual((await see(browser, "data/file", { cid: "bafkreinone" })).status, 404)
  })

  it("a picture opens inline in a sandbox, for our own pages only", async () => {
    const { who, browser } = await someone()
    const path = `/account/data/blob?cid=${who.avatar}`
    const answer = await fetchFile(browser, path, asPicture)
    assert.strictEqual(answer.status, 200)
    assert.deepStrictEqual(
      new Uint8Array(await answer.arrayBuffer()),
      png(who.handle.replace(".test", ""))
    )
    const { headers } = answer
    assert.strictEqual(headers.get("content-type"), "image/png")
    assert.strictEqual(headers.get("content-security-policy"), "default-src 'none'; sandbox")
    assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
    assert.strictEqual(headers.get("cross-origin-resource-policy"), "same-origin")
    assert.match(headers.get("content-disposition") ?? "", /^inline; filename="\w+\.png"$/)
    for (const [name, value] of [
      ["sec-fetch-site", "cross-site"],
      ["sec-fetch-site", "same-site"],
      ["sec-fetch-dest", "script"],
      ["sec-fetch-dest", "iframe"]
    ] as const) {
      const refused = await fetchFile(browser, path, { ...asPicture, [name]: value })
      assert.strictEqual(refused.status, 403, `${name}: ${value}`)
    }
    // Other routes don't accept such a request.
    assert.strictEqual((await fetchFile(browser, "/account/data", asPicture)).status, 403)
    assert.strictEqual(
      (await fetchFile(browser, "/account/data/json?collection=x&key=y", asPicture)).status,
      403
    )
  })

  it("HTML, SVG and large pictures are only downloaded, without a type that browsers run", async () => {
    const { who, browser } = await someone()
    const bytes = (text: string) => new TextEncoder().encode(text)
    const script = "<script>alert(1)</script>"
    const large = new Uint8Array(previewLimit + 1)
    large.set(png("large"))
    const cids = [
      await uploadAs(who, "text/html", bytes(`<!doctype html>${script}`)),
      await uploadAs(
        who,
        "image/svg+xml",
        bytes(`<svg xmlns="http://www.w3.org/2000/svg">${script}</svg>`)
      ),
      await uploadAs(who, "application/xhtml+xml", bytes(`<html>${script}</html>`)),
      await uploadAs(who, "image/png", large)
    ]
    for (const cid of cids) {
      const { headers, status } = await fetchFile(
        browser,
        `/account/data/blob?cid=${cid}`,
        asPicture
      )
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("content-type"), "application/octet-stream")
      assert.match(headers.get("content-disposition") ?? "", /^attachment;/)
      assert.strictEqual(headers.get("content-security-policy"), "default-src 'none'; sandbox")
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
    }
    const list = await see(browser, "data/files")
    assert.notMatch(list.text, new RegExp(`src="[^"]*(?:${cids.join("|")})`))
  })

  it("the page shows how much is stored, of the account's own quota", async () => {
    const { who, browser } = await someone()
    assert.match((await see(browser, "data")).text, / of 50(\.0)? GB used by pictures/)
    await ask(world, who.did, "setQuota", { bytes: 5e9 })
    assert.match((await see(browser, "data")).text, / of 5(\.0)? GB used by pictures/)
    await ask(world, who.did, "setQuota", { bytes: 0 })
    assert.match((await see(browser, "data")).text, / bytes of pictures, videos and other files\./)
  })

  it("unused uploads are deleted after a confirmation; files in use stay, whatever a form names", async () => {
    const { who, browser } = await someone()
    const unused = await uploadAs(who, "image/png", png(`unused ${who.did}`))
    const { used } = await ask(world, who.did, "storage")
    const page = await see(browser, "data/files")
    assert.include(page.text, "Not used")
    const keyOf = async (cid: string) => (await ask(world, who.did, "ownBlob", cid))?.key ?? ""
    const keys = [await keyOf(unused), await keyOf(who.avatar)]
    const question = await browser.post(page.form("/data/discard"), { f0: unused, f1: who.avatar })
    assert.include(question.text, "Delete 2 unused files?")
    assert.isDefined(await ask(world, who.did, "ownBlob", unused))
    const partly = await browser.submit(question.form("/data/discard"))
    assert.include(partly.text, "Not all of these files are deleted")
    assert.isUndefined(await ask(world, who.did, "ownBlob", unused))
    assert.isDefined(await ask(world, who.did, "ownBlob", who.avatar))
    const sizes = await world.beneath(
      Effect.flatMap(BlobStore, (store) => Effect.forEach(keys, (key) => store.head(key)))
    )
    assert.isUndefined(sizes[0])
    assert.isDefined(sizes[1])
    const left = await ask(world, who.did, "storage")
    assert.strictEqual(left.used, used - png(`unused ${who.did}`).length)
    const none = await browser.post(page.form("/data/discard"))
    assert.strictEqual(none.status, 400)
    assert.include(none.text, "Select at least one file")
  })
})

describe("another account’s data", () => {
  it("another account's data can't be seen or deleted by its DID, cursors or CIDs", async () => {
    const { who } = await someone()
    const { who: other, browser } = await someone()
    const query = { account: who.did, collection: posts, key: "3kaaaaaaaaa22", cid: who.avatar }
    for (const page of [
      "data",
      "data/records",
      "data/record",
      "data/files",
      "data/file",
      "data/blob",
      "data/json"
    ]) {
      const { location } = await see(browser, page, query)
      assert.match(location ?? "", /^\/account\/sign-in/, page)
      const stranger = await see(new Browser(world), page, { ...query, account: "" })
      assert.match(stranger.location ?? "", /^\/account\/sign-in/, page)
    }
    assert.strictEqual((await see(browser, "data/blob", { cid: who.avatar })).status, 404)
    assert.strictEqual((await see(browser, "data/file", { cid: who.avatar })).status, 404)
    const listed = await see(browser, "data/records", {
      collection: posts,
      after: `at://${who.did}/zzz`
    })
    for (const key of keysIn(listed)) {
      const shown = await see(browser, "data/record", { collection: posts, key })
      assert.include(shown.text, `at://${other.did}/`)
    }
    const own = (await see(browser, "data/records", { collection: posts })).form("/data/delete")
    const foreign = await browser.post(own, {
      account: who.did,
      r0: "3kaaaaaaaaa22",
      confirmed: "yes"
    })
    assert.match(foreign.location ?? "", /^\/account\/sign-in/)
    assert.strictEqual(await recordsOf(who, posts), 1)
  })
})
