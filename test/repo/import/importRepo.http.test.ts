import { gzipSync } from "node:zlib"
import { Secp256k1Keypair } from "@atproto/crypto"
import * as Reference from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CID } from "multiformats/cid"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import { decodeFrame } from "../../../src/core/repo/frame.ts"
import { BlobIndex } from "../../../src/services/blobs/BlobIndex.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { basic, bearer, type Asked } from "../../support/http/httpHost.ts"
import { makeMover, type Mover } from "../../support/http/httpMover.ts"
import {
  ok,
  outcomeOf,
  type Person,
  png,
  post,
  settled,
  signUp,
  startWorld,
  tidOf,
  type World
} from "../../support/http/httpWorld.ts"
import { blockOf, carOf, foreignRepo, foreignRepoOf, newKey, posts } from "./importCars.ts"

const nsid = "com.atproto.repo.importRepo"
const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))
const carType = { "content-type": "application/vnd.ipld.car" }
const collection = "app.bsky.feed.post"

/** An account that moves in: its DID, the key that signs its old repo, and a session here. */
interface Arriving {
  readonly mover: Mover
  readonly key: Secp256k1Keypair
  readonly auth: string
}

/** A repo created and exported by the reference library. */
const referenceCar = async (did: string, key: Secp256k1Keypair, records: Iterable<object>) => {
  const storage = new Reference.MemoryBlockstore()
  const writes = [...records].map((record, n): Reference.RecordCreateOp => ({
    action: Reference.WriteOpAction.Create,
    collection,
    rkey: tidOf(n),
    record: record as never
  }))
  const repo = await Reference.Repo.create(storage, did, key, writes)
  const parts: Array<Uint8Array> = []
  for await (const part of Reference.getFullRepo(storage, repo.cid)) parts.push(part)
  return new Uint8Array(Buffer.concat(parts))
}

/** A post's picture, in the reference library's types. */
const embed = (bytes: Uint8Array) => ({
  $type: "app.bsky.embed.images",
  images: [
    {
      alt: "",
      image: {
        $type: "blob",
        ref: CID.parse(cidForRaw(bytes).toString()),
        mimeType: "image/png",
        size: bytes.length
      }
    }
  ]
})

