import * as Schema from "effect/Schema"
import { fromBase64Url, toBase64Url } from "../bytes/base64url.ts"

/** A value of a column. */
export type RowValue = string | number | null | Uint8Array

/** A row by the names of its columns. */
export type Row = Readonly<Record<string, RowValue>>

/** Rows by the names of their tables. */
export type Tables = Readonly<Record<string, ReadonlyArray<Row>>>

const Bytes = Schema.Struct({ $bytes: Schema.String })

const Encoded = Schema.fromJsonString(
  Schema.Record(
    Schema.String,
    Schema.Array(
      Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Null, Bytes]))
    )
  )
)

const decodeText = Schema.decodeUnknownSync(Encoded)

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** Writes rows as bytes; the same rows in the same order give the same bytes. */
export const encodeTables = (tables: Tables): Uint8Array<ArrayBuffer> => {
  const json = JSON.stringify(tables, (_, value: unknown) =>
    value instanceof Uint8Array ? { $bytes: toBase64Url(value) } : value
  )
  return new TextEncoder().encode(json).slice()
}

const valueOf = (value: string | number | null | typeof Bytes.Type): RowValue => {
  if (typeof value !== "object" || value === null) return value
  const bytes = fromBase64Url(value.$bytes)
  if (bytes === undefined) throw new TypeError("malformed bytes of a column")
  return bytes
}

/** Decodes the bytes of `encodeTables`; throws for any others. */
export const decodeTables = (bytes: Uint8Array): Tables =>
  Object.fromEntries(
    Object.entries(decodeText(utf8.decode(bytes))).map(([table, rows]) => [
      table,
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([column, value]) => [column, valueOf(value)]))
      )
    ])
  )
