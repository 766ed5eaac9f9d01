/**
 * Runs many subscribers of the firehose in their own thread, so they don't slow down the client.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { subscribe } from "./socket.ts"

const path = "/xrpc/com.atproto.sync.subscribeRepos"

if (!isMainThread && parentPort !== null && workerData?.subscribers !== undefined) {
  const parent = parentPort
  let frames = 0
  const sockets = await Promise.all(
    Array.from({ length: workerData.subscribers }, () =>
      subscribe(workerData.url, path, () => (frames += 1))
    )
  )
  parent.on("message", () => {
    for (const socket of sockets) socket.close()
    parent.postMessage(frames)
    parent.close()
  })
  parent.postMessage("open")
}

/** Opens `count` subscribers; `close` returns how many frames they received in total. */
export function openSubscribers(url: string, count: number) {
  const worker = new Worker(import.meta.filename, { workerData: { url, subscribers: count } })
  const next = () =>
    new Promise<number>((done, fail) => {
      worker.once("message", done)
      worker.once("error", fail)
    })
  return next().then(() => ({
    close: async () => {
      const frames = next()
      worker.postMessage("close")
      return frames
    }
  }))
}

/**
 * Replays from cursor 0 to the newest event: returns frames and seconds, with the client reading
 * as fast as it can.
 */
export async function replay(url: string, cursor: number, isLast: (frame: Buffer) => boolean) {
  let frames = 0
  let bytes = 0
  let finish: (end: "done") => void = () => {}
  const finished = new Promise<"done">((done) => (finish = done))
  const start = performance.now()
  const socket = await subscribe(url, `${path}?cursor=${cursor}`, (frame) => {
    frames += 1
    bytes += frame.length
    if (isLast(frame)) finish("done")
  })
  const end = await Promise.race([finished, socket.closed])
  const seconds = (performance.now() - start) / 1000
  socket.close()
  return { frames, bytes, seconds, complete: end === "done" }
}

/** The frame of the next event, which `cause` triggers. */
export async function frameOf(url: string, cause: () => Promise<unknown>): Promise<Buffer> {
  let found: (bytes: Buffer) => void = () => {}
  const frame = new Promise<Buffer>((done) => (found = done))
  const socket = await subscribe(url, path, (bytes) => found(Buffer.from(bytes)))
  await cause()
  const bytes = await frame
  socket.close()
  return bytes
}
