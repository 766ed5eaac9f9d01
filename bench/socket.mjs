/**
 * A WebSocket client on a bare socket: without permessage-deflate, and without copying frames.
 */
import { randomBytes } from "node:crypto"
import net from "node:net"

/**
 * Subscribes; `onFrame` gets each binary message (its bytes are only valid during the call).
 *
 * @returns a handle with `close()`, `pause()`, `resume()` and a promise `closed` of the close code
 */
export function subscribe(url, path, onFrame) {
  const { hostname, port, host } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  let open = false
  let buffer = Buffer.alloc(0)
  let partial
  let code = 1006
  let settle
  const closed = new Promise((done) => (settle = done))
  socket.on("close", () => settle(code))
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
        const status = Number(buffer.latin1Slice(9, 12))
        if (status !== 101) {
          fail(new Error(`the upgrade was answered with ${buffer.latin1Slice(0, 400)}`))
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

  function cut(bytes) {
    let at = 0
    for (;;) {
      if (bytes.length - at < 2) break
      const first = bytes[at]
      let length = bytes[at + 1] & 0x7f
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

  function take(opcode, last, payload) {
    if (opcode === 8) {
      if (payload.length >= 2) code = payload.readUInt16BE(0)
      socket.end()
    } else if (opcode === 9) {
      socket.write(pong(payload))
    } else if (opcode === 0 || opcode === 2) {
      if (!last || partial !== undefined) {
        partial = Buffer.concat([partial ?? Buffer.alloc(0), payload])
        if (!last) return
        payload = partial
        partial = undefined
      }
      onFrame(payload)
    }
  }
}

/** A masked pong (clients must mask; a mask of zeros leaves the payload as it is). */
const pong = (payload) =>
  Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload])
