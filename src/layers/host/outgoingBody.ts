import { OutgoingRefused } from "../../services/host/Outgoing.ts"

/** URLs in errors end up in logs: without their query, and not endless. */
export const shown = (url: string): string => (url.split("?", 1)[0] ?? "").slice(0, 256)

/** An answer past the size that is taken. */
export const tooLarge = (url: URL, maxBytes: number): OutgoingRefused =>
  new OutgoingRefused({
    url: shown(url.href),
    reason: `the answer is larger than ${maxBytes} bytes`
  })

/** How much is read at once. Workers read 4 KiB where nothing is said, and every read costs a hand-over. */
const readBytes = 64 * 1024

/** Reads a stream by large pieces, where it can give them. */
const readerOf = (source: ReadableStream<Uint8Array>) => {
  try {
    const bytes = source.getReader({ mode: "byob" })
    return { read: () => bytes.read(new Uint8Array(readBytes)), cancel: bytes.cancel.bind(bytes) }
  } catch {
    const chunks = source.getReader()
    return { read: () => chunks.read(), cancel: chunks.cancel.bind(chunks) }
  }
}

/** The same stream, failing once more than `maxBytes` have passed; `done` runs at its end, however it ends. */
export const bounded = (
  url: URL,
  source: ReadableStream<Uint8Array>,
  maxBytes: number,
  done: () => void
): ReadableStream<Uint8Array> => {
  const reader = readerOf(source)
  let length = 0
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await reader.read()
          if (next.done) {
            done()
            controller.close()
            return
          }
          length += next.value.length
          if (length > maxBytes) throw tooLarge(url, maxBytes)
          controller.enqueue(next.value)
        } catch (error) {
          done()
          controller.error(error)
          await reader.cancel(error).catch(() => undefined)
        }
      },
      async cancel(reason) {
        done()
        await reader.cancel(reason)
      }
    },
    { highWaterMark: 0 }
  )
}

/** The length that headers tell of a body. */
export const lengthOf = (headers: Headers): number | undefined => {
  const declared = headers.get("content-length")
  return declared !== null && /^\d{1,15}$/.test(declared) ? Number(declared) : undefined
}
