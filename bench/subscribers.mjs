/**
 * Runs many subscribers of the firehose in their own thread, so they don't slow down the client.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { subscribe } from "./socket.ts"

const path = "/xrpc/com.atproto.sync.subscribeRepos"

if (!isMainThread && workerData?.subscribers !== undefined) {
  let frames = 0
  const sockets = await Promise.all(
    Array.from({ length: workerData.subscribers }, () =>
      subscribe(workerData.url, path, () => (frames += 1))
    )
  )
  parentPort.on("message", () => {
    for (const socket of sockets) socket.close()
    parentPort.postMessage(frames)
    parentPort.close()
  })
  parentPort.postMessage("open")
}

/** Opens `count` subscribers; `close` returns how many frames they received in total. */
export function openSubscribers(url, count) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url, subscribers: count } })
  const next = () =>
    new Promise((done, fail) => {
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
export async function replay(url, cursor, isLast) {
  let frames = 0
  let bytes = 0
  let finish
  const finished = new Promise((done) => (finish = done))
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
export async function frameOf(url, cause) {
  let found
  const frame = new Promise((done) => (found = done))
  const socket = await subscribe(url, path, (bytes) => found(Buffer.from(bytes)))
  await cause()
  const bytes = await frame
  socket.close()
  return bytes
}
