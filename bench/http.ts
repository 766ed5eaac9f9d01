/**
 * A lean HTTP/1.1 client on a bare socket: one request at a time on a kept connection.
 *
 * It costs about 20 µs per request, a quarter of node:http, so the server dominates the
 * measurement.
 */
import net from "node:net"

/** Opens a connection; requests on it are sent one after another. */
export async function connect(url: string): Promise<Connection> {
  const connection = new Connection(url)
  await connection.open()
  return connection
}

/** A whole response; of a discarded body only the bytes are counted. */
export interface Answer {
  readonly status: number
  readonly head: string
  readonly body: Buffer
  readonly bytes: number
}

/** What goes along with a request. */
export interface Sent {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | undefined
  readonly discard?: boolean
}

interface Incoming {
  readonly status: number
  readonly head: string
  readonly parts: Array<Buffer>
  readonly chunked: boolean
  bytes: number
  left: number
}

interface Pending {
  readonly socket: net.Socket
  readonly done: (answer: Answer) => void
  readonly fail: (cause: Error) => void
  readonly discard: boolean
  readonly path: string
  response: Incoming | undefined
}

const headEnd = Buffer.from("\r\n\r\n")

/** How long a connection is reused after its last response, in milliseconds; Node closes it after 5,000. */
const longestIdle = 2000

/** A kept connection, reopened after the server has closed it while idle. */
export class Connection {
  readonly #url: URL
  #socket: net.Socket | undefined
  #pending: Pending | undefined
  #buffer: Buffer = Buffer.alloc(0)
  #usedAt = performance.now()

  constructor(url: string) {
    this.#url = new URL(url)
  }

  open(): Promise<void> {
    return new Promise((done, fail) => {
      const socket = net.connect(Number(this.#url.port), this.#url.hostname)
      socket.setNoDelay(true)
      socket.once("error", fail)
      socket.once("connect", () => {
        socket.off("error", fail)
        this.#socket = socket
        this.#buffer = Buffer.alloc(0)
        socket.on("data", (chunk) => this.#take(chunk))
        socket.on("error", (cause) => this.#end(socket, cause))
        socket.on("close", () => this.#end(socket, new Error("the server closed the connection")))
        done()
      })
    })
  }

  /** Sends one request; `discard` only counts the body's bytes. */
  async request(
    method: string,
    path: string,
    { headers = {}, body, discard = false }: Sent = {}
  ): Promise<Answer> {
    if (this.#pending !== undefined) throw new Error("one request at a time")
    // The server may be closing it at this very moment.
    if (performance.now() - this.#usedAt > longestIdle) this.close()
    if (this.#socket === undefined) await this.open()
    const socket = this.#socket
    if (socket === undefined) throw new Error("the server closed the connection")
    const bytes = typeof body === "string" ? Buffer.from(body) : body
    let head = `${method} ${path} HTTP/1.1\r\nHost: ${this.#url.host}\r\n`
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`
    if (bytes !== undefined) head += `Content-Length: ${bytes.length}\r\n`
    head += "\r\n"
    return new Promise((done, fail) => {
      this.#pending = { socket, done, fail, discard, path, response: undefined }
      if (bytes !== undefined && bytes.length < 65_536) {
        socket.write(Buffer.concat([Buffer.from(head), bytes]))
      } else {
        socket.write(head)
        if (bytes !== undefined) socket.write(bytes)
      }
    })
  }

  /** Stops and continues reading, like a slow client. */
  pause(): void {
    this.#socket?.pause()
  }

  resume(): void {
    this.#socket?.resume()
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #end(socket: net.Socket, cause: Error): void {
    if (this.#socket === socket) this.#socket = undefined
    const pending = this.#pending
    // An older connection that only now ends has nothing to do with the request on the new one.
    if (pending?.socket !== socket) return
    this.#pending = undefined
    pending.fail(new Error(`${pending.path}: ${cause.message}`))
  }

  #take(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    const pending = this.#pending
    if (pending === undefined) return
    if (pending.response === undefined) {
      const end = this.#buffer.indexOf(headEnd)
      if (end < 0) return
      const head = this.#buffer.toString("latin1", 0, end)
      this.#buffer = this.#buffer.subarray(end + 4)
      const status = Number(head.slice(9, 12))
      const length = /\r\ncontent-length: *(\d+)/i.exec(head)
      const chunked = /\r\ntransfer-encoding: *chunked/i.test(head)
      pending.response = {
        status,
        head,
        parts: [],
        bytes: 0,
        chunked,
        left: chunked ? 0 : status === 204 || status === 304 ? 0 : Number(length?.[1] ?? 0)
      }
    }
    const { response, discard } = pending
    const isWhole = response.chunked
      ? this.#takeChunked(response, discard)
      : this.#takeLength(response, discard)
    if (isWhole) {
      const { status, head, parts, bytes } = response
      this.#pending = undefined
      this.#usedAt = performance.now()
      if (/\r\nconnection: *close/i.test(head)) this.close()
      const body = Buffer.concat(parts)
      pending.done({ status, head, body, bytes })
    }
  }

  #keep(response: Incoming, part: Buffer, discard: boolean): void {
    response.bytes += part.length
    if (!discard && part.length > 0) response.parts.push(part)
  }

  #takeLength(response: Incoming, discard: boolean): boolean {
    const part = this.#buffer.subarray(0, response.left)
    this.#buffer = this.#buffer.subarray(part.length)
    response.left -= part.length
    this.#keep(response, part, discard)
    return response.left === 0
  }

  /** `left` counts the remaining bytes of the chunk and its line end. */
  #takeChunked(response: Incoming, discard: boolean): boolean {
    for (;;) {
      if (response.left > 0) {
        const part = this.#buffer.subarray(0, response.left)
        this.#buffer = this.#buffer.subarray(part.length)
        const data = Math.max(0, Math.min(part.length, response.left - 2))
        response.left -= part.length
        this.#keep(response, part.subarray(0, data), discard)
        if (response.left > 0) return false
      }
      const end = this.#buffer.indexOf("\r\n")
      if (end < 0) return false
      const size = Number.parseInt(this.#buffer.toString("latin1", 0, end), 16)
      if (size === 0) {
        if (this.#buffer.length < end + 4) return false
        this.#buffer = this.#buffer.subarray(end + 4)
        return true
      }
      this.#buffer = this.#buffer.subarray(end + 2)
      response.left = size + 2
    }
  }
}
