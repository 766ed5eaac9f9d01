import * as Effect from "effect/Effect"
import type { BlobLocation } from "../../services/blobs/BlobIndex.ts"
import type { Credentials } from "../../services/sessions/Auth.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { BlobStore } from "../../services/blobs/BlobStore.ts"
import { sized } from "../../services/host/sizedStream.ts"
import { PublicCache } from "../../services/edge/PublicCache.ts"

/** The largest blob whose bytes are cached; for a larger one, only its location is. */
const maxBytes = 10 * 1024 * 1024

const header = "nacre-blob"

/** A blob that may be served, with its bytes if they are available. */
export interface FoundBlob {
  readonly blob: BlobLocation
  readonly body?: ReadableStream<Uint8Array>
}

/** Asks the account's object, which checks the credentials. */
export const askObject = Effect.fnUntraced(function* (
  did: string,
  cid: string,
  credentials: Credentials | undefined
) {
  const accounts = yield* Accounts
  return yield* accounts.call(did, "locateBlob", {
    cid,
    ...(credentials === undefined ? {} : { credentials })
  })
})

const bytesOf = Effect.fnUntraced(function* ({ key, size }: BlobLocation) {
  if (size > maxBytes) return null
  const stored = yield* (yield* BlobStore).get(key)
  // A truncated copy would be cached as if it were complete.
  return stored && sized(stored.body, size)
})

/** The cache entry of a blob. */
const remembering = Effect.fnUntraced(
  function* (blob: BlobLocation) {
    const body = yield* bytesOf(blob)
    if (body === undefined) return undefined
    const headers = {
      "content-type": "application/octet-stream",
      [header]: JSON.stringify(blob)
    }
    return new Response(body, { headers })
  },
  Effect.catch((failure) => Effect.as(Effect.logDebug("blob not kept", failure), undefined))
)

/** A public blob: from the edge's cache, or located by the account's object. */
export const publicBlob = Effect.fn("publicBlob")(function* (
  did: string,
  cid: string,
  credentials: Credentials | undefined
) {
  const { found, keep } = yield* (yield* PublicCache).recall(did, `blob/${encodeURIComponent(cid)}`)
  const located = found?.headers.get(header) ?? undefined
  if (located !== undefined) {
    // SAFETY: this function wrote the header.
    const blob = JSON.parse(located) as BlobLocation
    const body = found?.body ?? undefined
    const atHand: FoundBlob = blob.size > maxBytes || body === undefined ? { blob } : { blob, body }
    return atHand
  }
  const { shared, ...blob } = yield* askObject(did, cid, credentials)
  if (shared) {
    const store = yield* BlobStore
    yield* keep(Effect.provideService(remembering(blob), BlobStore, store))
  }
  const asked: FoundBlob = { blob }
  return asked
})

/** Cancels a body that nobody will read. */
export const discard = ({ body }: FoundBlob) =>
  Effect.ignore(Effect.tryPromise(() => body?.cancel() ?? Promise.resolve()))
