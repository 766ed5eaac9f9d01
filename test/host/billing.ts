import { runInDurableObject } from "cloudflare:test"
import { DIRECTORY, objectOf } from "./workerdWorld.ts"

/** What Cloudflare bills by the row. */
export interface Rows {
  /** For all objects together, including alarms. */
  readonly read: number
  readonly written: number
  readonly d1Read: number
  readonly d1Written: number
}

const cursors: Array<SqlStorageCursor<Record<string, SqlStorageValue>>> = []
const other = { alarms: 0, d1Read: 0, d1Written: 0 }

/** SQLite's own `exec`, which isn't counted. */
let exec: SqlStorage["exec"] | undefined

const note = <R extends D1Result<unknown>>(result: R): R => {
  other.d1Read += result.meta.rows_read
  other.d1Written += result.meta.rows_written
  return result
}

type Method = (this: unknown, ...args: Array<unknown>) => unknown

/** Replaces a method, with access to the original, for all objects of a class. */
const replace = (of: object, name: string, make: (original: Method) => Method): void => {
  const prototype = Object.getPrototypeOf(of)
  prototype[name] = make(prototype[name])
}

/** Counts every statement of every object and of D1 from now on: all run in the tests' isolate. */
const watch = async (): Promise<void> => {
  await runInDurableObject(objectOf("did:web:nobody.example"), (_object, { storage }) => {
    exec = Object.getPrototypeOf(storage.sql).exec
    replace(
      storage.sql,
      "exec",
      (original) =>
        function (this: unknown, ...args: Array<unknown>) {
          const cursor = original.apply(this, args)
          // SAFETY: SQLite's exec returns this.
          cursors.push(cursor as (typeof cursors)[number])
          return cursor
        }
    )
    replace(
      storage,
      "setAlarm",
      (original) =>
        function (this: unknown, ...args: Array<unknown>) {
          other.alarms += 1
          return original.apply(this, args)
        }
    )
  })
  const statement = DIRECTORY.prepare("SELECT 1")
  for (const name of ["all", "run"]) {
    replace(
      statement,
      name,
      (original) =>
        async function (this: unknown, ...args: Array<unknown>) {
          // SAFETY: both return a D1 result.
          return note((await original.apply(this, args)) as D1Result<unknown>)
        }
    )
  }
  replace(
    DIRECTORY,
    "batch",
    (original) =>
      async function (this: unknown, ...args: Array<unknown>) {
        // SAFETY: a batch returns its statements' results.
        return ((await original.apply(this, args)) as Array<D1Result<unknown>>).map(note)
      }
  )
}

/** The rows billed while the body runs. */
export const rowsOf = async (body: () => Promise<unknown>): Promise<Rows> => {
  if (exec === undefined) await watch()
  cursors.length = 0
  Object.assign(other, { alarms: 0, d1Read: 0, d1Written: 0 })
  await body()
  const sum = (pick: (cursor: (typeof cursors)[number]) => number) =>
    cursors.reduce((total, cursor) => total + pick(cursor), 0)
  const rows = {
    read: sum(({ rowsRead }) => rowsRead),
    written: sum(({ rowsWritten }) => rowsWritten) + other.alarms,
    d1Read: other.d1Read,
    d1Written: other.d1Written
  }
  cursors.length = 0
  return rows
}

/** Queries an object's tables without being counted. */
export const rowsAt = (
  object: DurableObjectStub,
  query: string,
  ...bindings: ReadonlyArray<SqlStorageValue>
) =>
  runInDurableObject(object, (_object, { storage }) =>
    (exec ?? storage.sql.exec).call(storage.sql, query, ...bindings).toArray()
  )

/** Inserts rows into an object's table without being counted. */
export const insertInto = (
  object: DurableObjectStub,
  query: string,
  rows: ReadonlyArray<ReadonlyArray<SqlStorageValue>>
) =>
  runInDurableObject(object, (_object, { storage }) => {
    for (const row of rows) (exec ?? storage.sql.exec).call(storage.sql, query, ...row)
  })
