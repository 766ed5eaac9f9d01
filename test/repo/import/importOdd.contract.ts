import * as Reference from "@atproto/repo"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Block, carBytes } from "../../../src/core/repo/car.ts"
import { CarParser } from "../../../src/core/repo/carParser.ts"
import { type Data, encode } from "../../../src/core/repo/cbor.ts"
import { cidForCbor, cidForRaw } from "../../../src/core/repo/cid.ts"
import { blockToJsonText } from "../../../src/core/repo/jsonText.ts"
import { BlobIndex } from "../../../src/services/blobs/BlobIndex.ts"
import { Records } from "../../../src/services/repo/Records.ts"
import { Repo } from "../../../src/services/repo/Repo.ts"
import { blockOf, carOf, commitWith, foreignRepo, foreignRepoOf, newKey } from "./importCars.ts"
import { checkImport, everything, importCar, type ImportWorld } from "./importRepo.fixture.ts"
import { did, type WithDatabase } from "../repo.fixture.ts"

const collection = "com.example.note"
const utf8 = new TextEncoder()

/** A map with one field whose value has these bytes. */
const field = (name: string, ...value: ReadonlyArray<number>): Uint8Array =>
  Uint8Array.from([0xa1, 0x60 + name.length, ...utf8.encode(name), ...value])

const picture = cidForRaw(utf8.encode("a picture"))
const subject = "at://did:plc:x/app.bsky.feed.post/3k"

/** A like with its keys out of order and a float. */
const oddLike = Uint8Array.from([
  0xa2,
  ...encode("subject"),
  ...encode({ uri: subject }),
  ...encode("n"),
  0xf9,
  0x3e,
  0
])

/** A record with a float and a blob whose reference is also out of order. */
const oddPicture = Uint8Array.from([
  0xa2,
  ...encode("size"),
  ...field("n", 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0).subarray(3),
  ...encode("pic"),
  0xa4,
  ...["size", 9, "ref", picture, "mimeType", "image/png", "$type", "blob"].flatMap((item) => [
    ...encode(item)
  ])
])

const blocks: ReadonlyArray<readonly [name: string, block: Uint8Array]> = [
  ["float", field("a", 0xfb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0)],
  ["half", field("a", 0x63, 0xed, 0xa0, 0xbd)],
  ["undefined", field("a", 0xf7)],
  ["wide", field("a", 0x1b, 0, 0x40, 0, 0, 0, 0, 0, 0)],
  ["padded", field("a", 0x18, 5)],
  ["order", Uint8Array.from([0xa2, ...encode("zz"), 1, ...encode("a"), 2])],
  ["list", encode([1, 2])],
  ["number", encode(5)],
  ["nothing", Uint8Array.from([0xff, 0, 1])],
  ["deep", Uint8Array.from([...field("a"), ...Array.from({ length: 60 }, () => 0x81), 1])],
  ["picture", oddPicture]
]

const blockWith = (bytes: Uint8Array): Block => ({ cid: cidForCbor(bytes), bytes })

const odd: ReadonlyMap<string, Block> = new Map([
  ...blocks.map(([name, bytes]) => [`${collection}/${name}`, blockWith(bytes)] as const),
  ["app.bsky.feed.like/3kaaaaaaaaa2a", blockWith(oddLike)],
  [`${collection}/plain`, blockOf({ $type: collection, text: "plain" })]
])

const elsewhere = (world: ImportWorld) =>
  Effect.promise(async () => {
    const key = await newKey()
    world.documentKey = key.did()
    return key
  })

/** The stored bytes, by path. */
const stored = Effect.map(
  Records,
  (records) => new Map(records.from("", 500).map(({ path, value }) => [path, [...value]]))
)

const bytesOf = (records: ReadonlyMap<string, Block>) =>
  new Map(
    [...records]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { bytes }]) => [path, [...bytes]])
  )

