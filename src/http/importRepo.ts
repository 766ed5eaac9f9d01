import * as Effect from "effect/Effect"
import type { Credentials } from "../services/AccountCalls.ts"
import { Accounts } from "../services/Accounts.ts"
import { BlobStore } from "../services/BlobStore.ts"
import { bodyOf } from "./blobs.ts"
import { InvalidRequest, PayloadTooLarge } from "./failures.ts"
import { mediaTypeOf } from "./input.ts"

const carType = "application/vnd.ipld.car"

/**
 * com.atproto.repo.importRepo: the account's object authorises, the CAR is staged in the store, the object imports it.
 *
 * A CAR that is never imported, for whatever reason, lies under a key that the object has noted, and is swept by it.
 */
export const importRepo = Effect.fn("importRepo")(function* (
  did: string,
  request: Request,
  credentials: Credentials
) {
  const accounts = yield* Accounts
  const store = yield* BlobStore
  const type = mediaTypeOf(request.headers)
  if (type !== carType) {
    return yield* new InvalidRequest({
      message: `Wrong request encoding (Content-Type): ${type ?? "none"}, expected ${carType}`
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
  yield* accounts.call(did, "importRepo", { key })
})
