import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeTables, encodeTables } from "../../../core/backups/rows.ts"
import { BlobStore } from "../../blobs/BlobStore.ts"
import { Config } from "../../host/Config.ts"
import { sealer } from "../../host/sealedSecrets.ts"
import { type HeldKey, PointRows, type Present } from "./PointRows.ts"

/** Keys in an object. */
const keysAPage = 5000

const Keys = Schema.fromJsonString(
  Schema.Array(
    Schema.Struct({
      key: Schema.String,
      cid: Schema.optionalKey(Schema.String),
      mimeType: Schema.optionalKey(Schema.String),
      size: Schema.optionalKey(Schema.Int)
    })
  )
)

/** Written last: without it, nothing was kept. */
const Kept = Schema.fromJsonString(
  Schema.Struct({
    /** The state before, to return to. */
    undo: Schema.String,
    floor: Schema.Struct({ rev: Schema.String, event: Schema.Int }),
    pages: Schema.Int
  })
)

const keyOf = (did: string, id: string, name: string): string => `${did}/point-${id}-${name}`

const seal = Effect.map(Config, (config) => sealer(config, "point in time/1"))

const put = Effect.fnUntraced(function* (key: string, bytes: Uint8Array) {
  const sealed = yield* (yield* seal).seal(key, bytes)
  const { byteLength: length } = sealed
  yield* (yield* BlobStore).put(key, new Blob([sealed]).stream(), { length, limit: length })
})

const get = Effect.fnUntraced(function* (key: string) {
  const found = yield* (yield* BlobStore).get(key)
  if (found === undefined) return undefined
  const bytes = yield* Effect.promise(() => new Response(found.body).arrayBuffer())
  return yield* (yield* seal).open(key, new Uint8Array(bytes))
})

const utf8 = new TextEncoder()
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Keeps the present in the blob store, sealed, while the object's storage goes back. */
export const keep = Effect.fnUntraced(function* (did: string, id: string, undo: string) {
  const rows = yield* PointRows
  yield* put(keyOf(did, id, "rows"), encodeTables(rows.tables()))
  let pages = 0
  let cursor: string | undefined
  do {
    const page = rows.keys({ limit: keysAPage, ...(cursor === undefined ? {} : { cursor }) })
    yield* put(keyOf(did, id, `keys-${++pages}`), utf8.encode(JSON.stringify(page.items)))
    cursor = page.cursor
  } while (cursor !== undefined)
  const kept = JSON.stringify({ undo, floor: rows.floor(), pages })
  yield* put(keyOf(did, id, "kept"), utf8.encode(kept))
})

/** What `keep` wrote last; undefined if it didn't complete. */
export const keptOf = Effect.fnUntraced(function* (did: string, id: string) {
  const bytes = yield* get(keyOf(did, id, "kept"))
  if (bytes === undefined) return undefined
  return yield* Effect.orDie(Schema.decodeEffect(Kept)(textOf(bytes)))
})

/** Reads what `keep` wrote; undefined if it didn't complete. */
export const kept = Effect.fnUntraced(function* (did: string, id: string) {
  const found = yield* keptOf(did, id)
  const rows = yield* get(keyOf(did, id, "rows"))
  if (found === undefined || rows === undefined) return undefined
  const keys: Array<HeldKey> = []
  for (let page = 1; page <= found.pages; page++) {
    const bytes = yield* get(keyOf(did, id, `keys-${page}`))
    if (bytes === undefined) return undefined
    for (const key of yield* Effect.orDie(Schema.decodeEffect(Keys)(textOf(bytes)))) keys.push(key)
  }
  return { tables: decodeTables(rows), floor: found.floor, keys } satisfies Present
})

/** Deletes what `keep` wrote, the part that makes it complete first. */
export const discard = Effect.fnUntraced(function* (did: string, id: string) {
  const store = yield* BlobStore
  const pages = (yield* keptOf(did, id))?.pages ?? 0
  const names = Array.from({ length: pages }, (_, page) => `keys-${page + 1}`)
  yield* store.delete([keyOf(did, id, "kept")])
  yield* store.delete(["rows", ...names].map((name) => keyOf(did, id, name)))
})
