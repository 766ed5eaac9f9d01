import { OutgoingRefused } from "../../services/host/Outgoing.ts"

/** Workers can leave a body encoded; Node's fetch always decodes. */
export const isWorker = navigator.userAgent === "Cloudflare-Workers"

/** The encodings that the platform decodes without changing the headers. */
const decodedHere: ReadonlySet<string> = new Set(
  isWorker ? ["gzip", "br"] : ["gzip", "x-gzip", "deflate", "br"]
)

/** URLs in errors appear in logs, so without their query and shortened. */
export const shown = (url: string): string => (url.split("?", 1)[0] ?? "").slice(0, 256)

/** The error for a response above the size limit. */
export const tooLarge = (url: URL, maxBytes: number): OutgoingRefused =>
  new OutgoingRefused({
    url: shown(url.href),
    reason: `the answer is larger than ${maxBytes} bytes`
  })

/** The size of each read. Workers default to 4 KiB, and every read costs a hand-over. */
const readBytes = 64 * 1024

/** Reads a stream in large pieces, if it supports that. */
const readerOf = (source: ReadableStream<Uint8Array>) => {
  try {
    const bytes = source.getReader({ mode: "byob" })
    return { read: () => bytes.read(new Uint8Array(readBytes)), cancel: bytes.cancel.bind(bytes) }
  } catch {
    const chunks = source.getReader()
    return { read: () => chunks.read(), cancel: chunks.cancel.bind(chunks) }
  }
}

/** The stream, which fails after more than `maxBytes`; `done` runs at its end in any case. */
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

/** The headers after the platform has decoded the body. */
export const decodedHeaders = (given: Headers): Headers => {
  if (!decodedHere.has(given.get("content-encoding")?.trim().toLowerCase() ?? "")) return given
  const headers = new Headers(given)
  headers.delete("content-encoding")
  headers.delete("content-length")
  return headers
}

/** Cancels a response whose body nobody will read. */
export const discard = async (response: Response): Promise<void> => {
  await response.body?.cancel().catch(() => undefined)
}

/**
 * The largest body that a Worker reads before it passes it on, in bytes: a pipe costs more, and a
 * body that breaks off becomes an error.
 */
export const smallBody = 64 * 1024

/** Such a body, read completely. */
export const readSmall = async (
  response: Response,
  length: number
): Promise<ReadableStream<Uint8Array> | null> => {
  const bytes = await response.arrayBuffer()
  if (bytes.byteLength !== length)
    throw new TypeError(`not the ${length} bytes that were announced`)
  return new Response(bytes).body
}

/** The body's length in the headers. */
export const lengthOf = (headers: Headers): number | undefined => {
  const declared = headers.get("content-length")
  return declared !== null && /^\d{1,15}$/.test(declared) ? Number(declared) : undefined
}
