import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { gzipSync } from "node:zlib"
import { onAlarm } from "../../src/services/accounts/onAlarm.ts"
import { type Answered, bearer, requestOf } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  png,
  post,
  session,
  signUp,
  startWorld,
  upload,
  type World
} from "../support/http/httpWorld.ts"

const collection = "app.bsky.feed.post"

interface Image {
  readonly ref: { readonly $link: string }
  readonly mimeType: string
  readonly size: number
}

describe("blob faults that other servers had", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld({ BLOB_LIMIT: "1000000", BLOB_GRACE_HOURS: "6" })
  })
  afterAll(() => world.close())

  const newcomer = () => signUp(world, `blob${world.next()}`)

  const write = (nsid: string, who: Person, input: object) =>
    world.call(`com.atproto.repo.${nsid}`, { auth: who.auth, input: { repo: who.did, ...input } })

  const picture = async (who: Person, content: string) =>
    (await upload(world, who.auth, png(content))) as Image

  const cidsOf = async ({ did }: Person): Promise<ReadonlyArray<string>> =>
    ok(await world.call("com.atproto.sync.listBlobs", { params: { did } }))["cids"]

  const getBlob = (who: Person, cid: string, headers = {}, auth?: string): Promise<Answered> =>
    world.call("com.atproto.sync.getBlob", { params: { did: who.did, cid }, headers, auth })

  const postWith = (image: Image, text = "a picture") => ({
    ...post(text),
    embed: { $type: "app.bsky.embed.images", images: [{ alt: "", image }] }
  })

  it("an upload without a reference is neither listed nor served, not even to its owner", async () => {
    const who = await newcomer()
    const image = await picture(who, "unseen")
    assert.notInclude(await cidsOf(who), image.ref.$link)
    assert.strictEqual(outcomeOf(await getBlob(who, image.ref.$link)), "400 BlobNotFound")
    const asOwner = await getBlob(who, image.ref.$link, {}, who.auth)
    assert.strictEqual(outcomeOf(asOwner), "400 BlobNotFound")
    ok(await write("createRecord", who, { collection, record: postWith(image) }))
    assert.include(await cidsOf(who), image.ref.$link)
    assert.deepStrictEqual((await getBlob(who, image.ref.$link)).bytes, png("unseen"))
  })

  it("an upload without a reference is deleted after the grace period, and a referenced one stays", async () => {
    const who = await newcomer()
    const [gone, kept] = [await picture(who, "gone"), await picture(who, "kept")]
    ok(await write("createRecord", who, { collection, record: postWith(kept) }))
    world.advance(7 * 3_600_000)
    await world.inside(who.did, onAlarm)
    // The session from seven hours ago has expired.
    const auth = bearer((await session(world, who.did, "full")).accessJwt)
    const late = await write(
      "createRecord",
      { ...who, auth },
      { collection, record: postWith(gone) }
    )
    assert.strictEqual(outcomeOf(late), "400 BlobNotFound")
    assert.strictEqual((await getBlob(who, kept.ref.$link)).status, 200)
    world.advance(-7 * 3_600_000)
  })

  it("a blob deep inside an unknown record counts as referenced", async () => {
    const who = await newcomer()
    const image = await picture(who, "deep")
    const record = { $type: "com.example.deep", a: [{ b: { c: [[{ d: image }]] } }] }
    const made = ok(await write("createRecord", who, { collection: record.$type, record }))
    assert.include(await cidsOf(who), image.ref.$link)
    const rkey = made["uri"].split("/").at(-1)
    const bare = { $type: "com.example.deep" }
    ok(await write("putRecord", who, { collection: record.$type, rkey, record: bare }))
    assert.notInclude(await cidsOf(who), image.ref.$link)
  })

  it("a picture in two records stays until the last of them is deleted", async () => {
    const who = await newcomer()
    const image = await picture(who, "shared")
    const made = []
    for (const text of ["one", "two"]) {
      const record = postWith(image, text)
      made.push(ok(await write("createRecord", who, { collection, record })))
    }
    for (const { uri } of made) {
      assert.include(await cidsOf(who), image.ref.$link)
      assert.strictEqual((await getBlob(who, image.ref.$link)).status, 200)
      ok(await write("deleteRecord", who, { collection, rkey: uri.split("/").at(-1) }))
    }
    assert.notInclude(await cidsOf(who), image.ref.$link)
    assert.strictEqual(outcomeOf(await getBlob(who, image.ref.$link)), "400 BlobNotFound")
  })

  it("a record is rejected if it refers to a missing blob, or states the wrong type or size", async () => {
    const who = await newcomer()
    const image = await picture(who, "right")
    const text = (await upload(world, who.auth, new TextEncoder().encode("plain"))) as Image
    const missing = { ...image, ref: { $link: who.post.replace("bafyrei", "bafkrei") } }
    for (const [blob, error, unchecked] of [
      [missing, "400 BlobNotFound", "400 BlobNotFound"],
      // The lexicon limits what a post may show; without its check the index does.
      [{ ...text, mimeType: "text/plain" }, "400 InvalidRequest", "400 InvalidMimeType"],
      [{ ...image, mimeType: "image/jpeg" }, "400 InvalidMimeType", "400 InvalidMimeType"],
      [{ ...image, size: image.size + 1 }, "400 InvalidSize", "400 InvalidSize"]
    ] as const) {
      for (const [validate, expected] of [
        [undefined, error],
        [false, unchecked]
      ] as const) {
        const record = { collection, record: postWith(blob), validate }
        const outcome = outcomeOf(await write("createRecord", who, record))
        assert.strictEqual(outcome, expected, JSON.stringify(blob))
      }
    }
    assert.lengthOf(await cidsOf(who), 1)
  })

  it("a blob is served with headers that keep browsers from running it", async () => {
    const who = await newcomer()
    const html = new TextEncoder().encode("<script>alert(document.domain)</script>")
    const answer = await world.call("com.atproto.repo.uploadBlob", {
      auth: who.auth,
      body: html,
      headers: { "content-type": "text/html" }
    })
    const image = ok(answer)["blob"] as Image
    const record = { $type: "com.example.page", file: image }
    ok(await write("createRecord", who, { collection: record.$type, record }))
    for (const [auth, cache] of [
      [undefined, "public"],
      [who.auth, "private"]
    ] as const) {
      const { headers, status } = await getBlob(who, image.ref.$link, {}, auth)
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(headers.get("content-security-policy"), "default-src 'none'; sandbox")
      assert.strictEqual(
        headers.get("content-disposition"),
        `attachment; filename="${image.ref.$link}"`
      )
      assert.include(headers.get("cache-control") ?? "", cache)
      assert.strictEqual(headers.get("content-length"), String(html.length))
    }
  })

  it("an upload with a false type is stored as what its bytes show", async () => {
    const answer = await world.call("com.atproto.repo.uploadBlob", {
      auth: world.alice.auth,
      body: png("disguised") as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "text/html" }
    })
    assert.strictEqual((ok(answer)["blob"] as Image).mimeType, "image/png")
  })

  it("a blob can be requested in parts, and a HEAD returns its size", async () => {
    const { alice } = world
    const whole = (await getBlob(alice, alice.avatar)).bytes
    const part = async (range: string) => {
      const { status, bytes, headers } = await getBlob(alice, alice.avatar, { range })
      return [status, Buffer.from(bytes).toString("latin1"), headers.get("content-range")]
    }
    const text = (from: number, to?: number) =>
      Buffer.from(whole.subarray(from, to)).toString("latin1")
    const { length } = whole
    assert.deepStrictEqual(await part("bytes=1-3"), [206, text(1, 4), `bytes 1-3/${length}`])
    assert.deepStrictEqual(await part("bytes=-2"), [
      206,
      text(length - 2),
      `bytes ${length - 2}-${length - 1}/${length}`
    ])
    assert.deepStrictEqual((await part("bytes=9999-")).at(0), 416)
    assert.deepStrictEqual((await part("lines=1-2")).at(0), 200)
    const params = { did: alice.did, cid: alice.avatar }
    const head = await world.call("com.atproto.sync.getBlob", { params, method: "HEAD" })
    assert.strictEqual(head.headers.get("content-length"), String(length))
    const etag = head.headers.get("etag") ?? ""
    assert.strictEqual((await getBlob(alice, alice.avatar, { "if-none-match": etag })).status, 304)
  })

  it("an upload above the limit is a 413 with or without a length, and an empty one a 400", async () => {
    const { auth } = world.alice
    const nsid = "com.atproto.repo.uploadBlob"
    const headers = { "content-type": "image/png" }
    const large = new Uint8Array(1_000_001)
    const send = async (body: BodyInit, more = {}) =>
      outcomeOf(
        await world.call(nsid, { auth, method: "POST", body, headers: { ...headers, ...more } })
      )
    assert.strictEqual(await send(large), "413 PayloadTooLarge")
    assert.strictEqual(await send(new Blob([large]).stream()), "413 PayloadTooLarge")
    const packed = new Uint8Array(gzipSync(large))
    assert.strictEqual(await send(packed, { "content-encoding": "gzip" }), "413 PayloadTooLarge")
    assert.strictEqual(await send(new Uint8Array(0)), "400 InvalidRequest")
    assert.strictEqual(
      await send(png("x") as Uint8Array<ArrayBuffer>, { "content-encoding": "x" }),
      "415 UnsupportedMediaType"
    )
    assert.strictEqual(
      await send(png("x") as Uint8Array<ArrayBuffer>, { "content-encoding": "gzip" }),
      "400 InvalidRequest"
    )
    const fine = ok(
      await world.call(nsid, {
        auth,
        body: new Uint8Array(gzipSync(png("packed"))),
        headers: { ...headers, "content-encoding": "gzip" }
      })
    )
    assert.strictEqual(fine["blob"].size, png("packed").length)
  })

  it("an upload whose client disconnects half way leaves nothing", async () => {
    const who = await newcomer()
    const aborted = new AbortController()
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(png("half"))
        aborted.abort()
        controller.error(new Error("gone"))
      }
    })
    const request = requestOf("/xrpc/com.atproto.repo.uploadBlob", {
      auth: who.auth,
      body,
      headers: { "content-type": "image/png" }
    })
    const response = await world.handler(request)
    assert.isAtLeast(response.status, 400)
    assert.isBelow(response.status, 500)
    assert.deepStrictEqual(await cidsOf(who), [who.avatar])
  })
})
