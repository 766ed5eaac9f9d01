import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import {
  type CommitMessage,
  encode,
  firehose,
  InvalidFrame,
  readFrame,
  verifyCommit,
  verifyRecord,
  verifyRepo
} from "../../src/repo.ts"
import { type Pds, startPds } from "../../src/testing.ts"
import { frameOf } from "../support/frameOf.ts"

let pds: Pds<"alice">
let key: string
const commits: Array<CommitMessage> = []

const get = async (nsid: string, params: Record<string, string>) =>
  fetch(`${pds.url}/xrpc/${nsid}?${new URLSearchParams(params)}`)

const repoOf = async (did: string) => {
  const response = await get("com.atproto.sync.getRepo", { did })
  return new Uint8Array(await response.arrayBuffer())
}

/** The name and message of a promise's error. */
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing failed",
    (error: Error) => `${error.name}: ${error.message}`
  )

const anotherKey = "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"

beforeAll(async () => {
  pds = await startPds({ accounts: ["alice"] })
  const { alice } = pds.accounts
  const write = (nsid: string, input: object) =>
    pds.call(`com.atproto.repo.${nsid}`, { input: { repo: alice.did, ...input }, as: alice })
  const collection = "com.example.note"
  for (let n = 0; n < 12; n++) {
    const record = { $type: collection, n, tag: randomBytes(3).toString("hex") }
    await write("createRecord", { collection, rkey: `note-${n}`, record })
  }
  await write("putRecord", { collection, rkey: "note-3", record: { $type: collection, n: 33 } })
  await write("deleteRecord", { collection, rkey: "note-4" })
  const document = await fetch(`${pds.plcUrl}/${alice.did}/data`)
  const data = (await document.json()) as { verificationMethods: { atproto: string } }
  key = data.verificationMethods.atproto
  for await (const message of pds.events()) {
    if (message.type === "commit") commits.push(message)
    if (commits.length === 15) break
  }
})

afterAll(() => pds.stop())

describe("verifyRepo", () => {
  it("verifyRepo returns every record of a repo that the account signed, from bytes or a stream", async () => {
    const { did } = pds.accounts.alice
    const expected = { did, signingKey: key }
    const { records, rev } = await verifyRepo(await repoOf(did), expected)
    assert.strictEqual(rev, commits.at(-1)?.rev)
    assert.strictEqual(records.size, 11)
    assert.isFalse(records.has("com.example.note/note-4"))
    const note = records.get("com.example.note/note-3")
    assert.deepStrictEqual(note?.value(), { $type: "com.example.note", n: 33 })
    const { body } = await get("com.atproto.sync.getRepo", { did })
    const streamed = await verifyRepo(body!, expected)
    assert.deepStrictEqual([...streamed.records.keys()], [...records.keys()])
  })

  it("verifyRepo rejects another account, another key, a changed byte and a missing block", async () => {
    const { did } = pds.accounts.alice
    const car = await repoOf(did)
    assert.match(
      await failureOf(verifyRepo(car, { did: "did:plc:somebodyelse234567abcdef" })),
      /^InvalidRepo: the repo is of did:plc/
    )
    assert.match(
      await failureOf(verifyRepo(car, { did, signingKey: anotherKey })),
      /^InvalidRepo: .*not signed/
    )
    const changed = car.slice()
    const last = changed.length - 1
    changed[last] = changed[last]! ^ 1
    assert.match(await failureOf(verifyRepo(changed, { did })), /^InvalidCar: .*digest/)
    assert.match(await failureOf(verifyRepo(car.slice(0, -1), { did })), /^InvalidCar/)
    // The last block of an export is a record: exactly one is missing.
    const { records } = await verifyRepo(car)
    const length = Math.max(...[...records.values()].map(({ bytes }) => bytes.length))
    const cut = [...records.values()].find(
      ({ bytes }) => Buffer.compare(bytes, car.subarray(-bytes.length)) === 0
    )
    assert.isAtLeast(length, cut?.bytes.length ?? Infinity)
    const without = car.slice(0, -(cut!.bytes.length + 37))
    assert.match(await failureOf(verifyRepo(without, { did })), /^(InvalidRepo|MissingBlock)/)
  })
})

