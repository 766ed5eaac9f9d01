import * as Effect from "effect/Effect"
import { UploadExpired } from "../services/BlobIndex.ts"
import { type BlobStore, BlobStoreUnavailable } from "../services/BlobStore.ts"

/** Read at once: a stream that is open for long is one that can break. */
const rangeBytes = 8 * 1024 * 1024

/** Gathered before it is handed on: each turn that writes is a commit, and a store's own pieces are small. */
const pieceBytes = 256 * 1024

const unavailable = (cause: unknown) => new BlobStoreUnavailable({ operation: "get", cause })

/** Reads what lies under a key, range by range, and hands on large pieces; a piece belongs to `take` until that is done. */
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
  const piece = new Uint8Array(pieceBytes)
  const read = Effect.gen(function* () {
    let received = 0
    let filled = 0
    while (true) {
      const next = yield* Effect.tryPromise({ try: () => reader.read(), catch: unavailable })
      if (next.done) break
      received += next.value.byteLength
      for (let at = 0; at < next.value.byteLength;) {
        const part = next.value.subarray(at, at + pieceBytes - filled)
        piece.set(part, filled)
        filled += part.byteLength
        at += part.byteLength
        if (filled < pieceBytes) continue
        yield* take(piece)
        filled = 0
        // Bytes that are ready would not let others in.
        yield* Effect.yieldNow
      }
    }
    yield* take(piece.subarray(0, filled))
    return received
  })
  return Effect.ensuring(
    read,
    Effect.promise(() => reader.cancel().catch(() => {}))
  )
}
