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
  const store = yield* BlobStore
  const type = mediaTypeOf(request.headers)
  if (type !== undefined && !types.has(type)) {
    return yield* new InvalidRequest({
      message: `Wrong request encoding (Content-Type): ${type}, expected ${carType}`
    })
  }
  const { body, length } = yield* bodyOf(request)
  const { key, limit } = yield* accounts.call(did, "authorizeImport", {
    ...credentials,
    ...(length === undefined ? {} : { size: length })
  })
  yield* store.put(key, body, { limit, ...(length === undefined ? {} : { length }) }).pipe(
    Effect.catchTags({
      BlobTooLarge: () => Effect.fail(new PayloadTooLarge({ limit })),
      BlobEmpty: () => Effect.fail(new InvalidRequest({ message: "The CAR is empty" }))
    })
  )
  const { odd, named } = yield* accounts.call(did, "importRepo", { key })
  if (odd === 0) return undefined
  const records = named.map(({ path, reason }) => ({ uri: `at://${did}/${path}`, reason }))
  return { keptAsTheyCame: odd, records }
})
