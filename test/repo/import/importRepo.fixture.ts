import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, it } from "@effect/vitest"
import * as TestClock from "effect/testing/TestClock"
import * as BlobStoreMemory from "../../../src/layers/blobs/BlobStoreMemory.ts"
import * as BlockStoreSqlite from "../../../src/layers/repo/BlockStoreSqlite.ts"
import * as RepoImportSqlite from "../../../src/layers/repo/RepoImportSqlite.ts"
import { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import { Config } from "../../../src/services/host/Config.ts"
import { Identity, KeyNotFound } from "../../../src/services/identity/Identity.ts"
import { Repo } from "../../../src/services/repo/Repo.ts"
import { type ImportRefused, RepoImport } from "../../../src/services/repo/RepoImport.ts"
import { type RepoServices, repoServices, type RepoWorld } from "../repoWorld.ts"
import { did, exported, post, type WithDatabase, whole } from "../repo.fixture.ts"

/** The key under which the tests stage CARs. */
export const staged = `${did}/staged`

/** The limit on an import's records, in bytes. */
export const importLimit = 10_000_000

/** The services that an import's test may use, besides the repo's own. */
export type ImportServices = RepoServices | RepoImport | BlobStore

/** What an import's test sees from outside. */
export interface ImportWorld extends RepoWorld {
  /** The key that the account's DID document names. */
  documentKey: string | undefined
  /** Called before each read of the staged CAR, with its number from 1. */
  onRead: (reading: number) => Effect.Effect<void>
  /** Called before a complete repo is swapped in. */
  onReplace: () => Effect.Effect<void>
}

const stream = (bytes: Uint8Array, piece: number): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream<Uint8Array>({
    pull: (controller) => {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, (at += piece)))
    }
  })
}

/** Stages a CAR that is read in pieces of this size, and imports it. */
export const importCar = Effect.fnUntraced(function* (car: Uint8Array, piece = 3000) {
  const store = yield* BlobStore
  yield* Effect.orDie(
    store.put(staged, stream(car, piece), { length: car.byteLength, limit: car.byteLength })
  )
  return yield* (yield* RepoImport).run(staged)
})

/**
 * Imports a CAR that must be rejected and returns the reason. Asserts that the repo hasn't changed.
 */
export const refusal = Effect.fnUntraced(function* (car: Uint8Array) {
  const before = yield* everything
  const failure = yield* Effect.flip(importCar(car))
  assert.strictEqual(failure._tag, "ImportRefused")
  assert.deepStrictEqual(yield* everything, before)
  return (failure as ImportRefused).reason
})

/** The repo as others see it: its head and all of its blocks. */
export const everything = Effect.gen(function* () {
  const { chunks, head } = yield* exported
  return { commit: head.commit.toString(), rev: head.rev, car: whole(chunks) }
})

/** Declares tests that get an empty repo and an importer, over a database of their own. */
export const checkImport =
  (withDatabase: WithDatabase) =>
  (title: string, body: (world: ImportWorld) => Effect.Effect<void, unknown, ImportServices>) =>
    it(title, () =>
      withDatabase((sql) =>
        Effect.gen(function* () {
          const { context, world } = yield* repoServices(did, BlockStoreSqlite.layer, sql)
          let readings = 0
          const own: ImportWorld = {
            ...world,
            documentKey: undefined,
            onRead: () => Effect.void,
            onReplace: () => Effect.void
          }
          const inner = Context.get(context, Repo)
          const repo = Repo.of({
            ...inner,
            replace: (replacement) =>
              Effect.andThen(
                Effect.suspend(() => own.onReplace()),
                inner.replace(replacement)
              )
          })
          const memory = BlobStoreMemory.make()
          const store = BlobStore.of({
            ...memory,
            head: (key) =>
              Effect.andThen(
                Effect.suspend(() => own.onRead((readings += 1))),
                memory.head(key)
              )
          })
          const identity = Layer.mock(Identity, {
            documentNow: () => undefined,
            signingKey: (subject) =>
              Effect.suspend(() =>
                own.documentKey === undefined
                  ? Effect.fail(new KeyNotFound({ did: subject, id: "atproto" }))
                  : Effect.succeed(own.documentKey)
              )
          })
          const imports = yield* Layer.build(
            RepoImportSqlite.layer.pipe(
              Layer.provide(
                Layer.mergeAll(
                  Layer.succeedContext(Context.add(context, Repo, repo)),
                  Layer.succeed(BlobStore, store),
                  identity,
                  Layer.succeed(Config, { ...Context.get(context, Config), importLimit })
                )
              )
            )
          )
          const all = Context.merge(context, Context.add(imports, BlobStore, store))
          yield* Effect.provide(body(own), all)
        }).pipe(Effect.scoped, Effect.provide(TestClock.layer()), Effect.runPromise)
      )
    )

/** Writes a post in the account's repo. */
export const write = (text: string) =>
  Effect.flatMap(Repo, (repo) =>
    repo.write([{ action: "create", collection: "app.bsky.feed.post", record: post(text) }], {})
  )

/**
 * Writes many large records at once: an export of a thousand still reads the store after its first
 * chunk, whatever their tree.
 */
export const writeMany = (count: number) =>
  Effect.flatMap(Repo, (repo) =>
    repo.write(
      Array.from({ length: count }, (_, n) => ({
        action: "create",
        collection: "app.bsky.feed.post",
        record: post(`${n} ${"👩‍👩‍👧‍👧".repeat(100)}`)
      })),
      {}
    )
  )

/** How many import tables hold anything. */
export const leftBehind = (world: ImportWorld) =>
  world.sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE name GLOB 'import_*'")
    .toArray()
    .reduce(
      (rows, { name }) => rows + world.sql.exec(`SELECT 1 FROM ${name} LIMIT 1`).toArray().length,
      0
    )
