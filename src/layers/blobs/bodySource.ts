import { memoryFor } from "./spareMemory.ts"

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
 *
 * In workerd, a body of length `whole` comes as one chunk, which its user keeps and gives back; a
 * body of another length differs from it by at least a byte.
 */
export const openSource = (body: ReadableStream<Uint8Array>, whole?: number): Source => {
  const reader = byobReader(body)
  if (reader === undefined) return openPlain(body)
  if (whole !== undefined && "readAtLeast" in reader) return openWhole(reader, whole)
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

/** Asks for a byte more than there should be: fewer than that are all. */
const openWhole = (reader: ReadableStreamBYOBReader, length: number): Source => {
  let begun = false
  return {
    read: async () => {
      if (begun) return undefined
      begun = true
      const { value } = await reader.readAtLeast(length + 1, memoryFor(length + 1))
      return value === undefined || value.byteLength === 0 ? undefined : value
    },
    recycle: () => {},
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
