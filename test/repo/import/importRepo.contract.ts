import * as Reference from "@atproto/repo"
import { assert, describe } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { isolateTurns } from "../../../src/layers/repo/importTurns.ts"
import type { Block } from "../../../src/core/repo/car.ts"
import type { Data } from "../../../src/core/repo/cbor.ts"
import { type Cid, cidForRaw } from "../../../src/core/repo/cid.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { BlobIndex } from "../../../src/services/blobs/BlobIndex.ts"
import { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import { Records } from "../../../src/services/repo/Records.ts"
import { Repo } from "../../../src/services/repo/Repo.ts"
import { RepoImport } from "../../../src/services/repo/RepoImport.ts"
import { blockOf, carOf, foreignRepo, newKey, posts, type RecordsByPath } from "./importCars.ts"
import {
  checkImport,
  everything,
  importCar,
  type ImportWorld,
  leftBehind,
  refusal,
  staged,
  write,
  writeMany
} from "./importRepo.fixture.ts"
import {
  type Body,
  did,
  exportOf,
  numbered,
  post,
  random,
  type WithDatabase
} from "../repo.fixture.ts"

/** An account's repo on another server, whose key the DID document names. */
const elsewhere = (world: ImportWorld) =>
  Effect.promise(async () => {
    const key = await newKey()
    world.documentKey = key.did()
    return key
  })

const deactivate = Effect.flatMap(AccountStore, (accounts) =>
  accounts.update({ deactivatedAt: "2026-01-01T00:00:00.000Z" })
)

/** Every stored record, by path. */
const stored = Effect.map(Records, (records) => {
  const found = new Map<string, string>()
  for (let from = ""; ;) {
    const page = records.from(from, 500)
    for (const { path, cid } of page) found.set(path, cid.toString())
    if (page.length < 500) return found
    from = `${page.at(-1)!.path}0`
  }
})

const cidsOf = (records: RecordsByPath) =>
  new Map(
    [...records]
      .map(([path, record]) => [path, blockOf(record).cid.toString()] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
  )

const blobOf = (text: string) => {
  const bytes = new TextEncoder().encode(text)
  return { bytes, cid: cidForRaw(bytes) }
}

const picture = (text: string, blobs: ReadonlyArray<Cid>): { readonly [key: string]: Data } => ({
  ...post(text),
  embed: {
    $type: "app.bsky.embed.images",
    images: blobs.map((ref) => ({
      alt: "",
      image: { $type: "blob", ref, mimeType: "image/png", size: 5 }
    }))
  }
})

/** What an import guarantees, over any database. */
export const importContract = (name: string, withDatabase: WithDatabase): void => {
  const check = checkImport(withDatabase)

  describe(`an import, ${name}`, () => {
    check(
      "an import stores every record under a commit of this server's key, which @atproto/repo accepts",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const records = posts(700)
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          yield* importCar(carOf(repo))
          assert.deepStrictEqual(yield* stored, cidsOf(records))
          const { head } = yield* Repo
          assert.strictEqual((yield* head).root.toString(), repo.tree.root().toString())
          assert.strictEqual((yield* head).records, 700)
          assert.strictEqual((yield* head).nodes, repo.nodes.length)
          const { car } = yield* everything
          const verified = yield* Effect.promise(() =>
            Reference.verifyRepoCar(car, did, world.signingKey)
          )
          assert.strictEqual(verified.creates.length, 700)
          yield* write("one more")
          assert.strictEqual((yield* head).records, 701)
        })
    )

    check(
      "an import accepts blocks in any order, even twice, and ignores blocks outside of the tree",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const records = posts(300)
          const next = random(7)
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          const stray = [blockOf({ e: [], stray: true }), blockOf({ stray: 1 })]
          const car = carOf(repo, (blocks) =>
            [...blocks, ...blocks.slice(0, 100), ...stray]
              .map((block) => ({ block, at: next() }))
              .toSorted((a, b) => a.at - b.at)
              .map(({ block }) => block)
          )
          for (const piece of [37, 100_000]) {
            yield* importCar(car, piece)
            assert.deepStrictEqual(yield* stored, cidsOf(records))
          }
        })
    )

    check(
      "an import stores duplicates, and a record that looks like a tree node, at each path",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const twin = { $type: "com.example.note", text: "twin" }
          const nodeLike = { e: [], l: null }
          const records = new Map<string, { readonly [key: string]: Data }>([
            ["com.example.note/a", twin],
            ["com.example.note/b", twin],
            ["com.example.note/c", nodeLike],
            ["com.example.other/c", nodeLike]
          ])
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          yield* importCar(carOf(repo))
          assert.deepStrictEqual(yield* stored, cidsOf(records))
        })
    )

    check("an import replaces everything, including backlinks and blob references", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        yield* write("old")
        const like = {
          $type: "app.bsky.feed.like",
          subject: { uri: "at://did:plc:x/app.bsky.feed.post/3k", cid: blockOf({}).cid.toString() },
          createdAt: "2024-01-01T00:00:00.000Z"
        }
        const records = new Map([["app.bsky.feed.like/3kaaaaaaaaa2a", like]])
        const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
        yield* importCar(carOf(repo))
        const all = yield* Records
        assert.deepStrictEqual(yield* stored, cidsOf(records))
        assert.deepStrictEqual(all.collections(), ["app.bsky.feed.like"])
        assert.deepStrictEqual(yield* Effect.fromResult((yield* Repo).collections()), [
          "app.bsky.feed.like"
        ])
        assert.deepStrictEqual(all.backlinks("app.bsky.feed.like", like.subject.uri), [
          "app.bsky.feed.like/3kaaaaaaaaa2a"
        ])
        assert.strictEqual(leftBehind(world), 0)
        const empty = yield* Effect.promise(() => foreignRepo(key, new Map(), { did }))
        yield* importCar(carOf(empty))
        assert.strictEqual((yield* stored).size, 0)
        assert.strictEqual((yield* (yield* Repo).head).nodes, 1)
      })
    )

    check(
      "an import signs with a rev above the CAR's, even one ahead of the clock, and above the head's",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          yield* world.setClock(Date.parse("2026-01-01T00:00:00.000Z"))
          yield* write("before")
          const { head } = yield* Repo
          const before = (yield* head).rev
          const import1 = yield* Effect.promise(() => foreignRepo(key, posts(3), { did }))
          yield* importCar(carOf(import1))
          const first = (yield* head).rev
          assert.isAbove(first.localeCompare(before), 0)
          const rev = "4zzzzzzzzzzzz"
          const ahead = yield* Effect.promise(() => foreignRepo(key, posts(3), { did, rev }))
          yield* importCar(carOf(ahead))
          assert.isTrue((yield* head).rev > rev)
          const after = (yield* head).rev
          yield* write("after")
          assert.isTrue((yield* head).rev > after)
          const rows = yield* Effect.map(Records, (records) => records.from("", 10))
          assert.isTrue(rows.every((row) => row.rev > rev))
        })
    )

    check("an import keeps nodes beyond its memory in a table, in any order", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        // Keys without a common prefix make large nodes.
        const filler = "x".repeat(980)
        const records = new Map(
          Array.from({ length: 6000 }, (_, n) => [
            `com.example.note/${String((n * 7919) % 6007).padStart(4, "0")}${filler}`,
            { n }
          ])
        )
        const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
        const next = random(11)
        const shuffled = (blocks: ReadonlyArray<Block>) =>
          blocks
            .map((block) => ({ block, at: next() }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ block }) => block)
        const { exec } = world.sql
        let slabs = 0
        // SAFETY: the layers hold this same object.
        const counting = world.sql as { exec: typeof exec }
        counting.exec = (query, ...bindings) => {
          if (query.startsWith("INSERT INTO import_nodes")) slabs++
          return exec.call(world.sql, query, ...bindings) as never
        }
        yield* importCar(carOf(repo, shuffled), 100_000)
        assert.isAbove(slabs, 20)
        const { root, records: count } = yield* (yield* Repo).head
        assert.deepStrictEqual([root, count], [repo.tree.root(), 6000])
        assert.strictEqual(leftBehind(world), 0)
      })
    )

    check(
      "an import fails as busy while another account imports on this machine, and succeeds after it",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepo(key, posts(3), { did }))
          const now = yield* Clock.currentTimeMillis
          const other = isolateTurns.begin("did:plc:other", now)
          assert.isDefined(other)
          const imports = yield* RepoImport
          assert.strictEqual((yield* Effect.flip(imports.admit))._tag, "ImportBusy")
          const refused = yield* Effect.flip(importCar(carOf(repo)))
          assert.deepInclude(refused, { _tag: "ImportBusy", retryAfterSeconds: 30 })
          assert.strictEqual((yield* stored).size, 0)
          isolateTurns.end(other!)
          yield* imports.admit
          yield* importCar(carOf(repo))
          assert.strictEqual((yield* stored).size, 3)
          // An import that ended without notice doesn't block others permanently.
          const lost = isolateTurns.begin("did:plc:other", now)
          assert.isFalse(isolateTurns.isFree(did, now + 120_000))
          assert.isTrue(isolateTurns.isFree(did, now + 120_001))
          isolateTurns.end(lost!)
        })
    )

    check("a rejected CAR's rev doesn't affect the repo's own", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const records = posts(3)
        const repo = yield* Effect.promise(() =>
          foreignRepo(key, records, { did, rev: "4zzzzzzzzzzzz" })
        )
        yield* refusal(carOf({ ...repo, records: repo.records.slice(1) }))
        yield* write("after")
        assert.isTrue((yield* (yield* Repo).head).rev < "4")
      })
    )

    check("an import accepts this account's own export without resolving its identity", (world) =>
      Effect.gen(function* () {
        for (let n = 0; n < 5; n++) yield* write(`post ${n}`)
        const before = yield* stored
        const { car } = yield* everything
        yield* write("one too many")
        yield* importCar(car)
        assert.deepStrictEqual(yield* stored, before)
        assert.strictEqual(world.documentKey, undefined)
      })
    )

    check(
      "an import emits #sync for an active account and nothing for a deactivated one",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          yield* write("first")
          const before = world.events().length
          const repo = yield* Effect.promise(() => foreignRepo(key, posts(3), { did }))
          yield* importCar(carOf(repo))
          const [event, ...more] = world.events().slice(before)
          assert.strictEqual(more.length, 0)
          assert.strictEqual(event!.kind, "sync")
          const body = numbered(event!).body as Body
          const { rev, commit } = yield* (yield* Repo).head
          assert.strictEqual(body["rev"], rev)
          assert.deepStrictEqual(event!.head, { commit: commit.toString(), rev })
          assert.deepStrictEqual(event!.collections, {
            added: ["app.bsky.feed.post"],
            removed: [],
            whole: true
          })
          yield* deactivate
          yield* importCar(carOf(repo))
          assert.strictEqual(world.events().length, before + 1)
        })
    )

    check(
      "an import of 1,000 records bills at most 1.15 rows a record, into an empty repo or a full one",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const repo = yield* Effect.promise(() => foreignRepo(key, posts(1000), { did }))
          const car = carOf(repo)
          for (let times = 0; times < 2; times++) {
            const rows = yield* countRows(world, importCar(car))
            assert.isAtMost(rows, 1150)
            assert.isAbove(rows, 1000)
          }
        })
    )

    check("an import fails the exports that were reading the old repo, and no later one", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        for (let n = 0; n < 5; n++) yield* writeMany(200)
        const snapshot = yield* (yield* Repo).snapshot
        const { chunks } = yield* exportOf(snapshot)
        chunks.next()
        const repo = yield* Effect.promise(() => foreignRepo(key, posts(3), { did }))
        yield* importCar(carOf(repo))
        assert.throws(() => [...chunks])
        snapshot.close()
        const { car } = yield* everything
        yield* Effect.promise(() => Reference.verifyRepoCar(car, did, world.signingKey))
      })
    )

    check(
      "an import makes waiting blobs permanent and unused ones temporary, and expects the rest",
      (world) =>
        Effect.gen(function* () {
          const key = yield* elsewhere(world)
          const blobs = yield* BlobIndex
          const [here, gone, missing, old] = ["here", "gone", "missing", "old"].map(blobOf)
          const upload = ({ cid }: { readonly cid: Cid }) => {
            blobs.noteUpload(`key ${cid}`, 1)
            const mimeType = "image/png"
            return blobs.record({
              cid: cid.toString(),
              key: `key ${cid}`,
              mimeType,
              size: 5,
              now: 1
            })
          }
          upload(here!)
          upload(gone!)
          yield* (yield* Repo).write(
            [
              {
                action: "create",
                collection: "app.bsky.feed.post",
                record: picture("p", [gone!.cid])
              }
            ],
            {}
          )
          const records = new Map<string, { readonly [key: string]: Data }>([
            ["app.bsky.feed.post/3kaaaaaaaaa2a", picture("one", [here!.cid, missing!.cid])],
            ["app.bsky.feed.post/3kaaaaaaaaa2b", picture("two", [missing!.cid])],
            [
              "app.bsky.actor.profile/self",
              { avatar: { cid: old!.cid.toString(), mimeType: "image/jpeg" } }
            ]
          ])
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          for (let times = 0; times < 2; times++) {
            yield* importCar(carOf(repo))
            assert.deepStrictEqual(blobs.counts(), { expected: 3, imported: 1 })
            assert.isDefined(blobs.locate(here!.cid.toString()))
            assert.isUndefined(blobs.locate(gone!.cid.toString()))
            assert.deepStrictEqual(
              blobs.missing({ limit: 10 }).items.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
              [
                { cid: old!.cid.toString(), path: "app.bsky.actor.profile/self" },
                { cid: missing!.cid.toString(), path: "app.bsky.feed.post/3kaaaaaaaaa2a" }
              ]
            )
          }
          upload(missing!)
          assert.isDefined(blobs.locate(missing!.cid.toString()))
          assert.strictEqual(blobs.usage(), 15)
          const { rkey, collection } = { collection: "app.bsky.feed.post", rkey: "3kaaaaaaaaa2a" }
          yield* (yield* Repo).write([{ action: "delete", collection, rkey }], {})
          assert.isUndefined(blobs.locate(here!.cid.toString()))
          assert.isDefined(blobs.locate(missing!.cid.toString()))
          assert.deepStrictEqual(blobs.counts(), { expected: 2, imported: 1 })
        })
    )
  })

  describe(`an interrupted import, ${name}`, () => {
    check("an interrupted import leaves the repo unchanged, and the next one succeeds", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        yield* write("was there")
        const before = yield* everything
        const repo = yield* Effect.promise(() => foreignRepo(key, posts(300), { did }))
        for (const reading of [1, 2]) {
          const reached = yield* Deferred.make<void>()
          world.onRead = (now) =>
            now % 2 === reading % 2
              ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)
              : Effect.void
          const fiber = yield* Effect.forkChild(importCar(carOf(repo)))
          yield* Deferred.await(reached)
          yield* Fiber.interrupt(fiber)
          assert.deepStrictEqual(yield* everything, before)
          assert.strictEqual(leftBehind(world), 0)
          if (reading === 1) {
            world.onRead = () => Effect.void
            yield* refusal(carOf({ ...repo, records: [] }))
          }
        }
        world.onRead = () => Effect.void
        yield* importCar(carOf(repo))
        assert.strictEqual((yield* stored).size, 300)
      })
    )

    check("an import fails if the repo was written to meanwhile", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const repo = yield* Effect.promise(() => foreignRepo(key, posts(3), { did }))
        const services = yield* Effect.context<Repo>()
        world.onRead = (reading) =>
          reading === 2
            ? Effect.asVoid(Effect.orDie(Effect.provide(write("mine"), services)))
            : Effect.void
        const failure = yield* Effect.flip(importCar(carOf(repo)))
        assert.match(String(failure.message), /was written to while/)
        assert.strictEqual((yield* stored).size, 1)
        assert.strictEqual(leftBehind(world), 0)
      })
    )

    check("a new import ends the running one and succeeds", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const [older, newer] = yield* Effect.promise(() =>
          Promise.all([
            foreignRepo(key, posts(200, "older"), { did }),
            foreignRepo(key, posts(250, "newer"), { did })
          ])
        )
        const reached = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        world.onRead = (reading) =>
          reading === 2
            ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go))
            : Effect.void
        const fiber = yield* Effect.forkChild(Effect.flip(importCar(carOf(older))))
        yield* Deferred.await(reached)
        yield* importCar(carOf(newer))
        yield* Deferred.succeed(go, undefined)
        assert.match(String((yield* Fiber.join(fiber)).message), /another import has begun/)
        assert.deepStrictEqual(yield* stored, cidsOf(posts(250, "newer")))
      })
    )

    check("a new import fails while another is being swapped in", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        const [older, newer] = yield* Effect.promise(() =>
          Promise.all([
            foreignRepo(key, posts(200, "older"), { did }),
            foreignRepo(key, posts(250, "newer"), { did })
          ])
        )
        const reached = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        world.onReplace = () =>
          Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(go))
        const first = yield* Effect.forkChild(importCar(carOf(older)))
        yield* Deferred.await(reached)
        world.onReplace = () => Effect.void
        const failure = yield* Effect.flip(importCar(carOf(newer)))
        assert.match(String(failure.message), /just being put in place/)
        yield* Deferred.succeed(go, undefined)
        yield* Fiber.join(first)
        assert.deepStrictEqual(yield* stored, cidsOf(posts(200, "older")))
        yield* importCar(carOf(newer))
        assert.deepStrictEqual(yield* stored, cidsOf(posts(250, "newer")))
      })
    )

    check("the alarm sweeps an import whose object died", (world) =>
      Effect.gen(function* () {
        yield* write("was there")
        const before = yield* everything
        world.sql.exec("CREATE TABLE import_record (path TEXT PRIMARY KEY) WITHOUT ROWID")
        world.sql.exec("INSERT INTO import_record VALUES ('a')")
        yield* (yield* RepoImport).sweep
        assert.strictEqual(leftBehind(world), 0)
        assert.deepStrictEqual(yield* everything, before)
        const failure = yield* Effect.flip((yield* RepoImport).run("nothing lies here"))
        assert.strictEqual(failure._tag, "UploadExpired")
        assert.isDefined(world.armed())
      })
    )

    check("an import fails with UploadExpired when its staged file is gone", () =>
      Effect.gen(function* () {
        yield* (yield* BlobStore).delete([staged])
        const failure = yield* Effect.flip((yield* RepoImport).run(staged))
        assert.strictEqual(failure._tag, "UploadExpired")
      })
    )
  })

  describe(`any repo, ${name}`, () => {
    check("any repo is unchanged by an import, with a tree that verifies", (world) =>
      Effect.gen(function* () {
        const key = yield* elsewhere(world)
        for (let seed = 1; seed <= 25; seed++) {
          const next = random(seed)
          const collections = ["app.bsky.feed.post", "app.bsky.feed.like", "com.example.note"]
          const count = Math.floor(next() * 200)
          const records = new Map(
            Array.from({ length: count }, () => [
              `${collections[Math.floor(next() * 3)]}/${Math.floor(next() * 1000)}`,
              { text: `${Math.floor(next() * 50)}`, deep: { list: [1, null, "é"] } }
            ])
          )
          const repo = yield* Effect.promise(() => foreignRepo(key, records, { did }))
          const shuffled = (blocks: ReadonlyArray<Block>) =>
            blocks
              .map((block) => ({ block, at: next() }))
              .toSorted((a, b) => a.at - b.at)
              .map(({ block }) => block)
          yield* importCar(carOf(repo, shuffled), 1 + Math.floor(next() * 5000))
          assert.deepStrictEqual(yield* stored, cidsOf(records), `seed ${seed}`)
          const { car } = yield* everything
          const verified = yield* Effect.promise(() =>
            Reference.verifyRepoCar(car, did, world.signingKey)
          )
          assert.strictEqual(verified.creates.length, records.size, `seed ${seed}`)
        }
      })
    )
  })
}

/** The rows that an effect writes, by the database's cursors. */
const countRows = <A, E, R>(world: ImportWorld, effect: Effect.Effect<A, E, R>) => {
  const { sql } = world
  const exec = sql.exec.bind(sql)
  let rows = 0
  // The layers hold this same object, so their statements are counted.
  const counting = sql as { exec: typeof sql.exec }
  counting.exec = (query, ...bindings) => {
    const cursor = exec(query, ...bindings)
    rows += cursor.rowsWritten
    return cursor as never
  }
  return Effect.map(
    Effect.ensuring(
      effect,
      Effect.sync(() => (counting.exec = exec))
    ),
    () => rows
  )
}
