import { mkdirSync, renameSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { sync, syncNames } from "../../host/durable.ts"
import * as SqlStorageNode from "../../host/sql/SqlStorageNode.ts"

const remove = (path: string): void => {
  for (const name of [path, `${path}-wal`, `${path}-shm`]) rmSync(name, { force: true })
}

/**
 * Writes an account's database under a temporary name: the file appears only once it is complete
 * and synced.
 */
export const draftAccount = <A, E, R>(
  file: string,
  write: (sql: SqlStorage["Service"]) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => {
  const draft = `${file}.adopting`
  return Effect.acquireUseRelease(
    Effect.sync(() => {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      remove(draft)
      const database = SqlStorageNode.openFile(draft)
      // Synced as a whole below.
      database.exec("PRAGMA synchronous = OFF; BEGIN")
      return database
    }),
    (database) =>
      Effect.tap(write(SqlStorageNode.make(database)), () =>
        Effect.sync(() => {
          database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
          database.close()
          sync(draft)
          renameSync(draft, file)
          syncNames(file, { levels: 3 })
        })
      ),
    (database) =>
      Effect.sync(() => {
        if (database.isOpen) database.close()
        remove(draft)
      })
  )
}
