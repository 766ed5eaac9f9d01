import * as Effect from "effect/Effect"
import { UploadExpired } from "../../services/blobs/BlobIndex.ts"
import { type BlobStore, BlobStoreUnavailable } from "../../services/blobs/BlobStore.ts"
import { chunkSize, openSource } from "../blobs/bodySource.ts"

/** Size of each read: a stream that stays open for long is more likely to break. */
const rangeBytes = 8 * 1024 * 1024

const unavailable = (cause: unknown) => new BlobStoreUnavailable({ operation: "get", cause })

/**
 * Reads a staged file range by range and passes on large pieces, because each turn that writes is a
 * commit; a piece is valid until `take` is done.
 */
export const readStaged = Effect.fnUntraced(function* <E>(
  store: BlobStore["Service"],
  key: string,
  take: (piece: Uint8Array) => Effect.Effect<void, E>
) {
  const size = yield* store.head(key)
  if (size === undefined) return yield* new UploadExpired({ key })
  for (let offset = 0; offset < size; offset += rangeBytes) {
    const length = Math.min(rangeBytes, size - offset)
    const part = yield* store.get(key, { offset, length })
    if (part === undefined) return yield* new UploadExpired({ key })
    const received = yield* readPart(part.body, take)
    if (received !== length) return yield* unavailable(`${received} bytes instead of ${length}`)
  }
})

const readPart = <E>(
  body: ReadableStream<Uint8Array>,
  take: (piece: Uint8Array) => Effect.Effect<void, E>
) => {
  const source = openSource(body)
  const read = Effect.gen(function* () {
    let received = 0
    while (true) {
      const chunk = yield* Effect.tryPromise({ try: () => source.read(), catch: unavailable })
      if (chunk === undefined) return received
      received += chunk.byteLength
      for (let at = 0; at < chunk.byteLength; at += chunkSize) {
        yield* take(chunk.subarray(at, at + chunkSize))
        // Reading buffered bytes alone would not let other requests run.
        yield* Effect.yieldNow
      }
      source.recycle(chunk)
    }
  })
  return Effect.ensuring(read, Effect.sync(source.cancel))
}
