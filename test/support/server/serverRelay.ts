import { assert } from "@effect/vitest"
import WebSocket from "ws"
import { type TestServer, until } from "./server.ts"
import { checkFrame, decodeFrame, type Frame, type Mirror } from "./serverFrames.ts"
import { signingKeyOf } from "./serverPeople.ts"

/** A raw connection of the event stream. */
export interface Stream {
  readonly frames: ReadonlyArray<Frame>
  /** The close code; undefined while open. */
  code(): number | undefined
  close(): void
}

/** Opens the event stream and records its frames. */
export const openStream = async (
  url: string,
  query: string,
  take: (frame: Frame) => void = () => {}
): Promise<Stream> => {
  const frames: Array<Frame> = []
  const socket = new WebSocket(
    `${url.replace("http", "ws")}/xrpc/com.atproto.sync.subscribeRepos${query}`,
    { perMessageDeflate: false }
  )
  let code: number | undefined
  socket.on("message", (data, isBinary) => {
    assert.isTrue(isBinary, "frames are binary")
    // SAFETY: `ws` delivers messages as one Buffer by default.
    const frame = decodeFrame(Uint8Array.from(data as Buffer))
    frames.push(frame)
    take(frame)
  })
  socket.on("close", (closedWith) => (code = closedWith))
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve)
    socket.once("error", reject)
  })
  socket.on("error", () => {})
  return {
    frames,
    code: () => {
      // After a close frame workerd would keep the connection for ten more seconds.
      if (socket.readyState === WebSocket.CLOSING) socket.terminate()
      return code
    },
    close: () => socket.terminate()
  }
}

/**
 * A relay as strict as the protocol allows: it checks every frame by signature, inversion and
 * chain.
 */
export interface Relay {
  /** The repos, built only from the frames. */
  readonly mirrors: ReadonlyMap<string, Mirror>
  /** The frames of a DID, in order. */
  of(did: string): ReadonlyArray<Frame>
  /**
   * Waits until the repo is mirrored at this rev (or its newest), with all previous frames checked.
   */
  reached(did: string, rev?: string): Promise<void>
  /** Waits for a condition, and fails as soon as a frame is invalid. */
  wait(what: string, holds: () => boolean): Promise<void>
  /** Reconnects after its last processed frame. */
  resume(): Promise<void>
  /** Closes; fails if any frame was invalid. */
  close(): Promise<void>
}

/**
 * Opens a live relay.
 *
 * It checks the repos whose first commit it sees: those of accounts that sign up later.
 */
export const openRelay = async (server: TestServer): Promise<Relay> => {
  const mirrors = new Map<string, Mirror>()
  const keys = new Map<string, Promise<string>>()
  const taken: Array<Frame> = []
  let cursor: number | undefined
  let problem: unknown
  let work = Promise.resolve()

  const keyOf = (did: string): Promise<string> => {
    const key = keys.get(did) ?? signingKeyOf(server, did)
    keys.set(did, key)
    return key
  }
  const take = (frame: Frame) => {
    work = work.then(async () => {
      if (problem !== undefined) return
      try {
        assert.isAbove(frame.body.seq, cursor ?? 0, "seq rises")
        await checkFrame(frame, keyOf, mirrors)
        // Only now: an unprocessed frame is requested again.
        cursor = frame.body.seq
        taken.push(frame)
      } catch (cause) {
        problem = cause
      }
    })
  }
  const open = () => openStream(server.url, cursor === undefined ? "" : `?cursor=${cursor}`, take)
  let stream = await open()

  const wait = (what: string, holds: () => boolean) =>
    until(what, () => {
      if (problem !== undefined) throw problem
      return holds()
    })
  const latest = async (did: string): Promise<string> => {
    const path = "com.atproto.sync.getLatestCommit"
    const answer = await fetch(`${server.url}/xrpc/${path}?did=${encodeURIComponent(did)}`)
    return ((await answer.json()) as { rev: string }).rev
  }
  return {
    mirrors,
    of: (did) => taken.filter(({ body }) => (body.did ?? body.repo) === did),
    wait,
    reached: async (did, rev) => {
      const wanted = rev ?? (await latest(did))
      await wait(`the relay at ${wanted}`, () => (mirrors.get(did)?.rev ?? "") >= wanted)
    },
    resume: async () => {
      stream.close()
      // Received frames are processed first, or they would arrive twice.
      await work
      stream = await open()
    },
    close: async () => {
      stream.close()
      await work
      if (problem !== undefined) throw problem
    }
  }
}
