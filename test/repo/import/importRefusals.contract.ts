import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Block, carBytes } from "../../../src/core/repo/car.ts"
import { type Data, encode } from "../../../src/core/repo/cbor.ts"
import { Cid, cidForRaw } from "../../../src/core/repo/cid.ts"
import { keyLayer } from "../../../src/core/repo/mst/key.ts"
import {
  blockOf,
  carOf,
  commitOf,
  foreignRepo,
  newKey,
  posts,
  type RecordsByPath
} from "./importCars.ts"
import { checkImport, type ImportWorld, leftBehind, refusal, write } from "./importRepo.fixture.ts"
import { did, type WithDatabase } from "../repo.fixture.ts"

/** A foreign repo whose key the DID document names. */
const made = async (world: ImportWorld, records: RecordsByPath = posts(50)) => {
  const key = await newKey()
  world.documentKey = key.did()
  return { key, repo: await foreignRepo(key, records, { did }) }
}

/** A repo whose tree is this one node. */
const withTree = async (world: ImportWorld, node: Data, ...more: ReadonlyArray<Block>) => {
  const { key } = await made(world)
  const root = blockOf(node)
  const commit = await commitOf(key, { did, rev: "3kabcdefghijk", data: root.cid })
  return new Uint8Array(carBytes(commit.cid, [commit, root, ...more]))
}

/** A path on this layer. */
const keyOn = (layer: number): string => {
  let n = 0
  while (keyLayer(`com.example.note/${n}`) !== layer) n++
  return `com.example.note/${n}`
}

/** The entries of a node, each compressed by its common prefix with the previous path. */
const rising = (paths: ReadonlyArray<string>, v: Cid): Array<Data> =>
  paths.map((path, n) => {
    const before = paths[n - 1] ?? ""
    let shared = 0
    while (shared < before.length && path[shared] === before[shared]) shared++
    return entry(path.slice(shared), v, null, shared)
  })

const entry = (path: string, v: Cid, t: Cid | null = null, p = 0): Data => ({
  p,
  k: new TextEncoder().encode(path),
  v,
  t
})