describe("com.atproto.repo.importRepo", () => {
  let world: World
  let seed = 0x70
  beforeAll(async () => {
    world = await startWorld({ IMPORT_LIMIT: "2000000" })
  })
  afterAll(() => world.close())

  const arrive = async (): Promise<Arriving> => {
    const number = (seed += 1)
    const mover = await makeMover(world, number)
    const invite = { auth: basic(), input: { useCount: 1 } }
    const { code } = ok(await world.call("com.atproto.server.createInviteCode", invite))
    const input = {
      did: mover.did,
      handle: `arriving${number}.test`,
      email: `arriving${number}@mail.example.com`,
      password: "a good password",
      inviteCode: code
    }
    const createAccount = "com.atproto.server.createAccount"
    const auth = bearer(await mover.token(createAccount))
    const made = ok(await world.call(createAccount, { input, auth }))
    const key = await Secp256k1Keypair.import(new Uint8Array(32).fill(number))
    return { mover, key, auth: bearer(made["accessJwt"]) }
  }

  const importCar = (auth: string, body: BodyInit, more: Asked = {}) =>
    world.call(nsid, { auth, body, headers: carType, ...more })

  const statusOf = async (auth: string) =>
    ok(await world.call("com.atproto.server.checkAccountStatus", { auth }))

  /** The staged keys, which nothing has been recorded under. */
  const staged = (did: string) =>
    world.inside(
      did,
      Effect.map(
        SqlStorage,
        (sql) => sql.exec("SELECT id FROM blob WHERE state IN (0, 1, 4)").toArray()[0]
      )
    )

  it("importRepo imports a repo from the reference PDS, then its blobs, and the account goes live with them", async () => {
    const { mover, key, auth } = await arrive()
    const { did } = mover
    const images = [png("one"), png("two")]
    const records = [
      ...Array.from({ length: 120 }, (_, n) => post(`from elsewhere ${n}`)),
      ...images.map((bytes) => ({ ...post("with a picture"), embed: embed(bytes) }))
    ]
    const car = await referenceCar(did, key, records)
    assert.strictEqual(outcomeOf(await importCar(auth, car)), "ok")
    const imported = await statusOf(auth)
    assert.deepInclude(imported, {
      activated: false,
      indexedRecords: 122,
      expectedBlobs: 2,
      importedBlobs: 0
    })
    const missing = async () =>
      ok(await world.call("com.atproto.repo.listMissingBlobs", { auth }))["blobs"]
    assert.strictEqual((await missing()).length, 2)
    for (const bytes of images) {
      const body = bytes as Uint8Array<ArrayBuffer>
      const headers = { "content-type": "image/png" }
      ok(await world.call("com.atproto.repo.uploadBlob", { auth, body, headers }))
    }
    assert.strictEqual((await missing()).length, 0)
    assert.deepInclude(await statusOf(auth), { expectedBlobs: 2, importedBlobs: 2 })
    const asked = { auth, params: { did } }
    const { bytes: exported } = await world.call("com.atproto.sync.getRepo", asked)
    const credentials = "com.atproto.identity.getRecommendedDidCredentials"
    const { verificationMethods } = ok(await world.call(credentials, { auth }))
    const signing = verificationMethods["atproto"]
    const before = await Reference.verifyRepoCar(car, did, key.did())
    const after = await Reference.verifyRepoCar(exported, did, signing)
    const texts = ({ creates }: typeof after) =>
      creates.map(({ rkey, cid }) => `${rkey} ${cid}`).toSorted()
    assert.deepStrictEqual(texts(after), texts(before))

    const frames = world.subscribe()
    await mover.pointHere({ signing, rotation })
    ok(await world.call("com.atproto.server.activateAccount", { method: "POST", auth }))
    await settled(world, did)
    await world.delivered()
    const kinds = frames.map((frame) => (decodeFrame(frame).header as { t: string }).t)
    assert.strictEqual(kinds.at(-1), "#sync")
    const params = { collection, limit: 500 }
    const holders = ok(await world.call("com.atproto.sync.listReposByCollection", { params }))
    assert.include(
      holders["repos"].map((repo: { did: string }) => repo.did),
      did
    )
    const blob = { did, cid: cidForRaw(images[0]!).toString() }
    assert.strictEqual((await world.call("com.atproto.sync.getBlob", { params: blob })).status, 200)
    assert.isUndefined(await staged(did))
  })

  it("importRepo restores this account's own export over later changes", async () => {
    const who = await signUp(world, "returning")
    const { did, auth } = who
    const { bytes } = await world.call("com.atproto.sync.getRepo", { params: { did } })
    await write(who)
    await settled(world, did)
    const frames = world.subscribe()
    assert.strictEqual(outcomeOf(await importCar(auth, bytes as Uint8Array<ArrayBuffer>)), "ok")
    await settled(world, did)
    await world.delivered()
    assert.strictEqual((await statusOf(auth))["indexedRecords"], 2)
    assert.deepStrictEqual(
      frames.map((frame) => (decodeFrame(frame).header as { t: string }).t),
      ["#sync"]
    )
    await write(who)
    assert.strictEqual((await statusOf(auth))["indexedRecords"], 3)
    assert.strictEqual((await statusOf(auth))["importedBlobs"], 1)
  })

  const write = async ({ did, auth }: Person) => {
    const input = { repo: did, collection, record: post("later") }
    ok(await world.call("com.atproto.repo.createRecord", { auth, input }))
  }

  it("importRepo accepts a CAR of unknown length, and a compressed one", async () => {
    const { mover, key, auth } = await arrive()
    const car = carOf(await foreignRepo(key, posts(30), { did: mover.did }))
    const stream = new Blob([car]).stream()
    assert.strictEqual(outcomeOf(await importCar(auth, stream)), "ok")
    const headers = { ...carType, "content-encoding": "gzip" }
    assert.strictEqual(outcomeOf(await importCar(auth, gzipSync(car), { headers })), "ok")
    assert.strictEqual((await statusOf(auth))["indexedRecords"], 30)
  })

  it("importRepo accepts only a CAR, and none above its limit, whatever length is declared", async () => {
    const { auth, mover } = await arrive()
    for (const type of ["application/json", "text/html"]) {
      const answer = await importCar(auth, "{}", { headers: { "content-type": type } })
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
      assert.include(answer.body["message"], "application/vnd.ipld.car")
    }
    assert.strictEqual(outcomeOf(await importCar(auth, "")), "400 InvalidRequest")
    const large = new Uint8Array(2_000_001)
    assert.strictEqual(outcomeOf(await importCar(auth, large)), "413 PayloadTooLarge")
    const stream = new Blob([large]).stream()
    assert.strictEqual(outcomeOf(await importCar(auth, stream)), "413 PayloadTooLarge")
    const bomb = { headers: { ...carType, "content-encoding": "gzip" } }
    assert.strictEqual(
      outcomeOf(await importCar(auth, gzipSync(large), bomb)),
      "413 PayloadTooLarge"
    )
    const status = await statusOf(auth)
    assert.strictEqual(status["indexedRecords"], 0)
    assert.strictEqual(status["repoBlocks"], 2)
    world.advance(7 * 3_600_000)
    await world.inside(
      mover.did,
      Effect.map(BlobIndex, (blobs) => blobs.swept(blobs.sweep(world.now(), 1, 100)))
    )
    assert.isUndefined(await staged(mover.did))
  })

  it("importRepo recognizes a CAR by its bytes if its type says nothing", async () => {
    const { mover, key, auth } = await arrive()
    const car = carOf(await foreignRepo(key, posts(3), { did: mover.did }))
    for (const type of ["*/*", "application/octet-stream", "application/vnd.ipld.car; v=1"]) {
      const answer = await importCar(auth, car, { headers: { "content-type": type } })
      assert.strictEqual(outcomeOf(answer), "ok", type)
      assert.strictEqual(answer.text, "")
    }
  })

  it("importRepo lists the old records that it keeps as they are, and serves them", async () => {
    const { mover, key, auth } = await arrive()
    const { did } = mover
    const float = Uint8Array.from([0xa1, 0x61, 0x61, 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0])
    const old = (rkey: string) => `com.example.note/${rkey}`
    const blocks = new Map([
      [old("fine"), blockOf({ $type: "com.example.note", text: "fine" })],
      [old("float"), { cid: cidForCbor(float), bytes: float }],
      [old("list"), blockOf([1, 2])],
      ["Com.Example.note/a", blockOf({ text: "capital" })]
    ])
    const answer = await importCar(auth, carOf(await foreignRepoOf(key, blocks, { did })))
    assert.deepStrictEqual(ok(answer), {
      keptAsTheyCame: 3,
      records: [
        {
          uri: `at://${did}/Com.Example.note/a`,
          reason: "its collection is not a normalized NSID"
        },
        {
          uri: `at://${did}/${old("float")}`,
          reason: "it is not strict DAG-CBOR: a float"
        },
        { uri: `at://${did}/${old("list")}`, reason: "it is no object" }
      ]
    })
    assert.strictEqual((await statusOf(auth))["indexedRecords"], 4)
    const signedIn = { auth, params: { repo: did, collection: "com.example.note" } }
    const listed = ok(await world.call("com.atproto.repo.listRecords", signedIn))["records"]
    assert.deepStrictEqual(
      listed.map(({ value }: { readonly value: unknown }) => value),
      [{ block: { $bytes: "ggEC" } }, { a: 1.5 }, { $type: "com.example.note", text: "fine" }]
    )
    const params = { repo: did, collection: "com.example.note", rkey: "float" }
    const one = ok(await world.call("com.atproto.repo.getRecord", { auth, params }))
    assert.deepStrictEqual(one["value"], { a: 1.5 })
    assert.strictEqual(one["cid"], cidForCbor(float).toString())
    const proof = { did, collection: "com.example.note", rkey: "float" }
    const { bytes } = await world.call("com.atproto.sync.getRecord", { auth, params: proof })
    assert.include(Buffer.from(bytes).toString("latin1"), Buffer.from(float).toString("latin1"))
    const capital = { repo: did, collection: "Com.Example.note", rkey: "a" }
    ok(await world.call("com.atproto.repo.getRecord", { auth, params: capital }))
  })

  it("importRepo says what is wrong with a CAR, keeps nothing of it, and accepts a valid one next", async () => {
    const { mover, key, auth } = await arrive()
    const { did } = mover
    const stranger = carOf(await foreignRepo(await newKey(), posts(3), { did }))
    const before = await statusOf(auth)
    const refused = await importCar(auth, stranger)
    assert.strictEqual(outcomeOf(refused), "400 InvalidRequest")
    assert.include(refused.body["message"], "not signed with the key that the DID document names")
    assert.deepStrictEqual(await statusOf(auth), before)
    assert.isUndefined(await staged(did))
    const good = carOf(await foreignRepo(key, posts(3), { did }))
    assert.strictEqual(outcomeOf(await importCar(auth, good)), "ok")
  })

  it("importRepo resolves the account's signing key past every cache", async () => {
    const { mover, key, auth } = await arrive()
    const { did } = mover
    const car = carOf(await foreignRepo(key, posts(3), { did }))
    assert.strictEqual(outcomeOf(await importCar(auth, car)), "ok")
    const next = await newKey()
    await mover.pointHere({ signing: next.did(), rotation })
    assert.strictEqual(outcomeOf(await importCar(auth, car)), "400 InvalidRequest")
    const fresh = carOf(await foreignRepo(next, posts(4), { did }))
    assert.strictEqual(outcomeOf(await importCar(auth, fresh)), "ok")
  })
})

describe("a server without imports", () => {
  it("importRepo fails before it reads a byte on a server without imports", async () => {
    const world = await startWorld({ ACCEPT_IMPORTS: "off" })
    const { did, auth } = world.alice
    const { bytes } = await world.call("com.atproto.sync.getRepo", { params: { did } })
    const body = bytes as Uint8Array<ArrayBuffer>
    const answer = await world.call(nsid, { auth, body, headers: carType })
    assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
    assert.include(answer.body["message"], "does not accept imports")
    await world.close()
  })
})

describe("an account that imports too often", () => {
  it("importRepo is limited to twenty an hour", async () => {
    const world = await startWorld({ RATE_LIMITS: "sensitive" })
    const { auth } = world.alice
    const importCar = () => world.call(nsid, { auth, body: "no CAR", headers: carType })
    for (let count = 0; count < 20; count++) {
      assert.strictEqual(outcomeOf(await importCar()), "400 InvalidRequest")
    }
    assert.strictEqual(outcomeOf(await importCar()), "429 RateLimitExceeded")
    world.advance(3_601_000)
    assert.strictEqual(outcomeOf(await importCar()), "400 InvalidRequest")
    await world.close()
  })
})
