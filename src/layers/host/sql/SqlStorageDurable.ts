import * as Layer from "effect/Layer"
import {
  billed,
  SqlStorage,
  type SqlCursor,
  type SqlValue
} from "../../../services/host/SqlStorage.ts"

/** A Durable Object's SQLite database, without a wrapper around its cursors. */
export const make = (storage: DurableObjectStorage): SqlStorage["Service"] => {
  const sql = storage.sql
  return SqlStorage.of({
    // SAFETY: the platform's cursor is this interface; its rows are what the caller's statement
    // selects.
    exec: <Row extends Record<string, SqlValue>>(
      query: string,
      ...bindings: ReadonlyArray<SqlValue>
    ) => {
      const cursor = sql.exec(query, ...bindings)
      // A statement that writes has completed by now.
      billed.rows += cursor.rowsWritten
      return cursor as unknown as SqlCursor<Row>
    },
    transaction: (body) => storage.transactionSync(body),
    size: () => sql.databaseSize
  })
}

/** SqlStorage over the storage of a Durable Object. */
export const layer = (storage: DurableObjectStorage): Layer.Layer<SqlStorage> =>
  Layer.succeed(SqlStorage, make(storage))
