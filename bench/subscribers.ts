/**
 * Runs many subscribers of the firehose in their own thread, so they don't slow down the client.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { decodeFrame } from "../src/core/repo/frame.ts"
import { subscribe } from "./socket.ts"

const path = "/xrpc/com.atproto.sync.subscribeRepos"

/** The time in milliseconds, the same in every thread. */
export const clock = (): number => performance.timeOrigin + performance.now()

if (!isMainThread && parentPort !== null && workerData?.subscribers !== undefined) {
  const parent = parentPort
  const { url, subscribers, at } = workerData
  let frames = 0
  const sockets = await Promise.all(
    Array.from({ length: subscribers }, () =>
      subscribe(url, at, () => {
        frames += 1
        if (frames % subscribers === 0) parent.postMessage({ at: clock() })
      })
    )
  )
  let isOver = false
  for (const { closed } of sockets) {
    void closed.then((code) => {
      if (!isOver) parent.postMessage({ lost: code })
    })
  }
  parent.on("message", () => {
    isOver = true
    for (const socket of sockets) socket.close()
    parent.postMessage({ frames })
    parent.close()
  })
  parent.postMessage({ frames })
}

/** Open subscribers of a stream. */
export type Subscribers = Awaited<ReturnType<typeof openSubscribers>>

/**
 * Opens `count` subscribers; `received` waits for the time when all of them have one more frame, and
 * fails when one has lost its connection; `close` returns how many frames they received in total.
 */
export async function openSubscribers(url: string, count: number, at = path) {
  const worker = new Worker(import.meta.filename, { workerData: { url, subscribers: count, at } })
  const times: Array<number> = []
  let rounds = 0
  let waiting: { done(at: number): void; fail(cause: Error): void } | undefined
  let lost: Error | undefined
  const total = () =>
    new Promise<number>((done, fail) => {
      worker.once("error", fail)
      worker.on("message", (message: { readonly frames?: number }) => {
        if (message.frames !== undefined) done(message.frames)
      })
    })
  worker.on("message", (message: { readonly at?: number; readonly lost?: number }) => {
    if (message.lost !== undefined) {
      lost ??= new Error(`a subscriber's connection was closed with ${message.lost}`)
      waiting?.fail(lost)
    }
    if (message.at === undefined) return
    rounds += 1
    if (waiting === undefined) times.push(message.at)
    else waiting.done(message.at)
    waiting = undefined
  })
  await total()
  return {
    received: (): Promise<number> => {
      const known = times.shift()
      if (known !== undefined) return Promise.resolve(known)
      if (lost !== undefined) return Promise.reject(lost)
      return new Promise((done, fail) => (waiting = { done, fail }))
    },
    /** Waits until all have so many frames, or the time has expired; returns whether they have. */
    all: async (frames: number, milliseconds: number): Promise<boolean> => {
      const over = performance.now() + milliseconds
      const isWhole = () => rounds >= frames
      while (!isWhole() && performance.now() < over) {
        await new Promise((done) => setTimeout(done, 5))
      }
      return isWhole()
    },
    close: async () => {
      const frames = total()
      worker.postMessage("close")
      return frames
    }
  }
}

/** The close code that asks a reader to come back with its cursor. */
const comeBack = 1012

/** A frame's sequence number; undefined for a notice. */
const seqOf = (frame: Buffer): number | undefined =>
  // SAFETY: the body is a map, and an event's has a number.
  (decodeFrame(frame).body as { readonly seq?: number }).seq

/**
 * Replays from a cursor to the newest event, or for `most` milliseconds: returns frames, seconds and
 * connections, with the client reading as fast as it can.
 *
 * As other readers do, it comes back with its cursor when the server asks for it.
 */
export async function replay(
  url: string,
  cursor: number,
  isLast: (frame: Buffer) => boolean,
  most?: number
) {
  let frames = 0
  let bytes = 0
  let connections = 0
  let newest: Buffer | undefined
  let finish: (end: "done") => void = () => {}
  const finished = new Promise<"done">((done) => (finish = done))
  const late = new Promise<"late">((done) => {
    if (most !== undefined) setTimeout(() => done("late"), most).unref()
  })
  const start = performance.now()
  const connect = async (from: number): Promise<"done" | "late" | number> => {
    connections += 1
    const socket = await subscribe(url, `${path}?cursor=${from}`, (frame) => {
      frames += 1
      bytes += frame.length
      newest = frame
      if (isLast(frame)) finish("done")
    })
    const end = await Promise.race([finished, socket.closed, late])
    socket.close()
    const seen = end === comeBack && newest !== undefined ? (seqOf(newest) ?? from) : from
    return seen > from ? connect(seen) : end
  }
  const end = await connect(cursor)
  const seconds = (performance.now() - start) / 1000
  return { frames, bytes, seconds, connections, complete: end === "done" }
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
