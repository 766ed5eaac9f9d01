/** Bytes read at once. Larger chunks are no faster, smaller ones cost turns. */
export const chunkSize = 256 * 1024

/** The bytes of a body, in large chunks. */
interface Source {
  /** The next bytes, at least one of them, or nothing at the end. */
  read(): Promise<Uint8Array | undefined>
  /** Gives a chunk back: its memory is used again. */
  recycle(chunk: Uint8Array): void
  cancel(): void
}

/** Reads into own buffers where the stream can (the platform's bodies): large chunks, no garbage. */
export const openSource = (body: ReadableStream<Uint8Array>): Source => {
  const reader = byobReader(body)
  if (reader === undefined) return openPlain(body)
  const spare: Array<ArrayBuffer> = []
  let ended = false
  const read = async (): Promise<Uint8Array | undefined> => {
    if (ended) return undefined
    const view = new Uint8Array(spare.pop() ?? new ArrayBuffer(chunkSize))
    // workerd alone has readAtLeast; its read() gives a packet at a time.
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
      // SAFETY: the chunk is a view on the whole of a buffer that was made above.
      spare.push(chunk.buffer as ArrayBuffer)
    },
    cancel: () => void reader.cancel().catch(() => {})
  }
}

/** A stream made of ready chunks has no such reader and says so by throwing. */
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
