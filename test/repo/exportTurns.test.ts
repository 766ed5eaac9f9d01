import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { getRepo } from "../../src/http/repo/syncMethods.ts"
import * as BackgroundMemory from "../../src/layers/host/BackgroundMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import { Repo } from "../../src/services/repo/Repo.ts"
import { did } from "./repo.fixture.ts"
import { repoServices } from "./repoWorld.ts"

const collection = "com.example.note"
const records = 400
const batch = 50

/** What the server did while the reader was reading. */
interface Seen {
  bytes: number
  /** Bytes since the event loop last ran anything else. */
  atOnce: number
  mostAtOnce: number
}

/** Reads a body as fast as it arrives. */
const readKeenly = async (body: ReadableStream<Uint8Array>, seen: Seen): Promise<void> => {
  for await (const chunk of body) {
    seen.bytes += chunk.byteLength
    seen.atOnce += chunk.byteLength
    seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce)
  }
}

describe("getRepo with a fast reader", () => {
  it("getRepo yields at least once a megabyte, so a write completes in between", () =>
    Effect.gen(function* () {
      const sql = SqlStorageNode.layer(":memory:")
      const { context } = yield* repoServices(did, BlockStoreSqlite.layer, sql)
      const repo = yield* Effect.provide(Repo, context)
      const text = "x".repeat(30_000)
      for (let from = 0; from < records; from += batch) {
        const writes = Array.from({ length: batch }, (_, n) => ({
          action: "create" as const,
          collection,
          rkey: `k${from + n}`,
          record: { text }
        }))
        yield* repo.write(writes, {})
      }
      const answer = yield* Effect.provide(
        getRepo.handler({
          nsid: getRepo.nsid,
          params: { did },
          input: undefined,
          caller: { kind: "anonymous" },
          request: new Request("http://localhost/")
        }),
        context
      )
      assert(answer instanceof Response)
      const length = Number(answer.headers.get("content-length"))
      assert.isAbove(length, records * 30_000)
      const seen: Seen = { bytes: 0, atOnce: 0, mostAtOnce: 0 }
      let isOver = false
      const turn = () => {
        seen.atOnce = 0
        if (!isOver) setImmediate(turn)
      }
      turn()
      const reading = readKeenly(answer.body!, seen)
      const write = { action: "create" as const, collection, record: { text: "new" } }
      yield* repo.write([write], {})
      const readBeforeTheWrite = seen.bytes
      yield* Effect.promise(() => reading)
      isOver = true
      assert.strictEqual(seen.bytes, length)
      assert.isAtMost(seen.mostAtOnce, 1_000_000)
      assert.isBelow(readBeforeTheWrite, length)
    }).pipe(Effect.scoped, Effect.provide(BackgroundMemory.layer), Effect.runPromise))
})
