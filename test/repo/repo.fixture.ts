import { verifySignature } from "@atproto/crypto"
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { readCar } from "../../src/core/repo/car.ts"
import type { Data } from "../../src/core/repo/cbor.ts"
import type { Cid } from "../../src/core/repo/cid.ts"
import { decodeCommit, unsignedCommitBytes } from "../../src/core/repo/commit.ts"
import { decodeFrame, type RepoOp, withSeq } from "../../src/core/repo/frame.ts"
import { invert } from "../../src/core/repo/mst/invert.ts"
import { BlockStore } from "../../src/services/repo/BlockStore.ts"
import { Records } from "../../src/services/repo/Records.ts"
import { Repo, type Snapshot } from "../../src/services/repo/Repo.ts"
import { exportBlocks, measureExport } from "../../src/services/repo/RepoExport.ts"
import type { OutboxEvent } from "../../src/services/stream/Sequencer.ts"
import type { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { type RepoServices, repoServices, type RepoWorld } from "./repoWorld.ts"

/** The account under test. */
export const did = "did:plc:abcdefghijklmnopqrstuvwx"

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

/** The body of an event, or an operation in it. */
export type Body = Record<string, Data>

/** The frame as the log sends it. */
export const numbered = ({ frame, seqOffset }: OutboxEvent) =>
  decodeFrame(withSeq(frame.slice(), seqOffset, 1_800_000_000_000_000))

/** Checks one commit event on its own: its signature and the inversion of its operations. */
export const checkCommit = async (event: OutboxEvent, key: string) => {
  const body = numbered(event).body as Body
  const blocks = await collect([body["blocks"] as Uint8Array])
  const commit = decodeCommit(blocks.find(({ cid }) => cid.equals(body["commit"] as Cid))!.bytes)
  assert.isTrue(await verifySignature(key, unsignedCommitBytes(commit), commit.sig))
  assert.strictEqual(commit.rev, body["rev"])
  const ops = body["ops"] as unknown as ReadonlyArray<RepoOp>
  const before = invert(blocks, ops, commit.data)
  assert.strictEqual(before.toString(), String(body["prevData"]))
  return { rev: commit.rev, since: body["since"], data: commit.data, ops }
}

/** A post with this text. */
export const post = (text: string): { readonly [key: string]: Data } => ({
  $type: "app.bsky.feed.post",
  text,
  createdAt: "2026-01-01T00:00:00.000Z"
})

/** A random generator with a seed, so failures can be repeated. */
export const random = (seed: number) => () => {
  seed = (seed * 1664525 + 1013904223) >>> 0
  return seed / 2 ** 32
}

/** The length of an export, and its chunks on demand. */
export const exportOf = Effect.fnUntraced(function* (snapshot: Snapshot, since?: string) {
  const stores = { records: yield* Records, blocks: yield* BlockStore }
  const measuring = measureExport(snapshot, stores, since)
  let step = measuring.next()
  while (step.done !== true) step = measuring.next()
  const plan = step.value
  return { length: plan.length, chunks: exportBlocks(snapshot, stores.records, plan) }
})

/** The whole repo as a CAR, and its head. */
export const exported = Effect.gen(function* () {
  const repo = yield* Repo
  const snapshot = yield* repo.snapshot
  const { length, chunks: sent } = yield* exportOf(snapshot)
  const chunks = [...sent]
  snapshot.close()
  assert.strictEqual(whole(chunks).length, length)
  return { chunks, head: snapshot.head }
})

/** All chunks in one piece. */
export const whole = (chunks: ReadonlyArray<Uint8Array>) => new Uint8Array(Buffer.concat(chunks))

/** Runs a test's body with an empty database: anywhere on Node, or inside one object. */
export type WithDatabase = (body: (sql: Layer.Layer<SqlStorage>) => Promise<void>) => Promise<void>

/**
 * Declares tests that get an empty repo over a database of their own, and a clock they can move.
 */
export const checkOver =
  (withDatabase: WithDatabase, blocks: Layer.Layer<BlockStore, never, SqlStorage>) =>
  (title: string, body: (world: RepoWorld) => Effect.Effect<void, unknown, RepoServices>) =>
    it(title, () =>
      withDatabase((sql) =>
        Effect.gen(function* () {
          const { context, world } = yield* repoServices(did, blocks, sql)
          yield* Effect.provide(body(world), context)
        }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)
      )
    )
