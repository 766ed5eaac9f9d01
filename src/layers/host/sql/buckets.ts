import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment, Statement } from "effect/sql/Statement"

/** The number of buckets for a table's keys: by the first two characters of base64url. */
export const buckets = 64 * 64

/** Condition: a row's key is in another key's bucket; a prefix of the keys has separate buckets. */
export const inBucket = (sql: SqlClient, column: string, key: string, prefix = ""): Fragment => {
  const from = key.slice(0, prefix.length + 2)
  // "~" comes after every character of base64url.
  return sql`${sql(column)} >= ${from} AND ${sql(column)} < ${`${from}~`}`
}

/**
 * Removes the rows beyond `most` from a key's bucket, in the given order of those to keep.
 *
 * Keys are random, so limiting each bucket limits the table, and no write reads all of it. If
 * strangers choose the keys, they also choose the bucket, and nothing may be removed.
 */
export const trimBucket = (
  sql: SqlClient,
  table: { readonly name: string; readonly key: string },
  key: string,
  order: Fragment,
  most: number
): Statement<object> => {
  const [name, column] = [sql(table.name), sql(table.key)]
  return sql<object>`DELETE FROM ${name} WHERE ${column} IN (SELECT ${column} FROM ${name}
    WHERE ${inBucket(sql, table.key, key)} ORDER BY ${order} LIMIT -1 OFFSET ${most})`
}
