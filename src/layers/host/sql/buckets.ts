import type { SqlClient } from "effect/sql/SqlClient"
import type { Fragment, Statement } from "effect/sql/Statement"

/** How many buckets a table's keys fall into: by the first two characters of base64url. */
export const buckets = 64 * 64

/** That a row's key is in the bucket of another key; a prefix of the keys has buckets of its own. */
export const inBucket = (sql: SqlClient, column: string, key: string, prefix = ""): Fragment => {
  const from = key.slice(0, prefix.length + 2)
  // "~" comes after every character of base64url.
  return sql`${sql(column)} >= ${from} AND ${sql(column)} < ${`${from}~`}`
}

/**
 * Removes the rows beyond `most` from a key's bucket, in the given order of those that stay.
 *
 * The keys are random, so a table that is bounded bucket by bucket is bounded, and no write reads all of it. Where
 * strangers choose the keys, they choose the bucket too: nothing may be removed then.
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
