import * as Effect from "effect/Effect"
import { UploadExpired } from "../services/BlobIndex.ts"
import { type BlobStore, BlobStoreUnavailable } from "../services/BlobStore.ts"

/** Read at once: a stream that is open for long is one that can break. */
const rangeBytes = 8 * 1024 * 1024

/** Taken between two pauses for others, whom ready bytes would not let in. */
const strideBytes = 256 * 1024

const unavailable = (cause: unknown) => new BlobStoreUnavailable({ operation: "get", cause })

/** Reads what lies under a key, range by range, and hands on piece by piece; the next one comes when `take` is done. */
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
  const reader = body.getReader()
  const read = Effect.gen(function* () {
    let received = 0
    let paused = 0
    while (true) {
      const next = yield* Effect.tryPromise({ try: () => reader.read(), catch: unavailable })
      if (next.done) return received
      received += next.value.byteLength
      yield* take(next.value)
      if (received - paused < strideBytes) continue
      paused = received
      yield* Effect.yieldNow
    }
  })
  return Effect.ensuring(
    read,
    Effect.promise(() => reader.cancel().catch(() => {}))
  )
}
