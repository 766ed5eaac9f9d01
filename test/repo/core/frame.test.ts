import { assert, describe, it } from "@effect/vitest"
import { encode } from "../../../src/core/repo/cbor.ts"
import * as Frame from "../../../src/core/repo/frame.ts"
import * as Support from "./support.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"
const time = "2026-11-20T12:00:00.000Z"
const rev = "3kabcdefghijk"

/** Numbers and decodes a frame, and asserts that encoding both halves returns the same bytes. */
const canonical = ({ bytes, seqOffset }: Frame.PendingFrame, seq: number) => {
  const frame = Frame.withSeq(bytes, seqOffset, seq)
  assert.strictEqual(frame, bytes)
  const { header, body } = Frame.decodeFrame(frame)
  assert.isTrue(Buffer.concat([encode(header), encode(body)]).equals(frame))
  return { header, body }
}

const someSeq = (chance: Support.Chance) =>
  chance.pick([
    2 ** 32,
    1_763_640_000_123_456,
    Number.MAX_SAFE_INTEGER,
    2 ** 32 + chance.below(2 ** 40)
  ])

const someOp = (chance: Support.Chance): Frame.RepoOp => {
  const path = Support.postKey(chance)
  const cid = Support.recordCid(chance.below(9))
  const prev = Support.recordCid(chance.below(9))
  return chance.pick<Frame.RepoOp>([
    { action: "create", path, cid },
    { action: "update", path, cid, prev },
    { action: "delete", path, cid: null, prev }
  ])
}

describe("firehose frames", () => {
  it("a #commit frame is canonical CBOR with the given fields", () => {
    Support.forSeeds(500, (chance) => {
      const ops = Array.from({ length: chance.pick([0, 1, 2, 23, 24, 200]) }, () => someOp(chance))
      const prevData = chance.pick([undefined, Support.recordCid(1)])
      const event = {
        repo: did,
        commit: Support.recordCid(2),
        rev,
        since: chance.pick([null, "3kabcdefghijj"]),
        prevData,
        blocks: new Uint8Array(chance.pick([0, 20, 300, 70_000])).fill(5),
        ops,
        time
      }
      const seq = someSeq(chance)
      const { header, body } = canonical(Frame.commitFrame(event), seq)
      assert.deepStrictEqual(header, { op: 1, t: "#commit" })
      const { prevData: _, ...rest } = event
      assert.deepStrictEqual<unknown>(body, {
        ...rest,
        ...(prevData === undefined ? {} : { prevData }),
        seq,
        ops: ops.map((op) => ({ ...op })),
        blobs: [],
        rebase: false,
        tooBig: false
      })
    })
  })

  it("a #commit frame holds two megabytes of blocks, and the next frame is small again", () => {
    const blocks = new Uint8Array(2_000_000).fill(3)
    const event = {
      repo: did,
      commit: Support.recordCid(2),
      rev,
      since: null,
      blocks,
      ops: [],
      time
    }
    assert.isAbove(Frame.commitFrame(event).bytes.length, 2_000_000)
    assert.isBelow(Frame.identityFrame({ did, time }).bytes.length, 200)
  })

  it("#sync, #identity and #account frames are canonical CBOR with the given fields", () => {
    const seq = 1_763_640_000_123_456
    const blocks = new Uint8Array([1, 2, 3])
    assert.deepStrictEqual(canonical(Frame.syncFrame({ did, rev, blocks, time }), seq), {
      header: { op: 1, t: "#sync" },
      body: { did, rev, blocks, time, seq }
    })
    for (const handle of [undefined, "alice.example.com"]) {
      assert.deepStrictEqual(canonical(Frame.identityFrame({ did, handle, time }), seq), {
        header: { op: 1, t: "#identity" },
        body: { did, time, seq, ...(handle === undefined ? {} : { handle }) }
      })
    }
    assert.deepStrictEqual(canonical(Frame.accountFrame({ did, active: true, time }), seq), {
      header: { op: 1, t: "#account" },
      body: { did, time, seq, active: true }
    })
    assert.deepStrictEqual(
      canonical(Frame.accountFrame({ did, active: false, status: "takendown", time }), seq),
      {
        header: { op: 1, t: "#account" },
        body: { did, time, seq, active: false, status: "takendown" }
      }
    )
  })

  it("#info and error frames have no sequence number", () => {
    assert.deepStrictEqual(Frame.decodeFrame(Frame.infoFrame("OutdatedCursor", "too old")), {
      header: { op: 1, t: "#info" },
      body: { name: "OutdatedCursor", message: "too old" }
    })
    assert.deepStrictEqual(Frame.decodeFrame(Frame.errorFrame("FutureCursor", "too new")), {
      header: { op: -1 },
      body: { error: "FutureCursor", message: "too new" }
    })
  })

  it("withSeq accepts only a safe integer that needs 8 bytes, at its own offset", () => {
    const { bytes, seqOffset } = Frame.identityFrame({ did, time })
    for (const seq of [0, 1, 2 ** 32 - 1, 2 ** 53, 2 ** 40 + 0.5]) {
      assert.throws(() => Frame.withSeq(bytes, seqOffset, seq), RangeError)
    }
    assert.throws(() => Frame.withSeq(bytes, seqOffset + 1, 2 ** 40), RangeError)
  })
})
