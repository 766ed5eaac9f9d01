import { assert, beforeAll, describe, it } from "@effect/vitest"
import type { Secp256k1Keypair } from "@atproto/crypto"
import { CarVerifier, isCarFault } from "../../src/core/backups/CarVerifier.ts"
import { type Block, carBytes } from "../../src/core/repo/car.ts"
import { parseCid } from "../../src/core/repo/cid.ts"
import { preOrder } from "../../src/core/repo/mst/preOrder.ts"
import {
  commitOf,
  foreignRepo,
  type ForeignRepo,
  newKey,
  posts,
  type RecordsByPath
} from "../repo/import/importCars.ts"

const did = "did:web:alice.test"
const blob = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

const withPicture: RecordsByPath = new Map([
  ...posts(300),
  [
    "app.bsky.actor.profile/self",
    {
      $type: "app.bsky.actor.profile",
      avatar: { $type: "blob", ref: parseCid(blob), mimeType: "image/png", size: 4 }
    }
  ]
])

/** The blocks in the order of this server's exports. */
const inOrder = ({ commit, tree, records }: ForeignRepo): Array<Block> => {
  const byCid = new Map(records.map((record) => [record.cid.toString(), record]))
  return [
    commit,
    ...[...preOrder(tree)].map((step) =>
      step.kind === "node" ? { cid: step.cid, bytes: step.bytes } : byCid.get(step.cid.toString())!
    )
  ]
}

const verify = (car: Uint8Array, signingKey: string, piece = 1000) => {
  const verifier = new CarVerifier({ did, signingKey })
  for (let at = 0; at < car.length; at += piece) verifier.push(car.subarray(at, at + piece))
  return verifier.end()
}

const faultOf = (read: () => unknown): string => {
  try {
    read()
  } catch (error) {
    if (isCarFault(error)) return error.message
    throw error
  }
  return "none"
}

describe("a backup's CAR", () => {
  let key: Secp256k1Keypair
  let repo: ForeignRepo
  let blocks: ReadonlyArray<Block>
  beforeAll(async () => {
    key = await newKey()
    repo = await foreignRepo(key, withPicture, { did })
    blocks = inOrder(repo)
  })
  const car = (order: ReadonlyArray<Block> = blocks) =>
    new Uint8Array(carBytes(repo.commit.cid, order))

  it("CarVerifier accepts a CAR in chunks of any size, and returns its counts and referenced blobs", () => {
    for (const piece of [7, 1000, 1_000_000]) {
      const { records, nodes, rev, commit, blobs } = verify(car(), key.did(), piece)
      assert.deepStrictEqual([...blobs], [blob])
      assert.deepStrictEqual(
        { records, nodes, rev, commit },
        {
          records: 301,
          nodes: repo.nodes.length,
          rev: "3kabcdefghijk",
          commit: repo.commit.cid.toString()
        }
      )
    }
  })

  it("CarVerifier accepts an empty repo", async () => {
    const empty = await foreignRepo(key, new Map(), { did })
    const bytes = new Uint8Array(carBytes(empty.commit.cid, inOrder(empty)))
    assert.strictEqual(verify(bytes, key.did()).records, 0)
  })

  it("CarVerifier rejects a changed byte anywhere", () => {
    const whole = car()
    const step = Math.floor(whole.length / 61)
    for (let at = 60; at < whole.length; at += step) {
      const spoiled = whole.slice()
      spoiled[at] = spoiled[at]! ^ 1
      assert.notStrictEqual(
        faultOf(() => verify(spoiled, key.did())),
        "none",
        `byte ${at}`
      )
    }
  })

  it("CarVerifier rejects a missing, an extra and a misplaced block", () => {
    for (const at of [1, 2, 40, blocks.length - 1]) {
      assert.notStrictEqual(
        faultOf(() => verify(car(blocks.toSpliced(at, 1)), key.did())),
        "none",
        `without block ${at}`
      )
    }
    assert.include(
      faultOf(() => verify(car([...blocks, blocks[2]!]), key.did())),
      "belongs to no record"
    )
    assert.notStrictEqual(
      faultOf(() =>
        verify(car([...blocks.slice(0, 5), ...blocks.slice(5).toReversed()]), key.did())
      ),
      "none"
    )
  })

  it("CarVerifier rejects a CAR that ends early, at any point", () => {
    const whole = car()
    for (const part of [0, 0.1, 0.5, 0.999]) {
      const cut = whole.subarray(0, Math.floor(whole.length * part))
      assert.notStrictEqual(
        faultOf(() => verify(cut, key.did())),
        "none",
        `${part}`
      )
    }
  })

  it("CarVerifier rejects another key and another account", async () => {
    const other = await newKey()
    assert.include(
      faultOf(() => verify(car(), other.did())),
      "not signed"
    )
    const commit = await commitOf(key, {
      did: "did:web:bob.test",
      rev: "3kabcdefghijk",
      data: repo.tree.root()
    })
    const foreign = new Uint8Array(carBytes(commit.cid, [commit, ...blocks.slice(1)]))
    assert.include(
      faultOf(() => verify(foreign, key.did())),
      "did:web:bob.test"
    )
  })
})
