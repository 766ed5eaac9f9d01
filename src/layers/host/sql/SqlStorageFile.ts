import { existsSync, mkdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import * as Effect from "effect/Effect"
import type { SqlStorage, SqlValue } from "../../../services/host/SqlStorage.ts"
import { syncNames } from "../durable.ts"
import { SharedSync } from "./SharedSync.ts"
import * as SqlStorageNode from "./SqlStorageNode.ts"

/** SQLite in a file of its own, opened when it is needed. */
export interface FileStorage {
  readonly service: SqlStorage["Service"]
  /** Waits until every commit so far is on the disk. */
  readonly synced: Effect.Effect<void>
  /** Closes the file for good: a later statement throws. */
  readonly close: () => void
  /** Deletes the file; a later write makes a new one. */
  readonly wipe: () => void
}

interface OpenFile {
  readonly database: DatabaseSync
  readonly sql: SqlStorage["Service"]
  readonly shared: SharedSync | undefined
}

/** What reads nothing: a missing file has no tables. */
const reads = /^\s*(select|explain)\b/i

/**
 * Storage in a file that the first write makes.
 *
 * A missing file reads as an empty database, so a request for an unknown DID leaves nothing behind.
 * Every commit is synced, or before `synced` ends if it may share a sync; no other process can open
 * the file (see SqlStorageNode.openFile).
 */
export const make = (path: string, { sharesSyncs = false } = {}): FileStorage => {
  let open: OpenFile | undefined
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
      const shared = sharesSyncs ? new SharedSync(`${path}-wal`) : undefined
      open = { database, sql: SqlStorageNode.make(database, shared), shared }
    }
    return open.sql
  }

  const isThere = () => open !== undefined || existsSync(path)

  const close = (): void => {
    open?.database.close()
    open?.shared?.close()
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
      transaction: (body, sync) => file().transaction(body, sync),
      size: () => (isThere() ? file().size() : 0)
    },
    synced: Effect.suspend(() => open?.shared?.done ?? Effect.void),
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
