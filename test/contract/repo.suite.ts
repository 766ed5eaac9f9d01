import { assert, describe, it } from "@effect/vitest"
import { verifySignature } from "@atproto/crypto"
import { verifyRepoCar } from "@atproto/repo"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { type Data, encode } from "../../src/repo/cbor.ts"
import { type Cid, cidForCbor } from "../../src/repo/cid.ts"
import { readCar } from "../../src/repo/car.ts"
import { decodeCommit, unsignedCommitBytes } from "../../src/repo/commit.ts"
import { decodeFrame, type RepoOp, withSeq } from "../../src/repo/frame.ts"
import { invert } from "../../src/repo/mst/invert.ts"
import { AccountStore } from "../../src/services/AccountStore.ts"
import type { BlockStore } from "../../src/services/BlockStore.ts"
import { Keys } from "../../src/services/Keys.ts"
import { Records } from "../../src/services/Records.ts"
import { Repo, type Write } from "../../src/services/Repo.ts"
import { exportBlocks } from "../../src/services/RepoExport.ts"
import type { OutboxEvent } from "../../src/services/Sequencer.ts"
import type { SqlStorage } from "../../src/services/SqlStorage.ts"
import { repoServices, type RepoWorld } from "../support/repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

const collect = async (stream: Iterable<Uint8Array>) => {
  const blocks: Array<{ cid: Cid; bytes: Uint8Array }> = []
  const reader = readCar(
    (async function* () {
      yield* stream
    })()
  )
  for await (const block of reader) blocks.push(block)
  return blocks
}

type Body = Record<string, Data>

/** The frame as the log would send it. */
const numbered = ({ frame, seqOffset }: OutboxEvent) =>
  decodeFrame(withSeq(frame.slice(), seqOffset, 1_800_000_000_000_000))

/** Checks one commit event by itself: signature, and inversion of its operations. */
const checkCommit = async (event: OutboxEvent, key: string) => {
  const body = numbered(event).body as Body
  const blocks = await collect([body["blocks"] as Uint8Array])
  const commit = decodeCommit(
    blocks.find(({ cid }) => cid.equals(body["commit"] as Cid))!.bytes
  )
  assert.isTrue(await verifySignature(key, unsignedCommitBytes(commit), commit.sig))
  assert.strictEqual(commit.rev, body["rev"])
  const ops = body["ops"] as unknown as ReadonlyArray<RepoOp>
  const before = invert(blocks, ops, commit.data)
  assert.strictEqual(before.toString(), String(body["prevData"]))
  return { rev: commit.rev, since: body["since"], data: commit.data, ops }
}

const post = (text: string): { readonly [key: string]: Data } => ({
  $type: "app.bsky.feed.post",
  text,
  createdAt: "2026-01-01T00:00:00.000Z"
})

