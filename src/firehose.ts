import { readFrame, type RepoMessage } from "./core/repo/events.ts"

/** Where a subscription starts and how it ends. */
export interface FirehoseOptions {
  /** The last event you have processed; without it the stream starts with the next event. */
  readonly cursor?: number
  /** Ends the stream. */
  readonly signal?: AbortSignal
  /** Whether to reconnect after the last event when the connection is lost; true by default. */
  readonly reconnect?: boolean
}

/** The longest wait before the next attempt, in milliseconds. */
const longestWait = 30_000

const firstWait = 500

/**
 * How many messages may wait for a slow reader before the connection is closed and resumed later.
 */
const mostWaiting = 5000

const addressOf = (service: string, cursor: number | undefined): string => {
  const url = new URL("/xrpc/com.atproto.sync.subscribeRepos", service)
  url.protocol = url.protocol.replace("http", "ws")
  if (cursor !== undefined) url.searchParams.set("cursor", String(cursor))
  return url.href
}

const pause = (millis: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((done) => {
    const end = () => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", end)
      done()
    }
    const timer = setTimeout(end, millis)
    signal?.addEventListener("abort", end)
  })

/** The frames of one connection, until it closes. */
async function* framesOf(
  address: string,
  signal: AbortSignal | undefined
): AsyncGenerator<Uint8Array> {
  const socket = new WebSocket(address)
  socket.binaryType = "arraybuffer"
  const waiting: Array<Uint8Array> = []
  let isOver = false
  let wake = () => {}
  const end = () => {
    isOver = true
    wake()
  }
  socket.addEventListener("message", ({ data }: MessageEvent) => {
    if (!(data instanceof ArrayBuffer)) return
    waiting.push(new Uint8Array(data))
    if (waiting.length >= mostWaiting) socket.close()
    wake()
  })
  socket.addEventListener("close", end)
  socket.addEventListener("error", end)
  signal?.addEventListener("abort", end)
  try {
    while (true) {
      const frame = waiting.shift()
      if (frame !== undefined) yield frame
      else if (isOver || signal?.aborted === true) return
      else await new Promise<void>((resume) => (wake = resume))
    }
  } finally {
    signal?.removeEventListener("abort", end)
    socket.close()
  }
}

/**
 * Follows the event stream of a PDS or a relay, and resumes it when the connection is lost.
 *
 * Ends when `signal` aborts, or after the server's `error` message.
 *
 * @example
 * for await (const message of firehose("https://bsky.network", { cursor })) {
 *   if (message.type === "commit") for (const op of message.ops) console.log(op.action, op.path)
 * }
 */
export async function* firehose(
  service: string,
  options: FirehoseOptions = {}
): AsyncGenerator<RepoMessage, void> {
  const { signal, reconnect = true } = options
  const isStopped = () => signal?.aborted === true
  let { cursor } = options
  let wait = firstWait
  while (!isStopped()) {
    for await (const frame of framesOf(addressOf(service, cursor), signal)) {
      if (isStopped()) return
      const message = readFrame(frame)
      wait = firstWait
      yield message
      if ("seq" in message) cursor = message.seq
      if (message.type === "error") return
    }
    if (!reconnect) return
    await pause(wait, signal)
    wait = Math.min(wait * 2, longestWait)
  }
}
