import { Secp256k1Keypair } from "@atproto/crypto"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { formatDidKey, publicKeyOf } from "../../src/core/identity/didKey.ts"
import type { Data } from "../../src/core/repo/cbor.ts"
import { type Cid, cidForRaw } from "../../src/core/repo/cid.ts"
import { bearer } from "../support/http/httpHost.ts"
import { makeMover } from "../support/http/httpMover.ts"
import { ok, outcomeOf, png, startWorld, type World } from "../support/http/httpWorld.ts"
import { carOf, foreignRepo } from "../repo/import/importCars.ts"

const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))
const seed = 0x93
const collection = "org.example.file"
const post = "app.bsky.feed.post/3jui7kd54zh2y"
const createdAt = "2023-03-01T00:00:00.000Z"

const textOf = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new TextEncoder().encode(text))

const files = {
  plain: textOf("a file of no known form"),
  page: textOf("page <html>"),
  odd: textOf("a file with an odd type"),
  picture: new Uint8Array(png("really a picture")),
  book: textOf("PK\u0003\u0004 a book"),
  old: textOf("a picture of 2022"),
  lost: textOf("a file that the old server has lost")
}

const cidOf = (bytes: Uint8Array): Cid => cidForRaw(bytes)
const ref = (bytes: Uint8Array, mimeType: string): Data => ({
  $type: "blob",
  ref: cidOf(bytes),
  mimeType,
  size: bytes.length
})
const old = { cid: cidOf(files.old).toString(), mimeType: "image/jpeg" }

const records = new Map<string, { readonly [key: string]: Data }>([
  [`${collection}/plain`, { $type: collection, file: ref(files.plain, "application/x-custom") }],
  [`${collection}/page`, { $type: collection, file: ref(files.page, "text/html") }],
  [`${collection}/odd`, { $type: collection, file: ref(files.odd, "nonsense/\r\nx: y") }],
  [`${collection}/picture`, { $type: collection, file: ref(files.picture, "text/html") }],
  [`${collection}/book`, { $type: collection, file: ref(files.book, "application/epub+zip") }],
  [`${collection}/lost`, { $type: collection, file: ref(files.lost, "image/png") }],
  [
    post,
    {
      $type: "app.bsky.feed.post",
      text: "2023",
      createdAt,
      embed: { $type: "app.bsky.embed.images", images: [{ alt: "", image: old }] }
    }
  ]
])

/** Imports an account's repo, then uploads its blobs without a type. */
const moveIn = async (world: World) => {
  const mover = await makeMover(world, seed)
  const { did } = mover
  const createAccount = "com.atproto.server.createAccount"
  const password = "a good password"
  const input = { did, handle: "moved.test", email: "moved@mail.example.com", password }
  const by = bearer(await mover.token(createAccount))
  const auth = bearer(ok(await world.call(createAccount, { input, auth: by }))["accessJwt"])
  const key = await Secp256k1Keypair.import(new Uint8Array(32).fill(seed))
  const headers = { "content-type": "application/vnd.ipld.car" }
  const car = carOf(await foreignRepo(key, records, { did }))
  ok(await world.call("com.atproto.repo.importRepo", { auth, body: car, headers }))
  for (const [name, body] of Object.entries(files)) {
    if (name === "lost") continue
    const untyped = { "content-type": "*/*" }
    ok(await world.call("com.atproto.repo.uploadBlob", { auth, body, headers: untyped }))
  }
  const credentials = "com.atproto.identity.getRecommendedDidCredentials"
  const { verificationMethods } = ok(await world.call(credentials, { auth }))
  await mover.pointHere({ signing: verificationMethods["atproto"], rotation })
  ok(await world.call("com.atproto.server.activateAccount", { method: "POST", auth }))
  return { did, auth }
}

describe("blobs of an account that moved in, sent without a type", () => {
  let world: World
  let who: { readonly did: string; readonly auth: string }
  beforeAll(async () => {
    world = await startWorld({ INVITE_REQUIRED: "off" })
    who = await moveIn(world)
  })
  afterAll(() => world.close())

  const typeOf = async (bytes: Uint8Array) => {
    const params = { did: who.did, cid: cidOf(bytes).toString() }
    return (await world.call("com.atproto.sync.getBlob", { params })).headers.get("content-type")
  }

  const read = async (path: string) => {
    const [name, rkey] = path.split("/")
    const params = { repo: who.did, collection: name!, rkey: rkey! }
    return ok(await world.call("com.atproto.repo.getRecord", { params }))["value"]
  }

  const put = (path: string, record: object) => {
    const [name, rkey] = path.split("/")
    const input = { repo: who.did, collection: name, rkey, record }
    return world.call("com.atproto.repo.putRecord", { auth: who.auth, input })
  }

  it("a blob takes the type in its record if its bytes don't show one", async () => {
    assert.strictEqual(await typeOf(files.plain), "application/x-custom")
    assert.strictEqual(await typeOf(files.page), "text/html")
    assert.strictEqual(await typeOf(files.old), "image/jpeg")
    assert.strictEqual(await typeOf(files.book), "application/epub+zip")
  })

  it("a blob keeps the type that its bytes show, and never takes an invalid one", async () => {
    assert.strictEqual(await typeOf(files.picture), "image/png")
    assert.strictEqual(await typeOf(files.odd), "application/octet-stream")
  })

  it("a record can be edited and keep its blob reference, whatever that says", async () => {
    for (const name of ["plain", "page", "odd", "picture", "book", "lost"]) {
      const path = `${collection}/${name}`
      const value = await read(path)
      ok(await put(path, { ...value, title: "edited" }))
      assert.deepStrictEqual(await read(path), { ...value, title: "edited" })
    }
  })

  it("a new reference is checked", async () => {
    const { file } = await read(`${collection}/picture`)
    const elsewhere = await put(`${collection}/new`, { $type: collection, file })
    assert.strictEqual(outcomeOf(elsewhere), "400 InvalidMimeType")
    const changed = { ...file, mimeType: "text/plain" }
    const retyped = await put(`${collection}/picture`, { $type: collection, file: changed })
    assert.strictEqual(outcomeOf(retyped), "400 InvalidMimeType")
    const { file: lost } = await read(`${collection}/lost`)
    const missing = await put(`${collection}/picture`, { $type: collection, file: lost })
    assert.strictEqual(outcomeOf(missing), "400 BlobNotFound")
  })

  it("a post whose picture reference predates 2023 can be edited, and gets today's form", async () => {
    const value = await read(post)
    assert.deepStrictEqual(value.embed.images[0].image, old)
    const update = {
      $type: "com.atproto.repo.applyWrites#update",
      collection: "app.bsky.feed.post",
      rkey: post.split("/")[1],
      value: { ...value, text: "edited" }
    }
    const input = { repo: who.did, writes: [update] }
    ok(await world.call("com.atproto.repo.applyWrites", { auth: who.auth, input }))
    const { embed, text } = await read(post)
    assert.strictEqual(text, "edited")
    assert.deepStrictEqual(embed.images[0].image, {
      $type: "blob",
      ref: { $link: old.cid },
      mimeType: "image/jpeg",
      size: files.old.length
    })
  })
})