/** A seeded generator, so that a failure can be run again. */
const random = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** What every repo must do, whatever keeps its tree. */
export const repoContract = (name: string, blocks: Layer.Layer<BlockStore, never, SqlStorage>) => {
  const world = (run: (world: RepoWorld) => Effect.Effect<void, unknown, Repo | Records | AccountStore | Keys>) =>
    Effect.gen(function* () {
      const services = yield* repoServices(did, blocks)
      yield* Effect.provide(run(services.world), services.context)
    }).pipe(Effect.scoped)

  const exported = Effect.gen(function* () {
    const repo = yield* Repo
    const records = yield* Records
    const snapshot = yield* repo.snapshot
    const chunks = [...exportBlocks(snapshot, records, undefined)]
    snapshot.close()
    return { chunks, head: snapshot.head }
  })

  const whole = (chunks: ReadonlyArray<Uint8Array>) => new Uint8Array(Buffer.concat(chunks))

  describe(`Repo (${name})`, () => {
    it.effect("commits, announces and exports any sequence of writes so that others verify it", () =>
      world(({ events, signingKey }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const next = random(20260120)
          const model = new Map<string, string>()
          for (let step = 0; step < 60; step++) {
            const writes: Array<Write> = []
            for (let n = Math.ceil(next() * 5); n > 0; n--) {
              const rkey = `k${Math.floor(next() * 40)}`
              const collection = next() < 0.5 ? "com.example.note" : "com.example.other"
              const path = `${collection}/${rkey}`
              if (next() < 0.3) {
                writes.push({ action: "delete", collection, rkey })
                model.delete(path)
              } else {
                const text = `text ${Math.floor(next() * 10)}`
                writes.push({ action: "put", collection, rkey, record: { text } })
                const block = encode({ $type: collection, text })
                model.set(path, cidForCbor(block).toString())
              }
            }
            yield* repo.write(writes, {})
          }
          let last: { rev: string; data: Cid } | undefined
          for (const event of events()) {
            const seen = yield* Effect.promise(() => checkCommit(event, signingKey))
            if (last !== undefined) {
              assert.strictEqual(seen.since, last.rev)
              assert.isAbove(seen.rev.localeCompare(last.rev), 0)
            }
            last = seen
          }
          const { chunks, head } = yield* exported
          assert.strictEqual(last?.rev, head.rev)
          assert.strictEqual(head.records, model.size)
          const verified = yield* Effect.promise(() =>
            verifyRepoCar(whole(chunks), did, signingKey)
          )
          assert.strictEqual(verified.commit.rev, head.rev)
          const seen = new Map(
            verified.creates.map(({ collection, rkey, cid }) => [
              `${collection}/${rkey}`,
              cid.toString()
            ])
          )
          assert.deepStrictEqual(seen, model)
        })
      )
    )

    it.effect("keeps a record whose twin with the same content is deleted", () =>
      world(() =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const record = post("the same")
          const collection = "app.bsky.feed.post"
          const a = yield* repo.write([{ action: "create", collection, record }], {})
          const b = yield* repo.write([{ action: "create", collection, record }], {})
          assert.strictEqual(String(a.results[0]!.cid), String(b.results[0]!.cid))
          const rkey = a.results[0]!.uri.split("/").at(-1)!
          yield* repo.write([{ action: "delete", collection, rkey }], {})
          const { chunks } = yield* exported
          const { creates } = yield* Effect.promise(() => verifyRepoCar(whole(chunks), did))
          assert.strictEqual(creates.length, 1)
        })
      )
    )

    it.effect("exports the repo as it was when writes go on during the export", () =>
      world(({ signingKey }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const records = yield* Records
          const collection = "com.example.note"
          const text = "x".repeat(400)
          for (let batch = 0; batch < 10; batch++) {
            yield* repo.write(
              Array.from({ length: 200 }, (_, i) => ({
                action: "create" as const,
                collection,
                rkey: `k${batch * 200 + i}`,
                record: { text: `${text}${batch * 200 + i}` }
              })),
              {}
            )
          }
          const snapshot = yield* repo.snapshot
          const chunks: Array<Uint8Array> = []
          let round = 0
          for (const chunk of exportBlocks(snapshot, records, undefined)) {
            chunks.push(chunk)
            round++
            yield* repo.write(
              [
                { action: "delete", collection, rkey: `k${round}` },
                { action: "delete", collection, rkey: `k${1999 - round}` },
                { action: "put", collection, rkey: `k${1000 + round}`, record: { text: "changed" } },
                { action: "create", collection, rkey: `new${round}`, record: { text: "new" } }
              ],
              {}
            )
          }
          snapshot.close()
          assert.isAbove(round, 5)
          const verified = yield* Effect.promise(() => verifyRepoCar(whole(chunks), did, signingKey))
          assert.strictEqual(verified.creates.length, 2000)
          assert.strictEqual(verified.commit.rev, snapshot.head.rev)
        })
      )
    )

    it.effect("takes create, update and delete of one key in one batch", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const at = { collection: "com.example.note", rkey: "one" }
          const nothing = yield* repo.write(
            [
              { action: "create", ...at, record: { n: 1 } },
              { action: "delete", ...at, strict: true }
            ],
            {}
          )
          assert.isUndefined(nothing.commit)
          assert.strictEqual(events().length, 0)
          const again = yield* repo.write(
            [
              { action: "create", ...at, record: { n: 1 } },
              { action: "update", ...at, record: { n: 2 } }
            ],
            {}
          )
          assert.isDefined(again.commit)
          const ops = (numbered(events()[0]!).body as Body)["ops"] as ReadonlyArray<Body>
          assert.deepStrictEqual(
            ops.map((op) => op["action"]),
            ["create"]
          )
        })
      )
    )

    it.effect("refuses a write whose swapCommit or swapRecord does not match, and writes nothing", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const at = { collection: "com.example.note", rkey: "one" }
          const first = yield* repo.write([{ action: "put", ...at, record: { n: 1 } }], {})
          const stale = yield* repo.head
          const before = first.results[0]!.cid!
          yield* repo.write([{ action: "put", ...at, record: { n: 2 }, swapRecord: before }], {
            swapCommit: stale.commit
          })
          const head = yield* repo.head
          for (const [write, options] of [
            [{ action: "put", ...at, record: { n: 3 }, swapRecord: before }, {}],
            [{ action: "put", ...at, record: { n: 3 }, swapRecord: null }, {}],
            [{ action: "put", ...at, record: { n: 3 } }, { swapCommit: stale.commit }],
            [{ action: "delete", ...at, swapRecord: before }, {}]
          ] as const) {
            const refused = yield* Effect.flip(repo.write([write], options))
            assert.strictEqual(refused._tag, "InvalidSwap")
          }
          assert.strictEqual((yield* repo.head).rev, head.rev)
          assert.strictEqual(events().length, 2)
        })
      )
    )

    it.effect("makes no commit when the content is what is there already", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const put: Write = { action: "put", collection: "com.example.note", rkey: "a", record: { n: 1 } }
          yield* repo.write([put], {})
          const again = yield* repo.write([put], {})
          assert.isUndefined(again.commit)
          assert.strictEqual(events().length, 1)
        })
      )
    )

    it.effect("lets a new like take the place of the one of the same subject", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const records = yield* Records
          const like = (n: number): Write => ({
            action: "create",
            collection: "app.bsky.feed.like",
            record: {
              subject: {
                uri: "at://did:plc:abcdefghijklmnopqrstuvwx/app.bsky.feed.post/3jzfcijpj2z2a",
                cid: "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
              },
              createdAt: `2026-01-01T00:00:0${n}.000Z`
            }
          })
          yield* repo.write([like(1)], { replaceDuplicates: true })
          yield* repo.write([like(2)], { replaceDuplicates: true })
          assert.strictEqual(
            records.page({ collection: "app.bsky.feed.like", limit: 10, ascending: false }).length,
            1
          )
          const ops = (numbered(events()[1]!).body as Body)["ops"] as ReadonlyArray<Body>
          assert.sameMembers(
            ops.map((op) => String(op["action"])),
            ["create", "delete"]
          )
        })
      )
    )

    it.effect("gives revs that rise although the clock steps back", () =>
      world(({ setClock }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const revs: Array<string> = []
          for (const time of [1_800_000_000_000, 1_700_000_000_000, 1_700_000_000_000]) {
            yield* setClock(time)
            const { commit } = yield* repo.write(
              [{ action: "create", collection: "com.example.note", record: { time } }],
              {}
            )
            revs.push(commit!.rev)
          }
          assert.deepStrictEqual([...revs].sort(), revs)
          assert.strictEqual(new Set(revs).size, 3)
        })
      )
    )

    it.effect("refuses what breaks a rule and leaves everything as it was", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const head = yield* repo.head
          const big = { text: "x".repeat(1_000_001) }
          const bad: ReadonlyArray<readonly [Write, boolean?]> = [
            [{ action: "create", collection: "not-an-nsid", record: {} }],
            [{ action: "create", collection: "com.example.note", rkey: "a/b", record: {} }],
            [{ action: "create", collection: "com.example.note", rkey: "..", record: {} }],
            [{ action: "create", collection: "com.example.note", record: { $type: "com.example.x" } }],
            [{ action: "create", collection: "com.example.note", record: {} }, true],
            [{ action: "create", collection: "app.bsky.feed.post", record: { text: "no date" } }],
            [{ action: "put", collection: "app.bsky.actor.profile", rkey: "other", record: {} }],
            [{ action: "create", collection: "com.example.note", record: big }],
            [
              {
                action: "create",
                collection: "com.example.note",
                record: { old: { cid: "bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4", mimeType: "image/png" } }
              }
            ],
            [{ action: "update", collection: "com.example.note", rkey: "none", record: {} }],
            [{ action: "delete", collection: "com.example.note", rkey: "none", strict: true }]
          ]
          for (const [write, validate] of bad) {
            const exit = yield* Effect.exit(repo.write([write], { validate }))
            assert.isTrue(Exit.isFailure(exit), JSON.stringify(write).slice(0, 200))
          }
          assert.strictEqual((yield* repo.head).rev, head.rev)
          assert.strictEqual(events().length, 0)
        })
      )
    )

    it.effect("tells which collections appear and vanish", () =>
      world(({ events }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const at = { collection: "com.example.note", rkey: "one" }
          yield* repo.write([{ action: "create", ...at, record: {} }], {})
          yield* repo.write([{ action: "create", ...at, rkey: "two", record: {} }], {})
          assert.deepStrictEqual(yield* repo.collections, ["com.example.note"])
          yield* repo.write([{ action: "delete", ...at }], {})
          yield* repo.write([{ action: "delete", ...at, rkey: "two" }], {})
          assert.deepStrictEqual(yield* repo.collections, [])
          assert.deepStrictEqual(
            events().map((event) => event.collections),
            [
              { added: ["com.example.note"], removed: [] },
              undefined,
              undefined,
              { added: [], removed: ["com.example.note"] }
            ]
          )
        })
      )
    )
  })
}

