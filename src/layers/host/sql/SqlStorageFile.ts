import { existsSync, mkdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import type { SqlStorage, SqlValue } from "../../../services/host/SqlStorage.ts"
import { syncNames } from "../durable.ts"
import * as SqlStorageNode from "./SqlStorageNode.ts"

/** SQLite in a file of its own, opened when it is needed. */
export interface FileStorage {
  readonly service: SqlStorage["Service"]
  /** Closes the file for good: a later statement throws. */
  readonly close: () => void
  /** Deletes the file; a later write makes a new one. */
  readonly wipe: () => void
}

/** What reads nothing: a missing file has no tables. */
const reads = /^\s*(select|explain)\b/i

/**
 * Storage in a file that the first write makes.
 *
 * A missing file reads as an empty database, so a request for an unknown DID leaves nothing behind.
 * Every commit is synced, and no other process can open the file (see SqlStorageNode.openFile).
 */
export const make = (path: string): FileStorage => {
  let open: { readonly database: DatabaseSync; readonly sql: SqlStorage["Service"] } | undefined
  let isClosed = false
  /** Empty, and never written to. */
  let nothing: SqlStorage["Service"] | undefined

  const file = (): SqlStorage["Service"] => {
    if (isClosed) throw new Error("the storage was closed")
    if (open === undefined) {
      const isNew = !existsSync(path)
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      const database = SqlStorageNode.openFile(path)
      // The account's folder, the one that holds all of them, and the data folder.
      if (isNew) syncNames(path, { levels: 3 })
      open = { database, sql: SqlStorageNode.make(database) }
    }
    return open.sql
  }

  const isThere = () => open !== undefined || existsSync(path)

  const close = (): void => {
    open?.database.close()
    open = undefined
  }

  return {
    service: {
      exec: <R extends Record<string, SqlValue>>(
        query: string,
        ...bindings: ReadonlyArray<SqlValue>
      ) => {
        if (isClosed || isThere() || !reads.test(query)) return file().exec<R>(query, ...bindings)
        nothing ??= SqlStorageNode.make(SqlStorageNode.open(":memory:"))
        return nothing.exec<R>(query, ...bindings)
      },
      transaction: (body) => file().transaction(body),
      size: () => (isThere() ? file().size() : 0)
    },
    close: () => {
      isClosed = true
      close()
    },
    wipe: () => {
      close()
      for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name, { force: true })
    }
  }
}