/** What an import accepts although it could not be written here, over any database. */
export const importOdd = (name: string, withDatabase: WithDatabase): void => {
  const check = checkImport(withDatabase)

  describe(`an import of an old repo, ${name}`, () => {
    check(
      "an import keeps records byte for byte that could not be written here, and lists them",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
          const imported = yield* importCar(carOf(repo))
          assert.deepStrictEqual(yield* stored, bytesOf(odd))
          assert.strictEqual(imported.odd, odd.size - 1)
          const named = new Map(imported.named.map(({ path, reason }) => [path, reason]))
          assert.deepStrictEqual(
            [...named.keys()].toSorted(),
            [...odd.keys()].filter((path) => !path.endsWith("/plain")).toSorted()
          )
          assert.include(named.get(`${collection}/float`), "float")
          assert.include(named.get(`${collection}/list`), "no object")
        })
    )

    check("an export contains odd records unchanged, and can be imported again", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
        yield* importCar(carOf(repo))
        const { car } = yield* everything
        const parser = new CarParser()
        parser.push(car)
        const found = new Map<string, ReadonlyArray<number>>()
        for (let block = parser.next(); block !== undefined; block = parser.next()) {
          found.set(block.cid.toString(), [...block.bytes])
        }
        for (const { cid, bytes } of odd.values()) {
          assert.deepStrictEqual(found.get(cid.toString()), [...bytes])
        }
        const verified = yield* Effect.promise(() =>
          Reference.verifyRepoCar(car, did, world.signingKey)
        )
        assert.strictEqual(verified.creates.length, odd.size)
        assert.strictEqual((yield* importCar(car)).odd, odd.size - 1)
        assert.deepStrictEqual(yield* stored, bytesOf(odd))
      })
    )

    check("an import indexes the blobs and subjects of odd records, and each has JSON", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
        yield* importCar(carOf(repo))
        assert.deepStrictEqual((yield* BlobIndex).missing({ limit: 10 }).items, [
          { cid: picture.toString(), path: `${collection}/picture` }
        ])
        const records = yield* Records
        assert.deepStrictEqual(records.backlinks("app.bsky.feed.like", subject), [
          "app.bsky.feed.like/3kaaaaaaaaa2a"
        ])
        for (const { value } of records.from("", 500)) {
          const json: unknown = JSON.parse(blockToJsonText(value))
          assert.isTrue(typeof json === "object" && json !== null && !Array.isArray(json))
        }
      })
    )

    check(
      "odd records can be replaced and deleted, along with their references and backlinks",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
          yield* importCar(carOf(repo))
          const { write } = yield* Repo
          for (const path of odd.keys()) {
            const [of, rkey] = path.split("/") as [string, string]
            const place = { collection: of, rkey }
            const record = { $type: of, text: "edited" }
            yield* write([{ action: "put", ...place, record }], { validate: false })
            yield* write([{ action: "delete", ...place, strict: true }], {})
          }
          assert.strictEqual((yield* stored).size, 0)
          assert.strictEqual((yield* (yield* Repo).head).records, 0)
          assert.deepStrictEqual((yield* Records).backlinks("app.bsky.feed.like", subject), [])
          assert.deepStrictEqual((yield* BlobIndex).counts(), { expected: 0, imported: 0 })
        })
    )

    check(
      "an import keeps invalid collections and keys, lists them, and none can be created",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const records = new Map<string, { readonly [key: string]: Data }>(
            ["Com.Example.note/a", "note/a", "com.example.note/.."].map((path) => [
              path,
              { text: path }
            ])
          )
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          const { named } = yield* importCar(carOf(repo))
          assert.deepStrictEqual(
            new Map(named.map(({ path, reason }) => [path, reason])),
            new Map([
              ["Com.Example.note/a", "its collection is not a normalized NSID"],
              ["note/a", "its collection is no NSID"],
              ["com.example.note/..", "its key is no record key"]
            ])
          )
          const { write } = yield* Repo
          const capital = "Com.Example.note"
          const record = { $type: capital, text: "edited" }
          yield* write([{ action: "update", collection: capital, rkey: "a", record }], {})
          for (const action of ["create", "put"] as const) {
            const created = { action, collection: capital, rkey: "new", record } as const
            const refused = yield* Effect.flip(write([created], {}))
            assert.strictEqual(refused._tag, "InvalidWrite")
          }
          yield* write([{ action: "delete", collection: capital, rkey: "a", strict: true }], {})
        })
    )

    const commits: ReadonlyArray<
      readonly [what: string, fields: { readonly [key: string]: Data }]
    > = [
      ["of version 2 without a rev", { version: 2, prev: null }],
      ["of version 2 with a rev", { version: 2, prev: null, rev: "3kabcdefghijk" }],
      ["without a prev", { version: 3, rev: "3kabcdefghijk" }],
      ["with a prev", { version: 3, rev: "3kabcdefghijk", prev: cidForCbor(encode("before")) }],
      ["with a field of its own", { version: 3, rev: "3kabcdefghijk", prev: null, note: "x" }]
    ]
    for (const [what, fields] of commits) {
      check(`an import accepts a commit ${what}, and verifies its signature`, (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
          const said = { did, data: repo.tree.root(), ...fields }
          const commit = yield* Effect.promise(() => commitWith(key, said))
          yield* importCar(carOf({ ...repo, commit }))
          assert.strictEqual((yield* stored).size, odd.size)
          const stranger = yield* Effect.promise(newKey)
          const forged = yield* Effect.promise(() => commitWith(stranger, said))
          const refused = yield* Effect.flip(importCar(carOf({ ...repo, commit: forged })))
          assert.include(String(refused.message), "not signed with the key")
        })
      )
    }

    check(
      "an import accepts a duplicate root, a header out of order, and trailing zero bytes",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepoOf(key, odd, { did }))
          const rest = carBytes(undefined, [repo.commit, ...repo.nodes, ...repo.records]).subarray(
            carBytes(undefined, []).length
          )
          const roots = encode([repo.commit.cid, repo.commit.cid])
          const header = [0xa2, ...encode("version"), 1, ...encode("roots"), ...roots]
          const car = Uint8Array.from([header.length, ...header, ...rest, ...new Uint8Array(5000)])
          for (const piece of [1000, 100_000]) {
            yield* importCar(car, piece)
            assert.deepStrictEqual(yield* stored, bytesOf(odd))
          }
        })
    )
  })
}
