import {
  BlockMap,
  MemoryBlockstore,
  readCarWithRoot,
  Repo as LoadedRepo,
  verifyRepoCar
} from "@atproto/repo"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { encode } from "../../src/core/repo/cbor.ts"
import { type Cid, cidForCbor } from "../../src/core/repo/cid.ts"
import { BlockStore } from "../../src/services/repo/BlockStore.ts"
import { Records } from "../../src/services/repo/Records.ts"
import { Repo, type Write } from "../../src/services/repo/Repo.ts"
import { exportBlocks, measureExport } from "../../src/services/repo/RepoExport.ts"
import type { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import {
  checkCommit,
  checkOver,
  did,
  exported,
  exportOf,
  post,
  random,
  whole,
  type WithDatabase
} from "./repo.fixture.ts"
import { repoRulesContract } from "./repoRules.contract.ts"

const note = (repo: Repo["Service"], text: string) =>
  repo.write([{ action: "create", collection: "com.example.note", record: { text } }], {})

/** What every repo guarantees, whatever stores its tree and its rows. */
export const repoContract = (
  name: string,
  withDatabase: WithDatabase,
  blocks: Layer.Layer<BlockStore, never, SqlStorage>
) => {
  const check = checkOver(withDatabase, blocks)

  describe(`Repo (${name})`, () => {
    check(
      "a repo commits, announces and exports any sequence of writes so that others can verify it",
      ({ events, signingKey }) =>
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

    check("deleting one of two records with the same content keeps the other", () =>
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

    check(
      "an export is the repo as it was at the start, although writes continue",
      ({ signingKey }) =>
        Effect.gen(function* () {
          const repo = yield* Repo
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
          const { length, chunks: sent } = yield* exportOf(snapshot)
          for (const chunk of sent) {
            chunks.push(chunk)
            round++
            yield* repo.write(
              [
                { action: "delete", collection, rkey: `k${round}` },
                { action: "delete", collection, rkey: `k${1999 - round}` },
                {
                  action: "put",
                  collection,
                  rkey: `k${1000 + round}`,
                  record: { text: "changed" }
                },
                { action: "create", collection, rkey: `new${round}`, record: { text: "new" } }
              ],
              {}
            )
          }
          snapshot.close()
          assert.isAbove(round, 5)
          assert.strictEqual(whole(chunks).length, length)
          const verified = yield* Effect.promise(() =>
            verifyRepoCar(whole(chunks), did, signingKey)
          )
          assert.strictEqual(verified.creates.length, 2000)
          assert.strictEqual(verified.commit.rev, snapshot.head.rev)
        })
    )

    check("an export has exactly the measured length, whatever is written meanwhile", () =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const stores = { records: yield* Records, blocks: yield* BlockStore }
        const collection = "com.example.note"
        const next = random(20261129)
        // Sizes on both sides of the steps at which a CAR's length prefix grows.
        const sizes = [0, 10, 40, 50, 60, 70, 200, 16_300, 16_350, 16_400]
        const write = (action: "put" | "delete", n: number): Write => {
          const rkey = `k${n}`
          if (action === "delete") return { action, collection, rkey }
          const text = "x".repeat(sizes[Math.floor(next() ** 2 * sizes.length)]!)
          return { action, collection, rkey, record: { text } }
        }
        const some = () =>
          Array.from({ length: 5 }, () =>
            write(next() < 0.5 ? "delete" : "put", Math.floor(next() * 3000))
          )
        const batches = Array.from({ length: 30 }, (_, batch) => batch)
        for (const batch of batches) {
          const from = batch * 100
          const writes = Array.from({ length: 100 }, (_, n) => write("put", from + n))
          for (let at = 0; at < 100; at += 25) yield* repo.write(writes.slice(at, at + 25), {})
        }
        const middle = (yield* repo.head).rev
        for (let n = 0; n < 5; n++) yield* repo.write(some(), {})
        for (const since of [undefined, middle]) {
          for (const isBusy of [false, true]) {
            const snapshot = yield* repo.snapshot
            const measuring = measureExport(snapshot, stores, since)
            let step = measuring.next()
            while (step.done !== true) {
              if (isBusy) yield* repo.write(some(), {})
              step = measuring.next()
            }
            const { length } = step.value
            let sent = 0
            for (const chunk of exportBlocks(snapshot, stores.records, step.value)) {
              sent += chunk.length
              if (isBusy) yield* repo.write(some(), {})
            }
            snapshot.close()
            assert.strictEqual(sent, length, `since ${since}, busy ${isBusy}`)
          }
        }
      })
    )

    check("an export since a rev holds only what has changed, and completes an older export", () =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const collection = "com.example.note"
        const put = (n: number, text: string): Write => ({
          action: "put",
          collection,
          rkey: `k${n}`,
          record: { text }
        })
        for (let from = 0; from < 3000; from += 200) {
          const writes = Array.from({ length: 200 }, (_, n) => put(from + n, `${from + n}`))
          yield* repo.write(writes, {})
        }
        const blocksSince = Effect.fnUntraced(function* (since?: string) {
          const snapshot = yield* repo.snapshot
          const { length, chunks } = yield* exportOf(snapshot, since)
          const car = whole([...chunks])
          snapshot.close()
          assert.strictEqual(car.length, length)
          return { car, ...(yield* Effect.promise(() => readCarWithRoot(car))) }
        })
        const { rev } = yield* repo.head
        const older = yield* blocksSince()
        yield* repo.write([put(77, "changed"), put(5000, "new")], {})
        yield* repo.write([{ action: "delete", collection, rkey: "k1500" }], {})
        const newer = yield* blocksSince(rev)
        assert.isBelow(newer.car.length, older.car.length / 4)
        const all = new BlockMap()
        all.addMap(older.blocks)
        all.addMap(newer.blocks)
        const loaded = yield* Effect.promise(() =>
          LoadedRepo.load(new MemoryBlockstore(all), newer.root)
        )
        const contents = yield* Effect.promise(() => loaded.getContents())
        const notes = contents[collection] ?? {}
        assert.strictEqual(Object.keys(notes).length, 3000)
        assert.deepStrictEqual(
          [notes["k77"], notes["k1500"]],
          [{ $type: collection, text: "changed" }, undefined]
        )
        const { block } = yield* repo.head
        const none = yield* blocksSince((yield* repo.head).rev)
        assert.isBelow(none.car.length, block.length + 200)
      })
    )

    check(
      "an export of 45 MB stays whole while a writer replaces all of it, and an older export fails",
      () =>
        Effect.gen(function* () {
          const repo = yield* Repo
          const collection = "com.example.note"
          const put = (n: number, text: string) =>
            repo.write([{ action: "put", collection, rkey: `k${n}`, record: { text } }], {})
          const large = "x".repeat(950_000)
          const count = 48
          for (let n = 0; n < count; n++) yield* put(n, `${n}${large}`)
          const older = yield* repo.snapshot
          const { chunks: outrun } = yield* exportOf(older)
          outrun.next()
          for (let n = 0; n < 24; n++) yield* put(n, `changed ${n}${large}`)
          const snapshot = yield* repo.snapshot
          const { chunks: sent } = yield* exportOf(snapshot)
          const chunks = [sent.next().value!]
          for (let n = 0; n < count; n++) yield* put(n, "small")
          chunks.push(...sent)
          snapshot.close()
          const later = yield* repo.snapshot
          yield* put(0, "last")
          const latest = [...(yield* exportOf(later)).chunks]
          later.close()
          assert.throws(() => [...outrun], "writes outran the export")
          older.close()
          for (const car of [chunks, latest]) {
            const { creates } = yield* Effect.promise(() => verifyRepoCar(whole(car), did))
            assert.strictEqual(creates.length, count)
          }
        })
    )

    check("an export survives a writer who overwrites one large record again and again", () =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const collection = "com.example.note"
        const put = (text: string) =>
          repo.write([{ action: "put", collection, rkey: "k", record: { text } }], {})
        const large = "x".repeat(950_000)
        yield* put(`first${large}`)
        const snapshot = yield* repo.snapshot
        for (let n = 0; n < 54; n++) yield* put(`${n}${large}`)
        const chunks = [...(yield* exportOf(snapshot)).chunks]
        snapshot.close()
        const { commit } = yield* Effect.promise(() => verifyRepoCar(whole(chunks), did))
        assert.strictEqual(commit.rev, snapshot.head.rev)
      })
    )

    check("records of any size are read in pages that fit into memory, without gaps", () =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const records = yield* Records
        const collection = "com.example.note"
        const large = "x".repeat(900_000)
        for (let n = 0; n < 12; n++) {
          const record = { text: `${n}${large}` }
          const rkey = `k${String(n).padStart(2, "0")}`
          yield* repo.write([{ action: "create", collection, rkey, record }], {})
        }
        const bytesOf = (found: ReadonlyArray<{ readonly value: Uint8Array }>) =>
          found.reduce((sum, { value }) => sum + value.byteLength, 0)
        assert.isBelow(bytesOf(records.from("", 500)), 6_000_000)
        const seen: Array<string> = []
        let page = records.page({ collection, limit: 100, ascending: true })
        while (true) {
          assert.isBelow(bytesOf(page.records), 6_000_000)
          seen.push(...page.records.map(({ path }) => path))
          if (!page.more) break
          const after = seen.at(-1)!.split("/")[1]!
          page = records.page({ collection, limit: 100, ascending: true, after })
        }
        assert.strictEqual(seen.length, 12)
        assert.deepStrictEqual(seen.toSorted(), seen)
        const { chunks } = yield* exported
        const { creates } = yield* Effect.promise(() => verifyRepoCar(whole(chunks), did))
        assert.strictEqual(creates.length, 12)
      })
    )

    check("recommitAfter holds writes until its commit, which contains no operations", (world) =>
      Effect.gen(function* () {
        const repo = yield* Repo
        yield* note(repo, "a")
        const before = yield* repo.head
        let writing: Fiber.Fiber<unknown, unknown> | undefined
        const change = Effect.gen(function* () {
          writing = yield* Effect.forkDetach(note(repo, "b"))
          for (let turn = 0; turn < 100; turn++) yield* Effect.yieldNow
          assert.deepStrictEqual(yield* repo.head, before)
        })
        const fresh = yield* repo.recommitAfter(Effect.orDie(change))
        assert.isTrue(fresh.root.equals(before.root))
        assert.isAbove(fresh.rev.localeCompare(before.rev), 0)
        yield* Fiber.join(writing!)
        assert.strictEqual((yield* repo.head).records, before.records + 1)
        const checked = []
        for (const event of world.events()) {
          checked.push(yield* Effect.promise(() => checkCommit(event, world.signingKey)))
        }
        assert.deepStrictEqual(
          checked.map(({ ops }) => ops.length),
          [1, 0, 1]
        )
        assert.strictEqual(checked[1]?.rev, fresh.rev)
        assert.strictEqual(checked[2]?.since, fresh.rev)
      })
    )

    check("recommitAfter creates no commit if the change fails", () =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const before = yield* repo.head
        const failed = yield* Effect.flip(repo.recommitAfter(Effect.fail("no" as const)))
        assert.strictEqual(failed, "no")
        assert.deepStrictEqual(yield* repo.head, before)
        yield* note(repo, "a")
      })
    )
  })

  repoRulesContract(name, check)
}
