import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { SqlStorage, type SqlCursor, type SqlValue } from "../../../services/host/SqlStorage.ts"
import type { SharedSync } from "./SharedSync.ts"

type Row = Record<string, SqlValue>
type Bindable = string | number | null | Uint8Array

/** Loads SQLite without Node's warning that it is experimental. */
const loadSqlite = (): typeof import("node:sqlite") => {
  const emitWarning = process.emitWarning
  process.emitWarning = () => {}
  try {
    const sqlite = process.getBuiltinModule("node:sqlite")
    if (sqlite === undefined) throw new Error("node:sqlite needs Node 22.16 or later")
    return sqlite
  } finally {
    process.emitWarning = emitWarning
  }
}

const bindable = (value: SqlValue): Bindable =>
  value instanceof ArrayBuffer ? new Uint8Array(value) : value

/** Whether a string holds several statements, which have no bindings and create or change something. */
const isScript = (query: string) =>
  /^\s*(create|drop|alter|insert|update|delete)\b/i.test(query) && /;\s*\S/.test(query)

/** Rows that are read on demand; `finish` returns the statement after the last. */
class Cursor<R extends Row> implements SqlCursor<R> {
  readonly rowsWritten: number
  private readonly rows: Iterator<R>
  private readonly finish: () => void
  private ahead: IteratorResult<R>

  constructor(rows: Iterator<R>, rowsWritten: number, finish: () => void) {
    this.rows = rows
    this.rowsWritten = rowsWritten
    this.finish = finish
    this.ahead = this.pull()
  }

  private pull(): IteratorResult<R> {
    const result = this.rows.next()
    if (result.done === true) this.finish()
    return result
  }

  private next(): IteratorResult<R> {
    const result = this.ahead
    if (result.done !== true) this.ahead = this.pull()
    return result
  }

  *[Symbol.iterator](): IterableIterator<R> {
    try {
      for (let row = this.next(); row.done !== true; row = this.next()) yield row.value
    } finally {
      this.close()
    }
  }

  /** Returns the statement if the reader stops before the last row. */
  private close(): void {
    if (this.ahead.done === true) return
    this.rows.return?.()
    this.ahead = { done: true, value: undefined }
    this.finish()
  }

  *raw(): IterableIterator<Array<SqlValue>> {
    for (const row of this) yield Object.values(row)
  }

  toArray(): Array<R> {
    return [...this]
  }
}

/** Idle prepared statements by text; one in use is never handed out twice. */
class Statements {
  private readonly database: DatabaseSync
  private readonly atRest = new Map<string, Array<StatementSync>>()

  constructor(database: DatabaseSync) {
    this.database = database
  }

  take(query: string): StatementSync {
    return this.atRest.get(query)?.pop() ?? this.database.prepare(query)
  }

  give(query: string, statement: StatementSync) {
    const same = this.atRest.get(query)
    if (same === undefined) this.atRest.set(query, [statement])
    else if (same.length < 4) same.push(statement)
  }
}

/**
 * A `node:sqlite` database; with `shared`, its commits with shared syncs are synced there.
 *
 * `rowsWritten` counts changed rows, but unlike a Durable Object's, no index entries.
 */
export const make = (database: DatabaseSync, shared?: SharedSync): SqlStorage["Service"] => {
  const statements = new Statements(database)
  let depth = 0

  const exec = <R extends Row>(
    query: string,
    ...bindings: ReadonlyArray<SqlValue>
  ): SqlCursor<R> => {
    if (bindings.length === 0 && isScript(query)) {
      database.exec(query)
      return new Cursor<R>([].values(), 0, () => {})
    }
    const statement = statements.take(query)
    const values = bindings.map(bindable)
    const finish = () => statements.give(query, statement)
    if (statement.columns().length === 0) {
      const { changes } = statement.run(...values)
      finish()
      return new Cursor<R>([].values(), Number(changes), () => {})
    }
    // SAFETY: the caller names the selected columns; SQLite returns only these kinds of values.
    if (/\breturning\b/i.test(query)) {
      const rows = statement.all(...values) as Array<R>
      finish()
      return new Cursor(rows.values(), rows.length, () => {})
    }
    return new Cursor(statement.iterate(...values) as Iterator<R>, 0, finish)
  }

  const nested = <A>(body: () => A): A => {
    const savepoint = `nested_${depth}`
    database.exec(`SAVEPOINT ${savepoint}`)
    depth += 1
    try {
      const result = body()
      database.exec(`RELEASE ${savepoint}`)
      return result
    } catch (error) {
      // After some failures (a full disk) SQLite has already rolled back, and the savepoint is
      // gone.
      if (database.isTransaction) database.exec(`ROLLBACK TO ${savepoint}; RELEASE ${savepoint}`)
      throw error
    } finally {
      depth -= 1
    }
  }

  const transaction = <A>(body: () => A, sync?: "shared"): A => {
    if (shared === undefined || sync === undefined || depth > 0) return nested(body)
    database.exec("PRAGMA synchronous = NORMAL")
    try {
      const result = nested(body)
      shared.owe()
      return result
    } finally {
      database.exec("PRAGMA synchronous = FULL")
    }
  }

  // Freed pages don't count, as in a Durable Object.
  const usedBytes =
    "SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
  const size = () => {
    for (const [bytes] of exec(usedBytes).raw()) return Number(bytes)
    return 0
  }

  return SqlStorage.of({ exec, transaction, size })
}

/** Opens a database file, or one in memory (`":memory:"`); the caller closes it. */
export const open = (path: string): DatabaseSync => {
  const { DatabaseSync } = loadSqlite()
  const database = new DatabaseSync(path)
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL")
  return database
}

/**
 * Opens a database file for one process alone, with every commit synced to the disk.
 *
 * The exclusive lock comes before the journal's mode, so there is no shared memory file. Throws an
 * error that `isLocked` recognizes while another process has it open; each of its failures names
 * the file.
 */
export const openFile = (path: string): DatabaseSync => {
  const { DatabaseSync } = loadSqlite()
  const database = new DatabaseSync(path)
  try {
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL"
    )
  } catch (error) {
    database.close()
    if (error instanceof Error) error.message = `${path}: ${error.message}`
    throw error
  }
  return database
}

/** SQLite's code for a database that another process has open. */
const busy = 5

/** Whether SQLite threw an error because another process has the database open. */
export const isLocked = (error: unknown): boolean =>
  error instanceof Error &&
  "errcode" in error &&
  typeof error.errcode === "number" &&
  // The higher bits say more about the same code.
  (error.errcode & 0xff) === busy

/** Opens a database that is only read. */
export const openReadOnly = (path: string | import("node:url").URL): DatabaseSync =>
  new (loadSqlite().DatabaseSync)(path, { readOnly: true })

/** SqlStorage over `node:sqlite`, closed with the layer's scope. */
export const layer = (path: string): Layer.Layer<SqlStorage> =>
  Layer.effect(
    SqlStorage,
    Effect.acquireRelease(
      Effect.sync(() => open(path)),
      (database) => Effect.sync(() => database.close())
    ).pipe(Effect.map(make))
  )