describe("verifyRecord", () => {
  it("verifyRecord accepts a proof of a record, and a proof of its absence", async () => {
    const { did } = pds.accounts.alice
    const proofOf = async (rkey: string) => {
      const response = await get("com.atproto.sync.getRecord", {
        did,
        collection: "com.example.note",
        rkey
      })
      const car = new Uint8Array(await response.arrayBuffer())
      return verifyRecord(car, { did, signingKey: key, path: `com.example.note/${rkey}` })
    }
    assert.deepStrictEqual(await proofOf("note-3"), { $type: "com.example.note", n: 33 })
    assert.isUndefined(await proofOf("note-4"))
  })
})

describe("verifyCommit", () => {
  it("verifyCommit verifies every commit of the stream against the previous one", async () => {
    let prevData: CommitMessage["prevData"]
    for (const message of commits) {
      const known = { signingKey: key, ...(prevData === undefined ? {} : { prevData }) }
      const { commit, records } = await verifyCommit(message, known)
      assert.strictEqual(commit.rev, message.rev)
      assert.strictEqual(records.size, message.ops.filter(({ cid }) => cid !== null).length)
      prevData = commit.data
    }
  })

  it("verifyCommit rejects another key, a missing operation, and a commit that doesn't follow the given one", async () => {
    const message = commits.at(-3)!
    assert.match(
      await failureOf(verifyCommit(message, { signingKey: anotherKey })),
      /^InvalidRepo: .*not signed/
    )
    assert.match(
      await failureOf(verifyCommit({ ...message, ops: [] })),
      /^InvalidRepo: .*all that changed/
    )
    assert.match(
      await failureOf(verifyCommit({ ...message, did: "did:plc:somebodyelse234567abcdef" })),
      /^InvalidRepo: .*another account/
    )
    assert.match(
      await failureOf(verifyCommit(message, { prevData: commits[0]!.commit })),
      /^InvalidRepo: .*all that changed/
    )
    assert.match(
      await failureOf(verifyCommit({ ...message, prevData: undefined })),
      /^InvalidRepo: .*give prevData/
    )
  })
})

describe("firehose", () => {
  it("firehose starts after the cursor and ends when it is aborted", async () => {
    const stop = new AbortController()
    const seen: Array<number> = []
    const { seq } = commits.at(-3)!
    for await (const message of firehose(pds.url, { cursor: seq, signal: stop.signal })) {
      if ("seq" in message) seen.push(message.seq)
      if (seen.length === 2) stop.abort()
    }
    assert.deepStrictEqual(
      seen,
      commits.slice(-2).map((commit) => commit.seq)
    )
  })

  it("firehose ends with the server's error", async () => {
    const seen: Array<unknown> = []
    for await (const message of firehose(pds.url, { cursor: Number.MAX_SAFE_INTEGER }))
      seen.push(message)
    assert.deepInclude(seen[0] as object, { type: "error", error: "FutureCursor" })
    assert.lengthOf(seen, 1)
  })
})

describe("readFrame", () => {
  it("readFrame skips unknown events and rejects frames that violate the protocol", () => {
    const unknown = readFrame(frameOf({ op: 1, t: "#later" }, { seq: 1 }))
    assert.deepStrictEqual(unknown, { type: "unknown", name: "#later", body: { seq: 1 } })
    const info = readFrame(frameOf({ op: 1, t: "#info" }, { name: "OutdatedCursor" }))
    assert.deepInclude(info, { type: "info", name: "OutdatedCursor" })
    for (const frame of [
      frameOf({ op: 2 }, {}),
      frameOf({ op: 1, t: "#commit" }, { seq: 1 }),
      frameOf({ op: 1, t: "#identity" }, { seq: "1", did: "did:plc:a", time: "now" }),
      encode({ op: 1, t: "#info" })
    ]) {
      assert.throws(() => readFrame(frame), /frame|Cbor|end|byte/i)
    }
    assert.strictEqual(new InvalidFrame("x").name, "InvalidFrame")
  })
})
