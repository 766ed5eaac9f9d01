/**
 * A WebSocket client on a bare socket: without permessage-deflate, and without copying frames.
 */
import { randomBytes } from "node:crypto"
import net from "node:net"

/** A subscription; `closed` settles with the close code. */
export interface Subscription {
  readonly closed: Promise<number>
  readonly close: () => void
  readonly pause: () => void
  readonly resume: () => void
}

/** Subscribes; `onFrame` gets each binary message, a view into what was read. */
export function subscribe(
  url: string,
  path: string,
  onFrame: (frame: Buffer) => void
): Promise<Subscription> {
  const { hostname, port, host } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  let open = false
  let buffer: Buffer = Buffer.alloc(0)
  let partial: Buffer | undefined
  let code = 1006
  const closed = new Promise<number>((done) => socket.on("close", () => done(code)))
  return new Promise((done, fail) => {
    socket.once("error", fail)
    socket.once("connect", () => {
      socket.setNoDelay(true)
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString("base64")}\r\n\r\n`
      )
    })
    socket.on("data", (chunk) => {
      buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
      if (!open) {
        const end = buffer.indexOf("\r\n\r\n")
        if (end < 0) return
        const status = Number(buffer.toString("latin1", 9, 12))
        if (status !== 101) {
          fail(new Error(`the upgrade was answered with ${buffer.toString("latin1", 0, 400)}`))
          socket.destroy()
          return
        }
        buffer = buffer.subarray(end + 4)
        open = true
        socket.off("error", fail)
        socket.on("error", () => {})
        done({
          closed,
          close: () => socket.destroy(),
          pause: () => socket.pause(),
          resume: () => socket.resume()
        })
      }
      buffer = cut(buffer)
    })
  })

  function cut(bytes: Buffer): Buffer {
    let at = 0
    for (;;) {
      if (bytes.length - at < 2) break
      const first = bytes.readUInt8(at)
      let length = bytes.readUInt8(at + 1) & 0x7f
      let start = at + 2
      if (length === 126) {
        if (bytes.length - at < 4) break
        length = bytes.readUInt16BE(start)
        start += 2
      } else if (length === 127) {
        if (bytes.length - at < 10) break
        length = Number(bytes.readBigUInt64BE(start))
        start += 8
      }
      if (bytes.length < start + length) break
      take(first & 0x0f, (first & 0x80) !== 0, bytes.subarray(start, start + length))
      at = start + length
    }
    return at === 0 ? bytes : bytes.subarray(at)
  }

  function take(opcode: number, last: boolean, bytes: Buffer): void {
    let payload = bytes
    if (opcode === 8) {
      if (payload.length >= 2) code = payload.readUInt16BE(0)
      socket.end()
    } else if (opcode === 9) {
      socket.write(pong(payload))
    } else if (opcode === 0 || opcode === 2) {
      if (!last || partial !== undefined) {
        payload = Buffer.concat([partial ?? Buffer.alloc(0), payload])
        partial = last ? undefined : payload
        if (!last) return
      }
      onFrame(payload)
    }
  }
}

/** A masked pong (clients must mask; a mask of zeros leaves the payload as it is). */
const pong = (payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload])
