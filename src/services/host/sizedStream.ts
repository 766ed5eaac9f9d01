/**
 * A pipe for exactly `length` bytes, which fails where another count passes.
 *
 * workerd tells the client this length. It ends a body of unknown length that breaks off as if it were whole.
 */
export const sizedStream = (length: number): TransformStream<Uint8Array, Uint8Array> => {
  if (typeof FixedLengthStream !== "undefined") return new FixedLengthStream(length)
  let left = length
  const wrong = (): never => {
    throw new TypeError(`not the ${length} bytes that were announced`)
  }
  return new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      left -= chunk.byteLength
      if (left < 0) wrong()
      controller.enqueue(chunk)
    },
    flush: () => {
      if (left > 0) wrong()
    }
  })
}

/** The same stream, which must come to `length` bytes; `done` runs at its end, however it ends. */
export const sized = (
  source: ReadableStream<Uint8Array>,
  length: number,
  done: () => void = () => {}
): ReadableStream<Uint8Array> => {
  const { readable, writable } = sizedStream(length)
  // A failure of the source breaks the stream that the reader has.
  source
    .pipeTo(writable)
    .catch(() => {})
    .finally(done)
  return readable
}
