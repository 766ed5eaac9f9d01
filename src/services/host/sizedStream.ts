/**
 * A pipe for exactly `length` bytes, which fails for any other number.
 *
 * workerd sends the client this length, whereas it ends an interrupted body of unknown length as if
 * it were complete.
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

/** The stream, which must have `length` bytes; `done` runs at its end in any case. */
export const sized = (
  source: ReadableStream<Uint8Array>,
  length: number,
  done: () => void = () => {}
): ReadableStream<Uint8Array> => {
  const { readable, writable } = sizedStream(length)
  // A failure of the source breaks the reader's stream.
  source
    .pipeTo(writable)
    .catch(() => {})
    .finally(done)
  return readable
}
