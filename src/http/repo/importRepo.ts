import * as Effect from "effect/Effect"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { bodyOf } from "../blobs/upload.ts"
import { InvalidRequest, PayloadTooLarge } from "../../services/failures.ts"
import { mediaTypeOf } from "../input.ts"

const carType = "application/vnd.ipld.car"

/** Content types that clients send for a CAR; its first bytes decide whether it is one. */
const types = new Set([carType, "application/octet-stream", "*/*"])

/** Stores a CAR under the key that an account's object has noted for it. */
const stage = Effect.fnUntraced(function* (
  key: string,
  body: ReadableStream<Uint8Array>,
  { limit, ...known }: { readonly limit: number; readonly length?: number }
) {
  yield* (yield* BlobStore).put(key, body, { limit, ...known }).pipe(
    Effect.catchTags({
      BlobTooLarge: () => Effect.fail(new PayloadTooLarge({ limit })),
      BlobEmpty: () => Effect.fail(new InvalidRequest({ message: "The CAR is empty" }))
    })
  )
})

/** Imports the CAR of an archive, for an owner on the account's page who is still `signedIn`. */
export const importArchive = Effect.fn("importArchive")(function* <E, R>(
  did: string,
  request: Request,
  replaces: boolean,
  signedIn: Effect.Effect<void, E, R>
) {
  const accounts = yield* Accounts
  const { body, length } = yield* bodyOf(request)
  const size = length === undefined ? {} : { size: length }
  const { key, limit } = yield* accounts.call(did, "admitArchive", { replaces, ...size })
  yield* stage(key, body, { limit, ...(length === undefined ? {} : { length }) })
  yield* signedIn
  return yield* accounts.call(did, "importArchive", { key })
})

/**
 * com.atproto.repo.importRepo: the account's object authorizes, the Worker stages the CAR in the
 * blob store, the object imports it.
 *
 * The response is empty, or lists the records that were kept as they are although they could not be
 * written here. The object has noted the staged CAR's key, so its sweep deletes a CAR that was
 * never imported.
 */
export const importRepo = Effect.fn("importRepo")(function* (
  did: string,
  request: Request,
  credentials: Credentials
) {
  const accounts = yield* Accounts
  const type = mediaTypeOf(request.headers)
  if (type !== undefined && !types.has(type)) {
    return yield* new InvalidRequest({
      message: `Wrong request encoding (Content-Type): ${type}, expected ${carType}`
    })
  }
  const { body, length } = yield* bodyOf(request)
  const known = length === undefined ? {} : { length }
  const { key, limit, caller } = yield* accounts.call(did, "authorizeImport", {
    ...credentials,
    ...(length === undefined ? {} : { size: length })
  })
  yield* stage(key, body, { limit, ...known })
  const { odd, named } = yield* accounts.call(did, "importRepo", { key, caller })
  if (odd === 0) return undefined
  const records = named.map(({ path, reason }) => ({ uri: `at://${did}/${path}`, reason }))
  return { keptAsTheyCame: odd, records }
})
