/** Bytes of one read. Larger chunks are no faster, smaller ones cost turns. */
export const chunkSize = 256 * 1024

/** A body's bytes in large chunks. */
interface Source {
  /** The next bytes, at least one; undefined at the end. */
  read(): Promise<Uint8Array | undefined>
  /** Returns a chunk, whose memory is reused. */
  recycle(chunk: Uint8Array): void
  cancel(): void
}

/**
 * Reads into its own buffers if the stream supports it (the platform's do): large chunks, no
 * garbage.
 */
export const openSource = (body: ReadableStream<Uint8Array>): Source => {
  const reader = byobReader(body)
  if (reader === undefined) return openPlain(body)
  const spare: Array<ArrayBuffer> = []
  let ended = false
  const read = async (): Promise<Uint8Array | undefined> => {
    if (ended) return undefined
    const view = new Uint8Array(spare.pop() ?? new ArrayBuffer(chunkSize))
    // Only workerd has readAtLeast; its read() returns one packet at a time.
    const result =
      "readAtLeast" in reader
        ? await reader.readAtLeast(view.byteLength, view)
        : await (reader as ReadableStreamBYOBReader).read(view)
    ended = result.done
    if (result.value !== undefined && result.value.byteLength > 0) return result.value
    return ended ? undefined : read()
  }
  return {
    read,
    recycle: (chunk) => {
      // SAFETY: the chunk is a view of a whole buffer that was allocated above.
      spare.push(chunk.buffer as ArrayBuffer)
    },
    cancel: () => void reader.cancel().catch(() => {})
  }
}

/** A stream of ready chunks has no BYOB reader and throws. */
const byobReader = (body: ReadableStream<Uint8Array>) => {
  try {
    return body.getReader({ mode: "byob" })
  } catch {
    return undefined
  }
}

const openPlain = (body: ReadableStream<Uint8Array>): Source => {
  const reader = body.getReader()
  const read = async (): Promise<Uint8Array | undefined> => {
    const { done, value } = await reader.read()
    if (done) return undefined
    return value.byteLength > 0 ? value : read()
  }
  return { read, recycle: () => {}, cancel: () => void reader.cancel().catch(() => {}) }
}
