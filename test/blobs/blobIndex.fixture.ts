import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as BlobIndexSqlite from "../../src/layers/blobs/BlobIndexSqlite.ts"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import { tidFromMicros } from "../../src/core/repo/tid.ts"
import { BlobIndex } from "../../src/services/blobs/BlobIndex.ts"
import { SqlStorage, type SqlCursor } from "../../src/services/host/SqlStorage.ts"

type Sql = SqlStorage["Service"]
type Index = BlobIndex["Service"]

export const hour = 3_600_000
export const start = 1_790_000_000_000

/** A test's clock, set by hand. */
export class Hand {
  now = start
}

/** Counts the rows that statements wrote, as the platform bills them. */
export class Bill {
  #cursors: Array<SqlCursor<never>> = []

  over(sql: Sql): Sql {
    return SqlStorage.of({
      ...sql,
      exec: (query, ...bindings) => {
        const cursor = sql.exec<never>(query, ...bindings)
        this.#cursors.push(cursor)
        return cursor
      }
    })
  }

  /** The rows that `body` wrote. */
  of(body: () => void): number {
    this.#cursors = []
    body()
    return this.#cursors.reduce((sum, cursor) => sum + cursor.rowsWritten, 0)
  }
}

/** The CID of a test's n-th blob. */
export const cidOf = (n: number): string =>
  cidForRaw(new TextEncoder().encode(`blob ${n}`)).toString()

/** The default size of the n-th blob. */
export const sizeOf = (n: number): number => 100 + n

/** An index over a database, with its tables. */
export const indexOver = (sql: Sql, hand: Hand = new Hand()): Index => {
  for (const table of BlobIndexSqlite.tables) sql.exec(table)
  const time = { currentTimeMillisUnsafe: () => hand.now }
  return Effect.runSync(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      return yield* BlobIndex.pipe(
        Effect.provide(BlobIndexSqlite.layer),
        Effect.provideService(SqlStorage, sql),
        Effect.provideService(Clock.Clock, { ...clock, ...time })
      )
    })
  )
}

/** Uploads the n-th blob: notes the key, then records it. */
export const upload = (
  index: Index,
  n: number,
  {
    key = `key ${n}`,
    mimeType = "image/png",
    size = sizeOf(n),
    now = start,
    quota = 1e9
  }: {
    readonly key?: string
    readonly mimeType?: string
    readonly size?: number
    readonly now?: number
    readonly quota?: number | undefined
  } = {}
) => {
  index.noteUpload(key, now)
  const upload = { cid: cidOf(n), key, mimeType, size, now }
  return index.record(quota === undefined ? upload : { ...upload, quota })
}

export const rev = (n: number) => tidFromMicros((start + n * hour) * 1000, 7)
export const reference = (n: number, change = {}) => ({
  cid: cidOf(n),
  mimeType: "image/png",
  size: sizeOf(n),
  ...change
})
export const tagOf = (answer: object | undefined) =>
  answer === undefined ? undefined : (answer as { _tag?: string })._tag
export const sorted = (...numbers: Array<number>) => numbers.map(cidOf).toSorted()

/** Where a contract's tests get an empty database. */
export type WithStorage = (body: (sql: Sql) => void) => Promise<void>

/** Declares tests that each get an index over an empty database. */
export const checker =
  (withStorage: WithStorage) =>
  (title: string, body: (index: Index, bill: Bill, hand: Hand, sql: Sql) => void) =>
    it(title, () =>
      withStorage((sql) => {
        const bill = new Bill()
        const hand = new Hand()
        body(indexOver(bill.over(sql), hand), bill, hand, sql)
      })
    )
