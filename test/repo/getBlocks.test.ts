import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BlockStoreSqlite from "../../src/layers/repo/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { readCar } from "../../src/core/repo/car.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import { findBlocks } from "../../src/services/repo/findBlocks.ts"
import { Repo, type Write } from "../../src/services/repo/Repo.ts"
import { repoServices, type RepoServices } from "./repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"
const collection = "com.example.note"

const inRepo = (body: Effect.Effect<void, unknown, RepoServices>) =>
  Effect.gen(function* () {
    const { context } = yield* repoServices(
      did,
      BlockStoreSqlite.layer,
      SqlStorageNode.layer(":memory:")
    )
    yield* Effect.provide(body, context)
  }).pipe(Effect.scoped)

/** Writes records with these texts and returns their CIDs. */
const write = Effect.fn(function* (texts: ReadonlyArray<string>) {
  const repo = yield* Repo
  const create = (text: string, n: number): Write => ({
    action: "put",
    collection,
    rkey: `k${n}`,
    record: { text }
  })
  const { results } = yield* repo.write(texts.map(create), {})
  return results.flatMap(({ cid }) => (cid === undefined ? [] : [cid]))
})

const blocksOf = (chunks: Iterable<Uint8Array>) =>
  Effect.promise(async () => {
    const cids: Array<string> = []
    for await (const { cid } of readCar(
      (async function* () {
        yield* chunks
      })()
    )) {
      cids.push(cid.toString())
    }
    return cids.toSorted()
  })

describe("findBlocks", () => {
  it.effect("findBlocks finds any number of commits, nodes and records", () =>
    inRepo(
      Effect.gen(function* () {
        const cids = yield* write(Array.from({ length: 150 }, (_, n) => `note ${n}`))
        const { commit, root } = yield* (yield* Repo).head
        const wanted = [...cids, commit, root]
        const { chunks, close } = yield* findBlocks(wanted)
        assert.deepStrictEqual(yield* blocksOf(chunks), wanted.map(String).toSorted())
        close()
      })
    )
  )

  it.effect(
    "findBlocks reads records one by one, as they were, although they change meanwhile",
    () =>
      inRepo(
        Effect.gen(function* () {
          const large = "x".repeat(900_000)
          const one = yield* write([`a${large}`, `b${large}`])
          const { chunks, close } = yield* findBlocks(one)
          yield* write(["changed", "changed too"])
          const sizes: Array<number> = []
          const sized = (function* () {
            for (const chunk of chunks) {
              sizes.push(chunk.byteLength)
              yield chunk
            }
          })()
          assert.deepStrictEqual(yield* blocksOf(sized), one.map(String).toSorted())
          assert.isBelow(Math.max(...sizes), 1_000_000)
          close()
        })
      )
  )

  it.effect("findBlocks rejects the whole request if one block is missing, and names it", () =>
    inRepo(
      Effect.gen(function* () {
        const missing = cidForCbor(Uint8Array.of(0xa0))
        const [here] = yield* write(["here"])
        const failure = yield* Effect.flip(findBlocks([here!, missing]))
        assert.deepInclude(failure, { _tag: "BlockNotFound", cids: [missing.toString()] })
        // A finished search keeps nothing: a later write saves nothing for it.
        yield* write(["changed"])
        const { overlay, close } = yield* (yield* Repo).snapshot
        assert.isUndefined(overlay.get(here!.key))
        close()
      })
    )
  )
})
