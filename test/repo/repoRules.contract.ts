import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Records } from "../../src/services/repo/Records.ts"
import { Repo, type Write } from "../../src/services/repo/Repo.ts"
import { type Body, type checkOver, numbered } from "./repo.fixture.ts"

/** The rules for writes; `check` declares a test over an empty repo. */
export const repoRulesContract = (name: string, check: ReturnType<typeof checkOver>) => {
  describe(`the rules for writes (${name})`, () => {
    check("a batch may create, update and delete one key", ({ events }) =>
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

    check(
      "a write whose swapCommit or swapRecord doesn't match fails and changes nothing",
      ({ events }) =>
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

    check("a write with unchanged content creates no commit", ({ events }) =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const put: Write = {
          action: "put",
          collection: "com.example.note",
          rkey: "a",
          record: { n: 1 }
        }
        yield* repo.write([put], {})
        const again = yield* repo.write([put], {})
        assert.isUndefined(again.commit)
        assert.strictEqual(events().length, 1)
      })
    )

    check("a new like replaces the one with the same subject", ({ events }) =>
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
          records.page({ collection: "app.bsky.feed.like", limit: 10, ascending: false }).records
            .length,
          1
        )
        const ops = (numbered(events()[1]!).body as Body)["ops"] as ReadonlyArray<Body>
        assert.sameMembers(
          ops.map((op) => String(op["action"])),
          ["create", "delete"]
        )
      })
    )

    check("revs increase although the clock steps back", ({ setClock }) =>
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
        assert.deepStrictEqual(revs.toSorted(), revs)
        assert.strictEqual(new Set(revs).size, 3)
      })
    )

    check("a write that breaks a rule fails and changes nothing", ({ events }) =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const head = yield* repo.head
        const big = { text: "x".repeat(1_000_001) }
        // A block's CID as a blob: nothing was uploaded under it.
        const noBlob = { $type: "blob", ref: head.commit, mimeType: "image/png", size: 8 }
        const bad: ReadonlyArray<readonly [Write, boolean?]> = [
          [{ action: "create", collection: "not-an-nsid", record: {} }],
          [{ action: "create", collection: "com.example.note", rkey: "a/b", record: {} }],
          [{ action: "create", collection: "com.example.note", rkey: "..", record: {} }],
          [
            { action: "create", collection: "com.example.note", record: { $type: "com.example.x" } }
          ],
          [{ action: "create", collection: "com.example.note", record: {} }, true],
          [{ action: "create", collection: "app.bsky.feed.post", record: { text: "no date" } }],
          [{ action: "put", collection: "app.bsky.actor.profile", rkey: "other", record: {} }],
          [{ action: "create", collection: "com.example.note", record: big }],
          [
            {
              action: "create",
              collection: "com.example.note",
              record: {
                old: {
                  cid: "bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4",
                  mimeType: "image/png"
                }
              }
            }
          ],
          [{ action: "create", collection: "com.example.note", record: { image: noBlob } }],
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

    check("collections lists exactly the collections that hold records", ({ events }) =>
      Effect.gen(function* () {
        const repo = yield* Repo
        const at = { collection: "com.example.note", rkey: "one" }
        yield* repo.write([{ action: "create", ...at, record: {} }], {})
        yield* repo.write([{ action: "create", ...at, rkey: "two", record: {} }], {})
        assert.deepStrictEqual(yield* Effect.fromResult(repo.collections()), ["com.example.note"])
        yield* repo.write([{ action: "delete", ...at }], {})
        yield* repo.write([{ action: "delete", ...at, rkey: "two" }], {})
        assert.deepStrictEqual(yield* Effect.fromResult(repo.collections()), [])
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
  })
}