/** The CARs that an import rejects, over any database. */
export const importRefusals = (name: string, withDatabase: WithDatabase): void => {
  const check = checkImport(withDatabase)

  const refused = (
    title: string,
    reason: RegExp,
    make: (world: ImportWorld) => Promise<Uint8Array>
  ) =>
    check(`an import rejects a CAR ${title}`, (world) =>
      Effect.gen(function* () {
        yield* write("was there")
        assert.match(yield* refusal(yield* Effect.promise(() => make(world))), reason)
        assert.strictEqual(leftBehind(world), 0)
        assert.strictEqual(world.events().length, 1)
      })
    )

  describe(`CARs that an import rejects without changes, ${name}`, () => {
    refused("that is not a CAR", /ends in the middle|not version 1|too many|no block has/, () =>
      Promise.resolve(new TextEncoder().encode("this is no CAR, but goes on for a while"))
    )
    refused("that is cut short", /ends in the middle/, async (world) =>
      carOf((await made(world)).repo).slice(0, -5)
    )
    refused("with an impossible length", /too many|no block has/, async (world) => {
      const car = carOf((await made(world)).repo)
      return Uint8Array.from([...car, 0xff, 0xff, 0xff, 0x7f, 0])
    })
    refused("with a length of ten bytes", /no block has/, async (world) => {
      const car = carOf((await made(world)).repo)
      const huge = [...Array.from({ length: 9 }, () => 0xff), 0x01]
      return Uint8Array.from([...car, ...huge, 0])
    })
    refused("with data after zero bytes", /a block without a CID/, async (world) => {
      const car = carOf((await made(world)).repo)
      const all = new Uint8Array(car.length + 200_000)
      all.set(car)
      all[all.length - 1] = 1
      return all
    })
    refused("of version 2", /not version 1/, async (world) => {
      const { repo } = await made(world)
      // The first eleven bytes of every CAR of version 2, before the version 1 that it wraps.
      const pragma = [0x0a, 0xa1, 0x67, ...new TextEncoder().encode("version"), 0x02]
      return Uint8Array.from([...pragma, ...new Uint8Array(40), ...carOf(repo)])
    })
    refused("with several roots", /one root, and has 2/, async (world) => {
      const { repo } = await made(world)
      const header = encode({ roots: [repo.commit.cid, repo.nodes[0]!.cid], version: 1 })
      const rest = carBytes(undefined, [repo.commit, ...repo.nodes, ...repo.records])
      const skip = carBytes(undefined, []).length
      return Uint8Array.from([header.length, ...header, ...rest.subarray(skip)])
    })
    refused("without a root", /one root, and has 0/, async (world) => {
      const { repo } = await made(world)
      return carBytes(undefined, [repo.commit, ...repo.nodes, ...repo.records])
    })
    refused("whose root is missing", /block of its root is missing/, async (world) => {
      const { repo } = await made(world)
      return carBytes(repo.commit.cid, [...repo.nodes, ...repo.records])
    })
    refused("whose root is not a commit", /not the fields of a commit/, async (world) => {
      const { repo } = await made(world)
      return carBytes(repo.nodes[0]!.cid, [...repo.nodes, ...repo.records])
    })
    refused("with an unsupported hash", /foreign kind of CID/, async (world) => {
      const { repo } = await made(world)
      const bytes = repo.records[0]!.cid.bytes.slice()
      bytes[2] = 0x13
      return carOf({ ...repo, records: [{ ...repo.records[0]!, cid: new Cid(bytes) }] })
    })
    refused("whose record is a raw block like a blob", /is missing/, async (world) => {
      const { repo } = await made(world)
      const [record, ...others] = repo.records
      const asBlob = { cid: cidForRaw(record!.bytes), bytes: record!.bytes }
      return carOf({ ...repo, records: [asBlob, ...others] })
    })
    refused(
      "with a block that doesn't match its CID",
      /does not match its digest/,
      async (world) => {
        const { repo } = await made(world)
        const wrong = { cid: repo.records[0]!.cid, bytes: repo.records[1]!.bytes }
        return carOf({ ...repo, records: [wrong, ...repo.records.slice(1)] })
      }
    )
    refused(
      "with a node that doesn't match its CID",
      /does not match its digest/,
      async (world) => {
        const { repo } = await made(world)
        const wrong = { cid: repo.nodes[1]!.cid, bytes: repo.nodes[2]!.bytes }
        return carOf({ ...repo, nodes: [repo.nodes[0]!, wrong, ...repo.nodes.slice(2)] })
      }
    )
    refused("of another account", /the commit is of did:plc:somebodyelse/, async (world) => {
      const { key } = await made(world)
      return carOf(await foreignRepo(key, posts(3), { did: "did:plc:somebodyelse" }))
    })
    refused("signed with another key", /not signed with the key/, async (world) => {
      await made(world)
      return carOf(await foreignRepo(await newKey(), posts(3), { did }))
    })
    refused("of an account whose document has no key", /names no signing key/, async () =>
      carOf(await foreignRepo(await newKey(), posts(3), { did }))
    )
    refused("whose commit was changed after signing", /not signed with the key/, async (world) => {
      const { repo } = await made(world)
      const other = await foreignRepo(await newKey(), posts(3), { did })
      const forged = blockOf({
        did,
        version: 3,
        prev: null,
        rev: "3kabcdefghijk",
        data: repo.tree.root(),
        sig: new Uint8Array(64).fill(1)
      })
      return carOf({ ...other, commit: forged })
    })
    refused(
      "with a rev that leaves no room for a next one",
      /rev that nothing can follow/,
      async (world) => {
        const { key } = await made(world)
        return carOf(await foreignRepo(key, posts(3), { did, rev: "jzzzzzzzzzzzz" }))
      }
    )
    refused("that lacks a node", /is missing/, async (world) => {
      const { repo } = await made(world)
      return carOf({ ...repo, nodes: repo.nodes.slice(0, -1) })
    })
    refused("that lacks a record", /record app.bsky.feed.post\/\w+ is missing/, async (world) => {
      const { repo } = await made(world)
      return carOf({ ...repo, records: repo.records.slice(1) })
    })
    refused("with a record that links to raw bytes", /no DAG-CBOR/, async (world) => {
      const raw = cidForRaw(new Uint8Array([1]))
      return withTree(
        world,
        { e: [entry("com.example.note/a", raw)], l: null },
        {
          cid: raw,
          bytes: new Uint8Array([1])
        }
      )
    })
    refused("with a record of more than a million bytes", /has 100\d+ bytes/, async (world) =>
      carOf(
        (await made(world, new Map([["com.example.note/a", { text: "x".repeat(1_000_001) }]]))).repo
      )
    )
    refused("whose tree is not a node", /not the form of a node|is missing/, (world) =>
      withTree(world, { e: "x", l: null })
    )
    refused("with keys out of order", /out of order|foreign layer/, (world) => {
      const one = blockOf({ text: "x" })
      const e = [
        entry("com.example.note/b", one.cid),
        entry("com.example.note/a", one.cid, null, 0)
      ]
      return withTree(world, { e, l: null }, one)
    })
    refused("with a key on the wrong layer", /not the one tree of its records/, (world) => {
      const one = blockOf({ text: "x" })
      const [high, low] = [keyOn(1), keyOn(0)]
      return withTree(world, { e: rising([high, low].toSorted(), one.cid), l: null }, one)
    })
    refused("with a node larger than chance produces", /more keys than chance/, (world) => {
      const one = blockOf({ text: "x" })
      const keys = Array.from(
        { length: 300 },
        (_, n) => `com.example.note/${String(n).padStart(4, "0")}`
      )
      return withTree(world, { e: rising(keys, one.cid), l: null }, one)
    })
    refused("with a node that is its own child", /does not match its digest/, async (world) => {
      const { repo } = await made(world)
      const one = blockOf({ text: "x" })
      const { cid } = repo.nodes[0]!
      // No bytes contain their own digest, so such a node has a false CID.
      const { bytes } = blockOf({ e: [entry(keyOn(0), one.cid, cid)], l: cid })
      return carOf({ ...repo, nodes: [{ cid, bytes }, ...repo.nodes.slice(1)] })
    })
    refused("with a duplicate key", /a key that adds nothing/, (world) => {
      const one = blockOf({ text: "x" })
      const e = [entry("com.example.note/a", one.cid), entry("", one.cid, null, 18)]
      return withTree(world, { e, l: null }, one)
    })
    refused(
      "with a key that shares more than the previous key has",
      /out of order, or not compressed/,
      (world) => {
        const one = blockOf({ text: "x" })
        const e = [entry("com.example.note/a", one.cid), entry("b", one.cid, null, 30)]
        return withTree(world, { e, l: null }, one)
      }
    )
    refused(
      "with a key that is not fully compressed",
      /out of order, or not compressed/,
      (world) => {
        const one = blockOf({ text: "x" })
        const paths = Array.from({ length: 50 }, (_, n) => `com.example.note/${n}`)
        const [first, second] = paths.filter((path) => keyLayer(path) === 0).toSorted()
        return withTree(
          world,
          { e: [entry(first!, one.cid), entry(second!, one.cid)], l: null },
          one
        )
      }
    )
    refused("with one subtree in two places", /out of order/, async (world) => {
      const { repo } = await made(world)
      const one = blockOf({ text: "x" })
      const below = repo.nodes[0]!
      // A key on the layer just above the tree that hangs on both of its sides.
      const key = keyOn(repo.tree.layer + 1)
      return withTree(
        world,
        { e: [entry(key, one.cid, below.cid)], l: below.cid },
        one,
        ...repo.nodes,
        ...repo.records
      )
    })
    refused(
      "whose records exceed the limit because one block is at many paths",
      /records take more than/,
      async (world) => {
        const record = { text: "x".repeat(900_000) }
        return carOf(
          (
            await made(
              world,
              new Map(Array.from({ length: 12 }, (_, n) => [`com.example.note/${n}`, record]))
            )
          ).repo
        )
      }
    )
  })
}
