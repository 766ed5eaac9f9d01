import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import type { Duplex } from "node:stream"
import { type WebSocket as NodeWebSocket, WebSocketServer } from "ws"
import type { MemorySequencer } from "../stream/SequencerMemory.ts"
import type { MemorySocket } from "../stream/SocketSubscriber.ts"
import { greetingOf } from "../stream/Subscriptions.ts"
import { readUpgrade } from "../stream/upgrade.ts"
import { clientOf, noProxies, type Proxies } from "./proxies.ts"

/** The handler and the address of the server. */
export interface ServerOptions {
  readonly handler: (request: Request) => Promise<Response>
  readonly sequencer: MemorySequencer
  /** 0 for any free port. */
  readonly port: number
  /** Whether event stream connections are limited. */
  readonly isCapped?: boolean
  /** The address to listen on; the loopback address by default. */
  readonly host?: string
  /** The proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` count; none by default. */
  readonly proxies?: Proxies
  /** How long open requests may take to end when the server stops, in milliseconds; 0 by default. */
  readonly grace?: number
  /** How long a request's body may pause, in milliseconds; a minute by default. */
  readonly longestPause?: number
}

const limits = {
  // Proxies keep idle connections for up to two minutes. The one that closes first must be theirs,
  // or a request meets a connection that is just being closed.
  keepAliveTimeout: 150_000,
  // A large upload over a slow line. A body that pauses ends much sooner.
  requestTimeout: 3_600_000
}

/** The most that a subscriber may send in a message, in bytes: it has nothing to say. */
const mostHeard = 4096

const firehose = "/xrpc/com.atproto.sync.subscribeRepos"

/**
 * The requested URL, or the status for what a Request can't have: TRACE, an invalid host or target,
 * or a name and password.
 */
const urlOf = (message: IncomingMessage, { isTrusted }: Proxies): URL | 400 | 405 => {
  const { method, url = "/", headers, socket } = message
  if (method === "TRACE") return 405
  const isSecure = headers["x-forwarded-proto"] === "https" && isTrusted(socket.remoteAddress ?? "")
  const origin = `${isSecure ? "https" : "http"}://${headers.host ?? "localhost"}`
  // Two leading slashes are a path rather than another host.
  const found = url.startsWith("/") ? URL.parse(origin + url) : URL.parse(url, origin)
  return found?.username === "" && found.password === "" ? found : 400
}

const headersOf = (message: IncomingMessage, proxies: Proxies): Headers => {
  const headers = new Headers()
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at]!, message.rawHeaders[at + 1]!)
  }
  // The connection determines the client's address, as at Cloudflare's edge, or a trusted proxy.
  const forwarded = headers.get("x-forwarded-for") ?? undefined
  headers.set("cf-connecting-ip", clientOf(proxies, message.socket.remoteAddress, forwarded))
  // Only Cloudflare gives requests a ray.
  headers.delete("cf-ray")
  return headers
}

/** The largest body that is read before the request is answered, in bytes. */
const mostWhole = 256 * 1024

/** A small JSON body, which is cheaper to read at once; undefined for any other, which streams. */
const wholeBody = async (message: IncomingMessage): Promise<Uint8Array | undefined> => {
  const { "content-length": length, "content-type": type } = message.headers
  if (type?.includes("json") !== true || !(Number(length) <= mostWhole)) return undefined
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The request as a web Request, with a streamed body, aborted when the client disconnects. */
const requestOf = async (
  url: URL,
  message: IncomingMessage,
  response: ServerResponse,
  proxies: Proxies
): Promise<Request> => {
  const gone = new AbortController()
  response.once("close", () => {
    if (!response.writableFinished) gone.abort()
  })
  const method = message.method ?? "GET"
  const whole = await wholeBody(message)
  const init = { method, headers: headersOf(message, proxies), signal: gone.signal, duplex: "half" }
  // SAFETY: Node's web streams are the platform's; only their declarations differ.
  const body = whole ?? (Readable.toWeb(message) as unknown as ReadableStream)
  return new Request(url, method === "GET" || method === "HEAD" ? init : { ...init, body })
}

const writeResponse = async (response: Response, to: ServerResponse): Promise<void> => {
  const headers = new Headers(response.headers)
  const isJson = headers.get("content-type")?.includes("json") === true
  // Read before anything is sent: a body that breaks off becomes an error of its own.
  const whole = isJson ? Buffer.from(await response.arrayBuffer()) : undefined
  const cookies = headers.getSetCookie()
  headers.delete("set-cookie")
  to.writeHead(response.status, {
    ...Object.fromEntries(headers),
    ...(cookies.length > 0 && { "set-cookie": cookies })
  })
  if (response.body === null) {
    to.end()
    return
  }
  if (whole !== undefined) {
    to.end(whole)
    return
  }
  // SAFETY: as above, in reverse.
  const body = response.body as unknown as Parameters<typeof Readable.fromWeb>[0]
  await pipeline(Readable.fromWeb(body), to)
}

const answer = async (
  { handler, proxies = noProxies }: ServerOptions,
  message: IncomingMessage,
  to: ServerResponse
): Promise<void> => {
  const url = urlOf(message, proxies)
  if (typeof url === "number") {
    to.writeHead(url).end()
    return
  }
  let isHandled = false
  try {
    const response = await handler(await requestOf(url, message, to, proxies))
    isHandled = true
    await writeResponse(response, to)
  } catch {
    // The client disconnected, or the body failed half way: the broken connection shows it.
    if (to.headersSent) to.destroy()
    else to.writeHead(isHandled ? 502 : 500).end()
  }
}

/** Closes the connection if the client pauses within a body; afterwards the response has its time. */
const endIfPaused = (message: IncomingMessage, milliseconds: number): void => {
  if (message.method === "GET" || message.method === "HEAD") return
  message.setTimeout(milliseconds, () => {
    // Bytes that nobody has read yet: the pause is ours.
    if (message.readableLength > 0) message.setTimeout(milliseconds)
    else message.destroy()
  })
  message.once("end", () => message.setTimeout(0))
}

/** Sends an error response to an upgrade, on the raw connection. */
const refuseUpgrade = async (response: Response, socket: Duplex): Promise<void> => {
  const body = await response.text()
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}\r\n`).join("")
  socket.end(
    `HTTP/1.1 ${response.status} Refused\r\n${headers}` +
      `content-length: ${new TextEncoder().encode(body).byteLength}\r\nconnection: close\r\n\r\n${body}`
  )
}

const memorySocket = (socket: NodeWebSocket): MemorySocket => ({
  send: (frame, sent) => socket.send(frame, sent),
  close: (code, reason) => socket.close(code, reason)
})

/** Serves a web handler on Node, streaming both ways, and the Sequencer's event stream in process. */
export const serve = (
  options: ServerOptions
): Effect.Effect<{ readonly port: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { proxies = noProxies, grace = 0, longestPause = 60_000 } = options
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: mostHeard,
      handleProtocols: () => false
    })
    const server = createServer(limits, (message, response) => {
      endIfPaused(message, longestPause)
      void answer(options, message, response)
    })

    const upgrade = (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      const url = urlOf(message, proxies)
      if (typeof url === "number" || url.pathname !== firehose) {
        void refuseUpgrade(new Response("nothing to upgrade here", { status: 400 }), socket)
        return
      }
      const headers = headersOf(message, proxies)
      const asked = readUpgrade(new Request(url, { method: message.method ?? "GET", headers }))
      if (asked instanceof Response) {
        void refuseUpgrade(asked, socket)
        return
      }
      const connection = { ...asked, ...greetingOf(headers) }
      const refused = options.isCapped === true ? options.sequencer.refuse(connection) : undefined
      if (refused !== undefined) {
        void refuseUpgrade(refused, socket)
        return
      }
      sockets.handleUpgrade(message, socket, head, (upgraded) => {
        upgraded.on("error", () => upgraded.terminate())
        const disconnect = options.sequencer.connect(memorySocket(upgraded), connection)
        upgraded.on("close", disconnect)
      })
    }

    server.on("upgrade", (message, socket, head) => {
      socket.on("error", () => socket.destroy())
      try {
        upgrade(message, socket, head)
      } catch {
        // An exception in a listener would end the process: such as that of a full disk.
        socket.destroy()
      }
    })

    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.once("error", (error) => resume(Effect.die(error)))
        server.listen(options.port, options.host ?? "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          const end = () => {
            for (const socket of sockets.clients) socket.terminate()
            server.closeAllConnections()
          }
          const timer = setTimeout(end, grace)
          server.close(() => {
            clearTimeout(timer)
            resume(Effect.void)
          })
          if (grace === 0) return end()
          // A connection ends with its response.
          server.keepAliveTimeout = 1
          server.keepAliveTimeoutBuffer = 0
          // Relays take this code as a reason to connect again.
          for (const socket of sockets.clients) socket.close(1012, "The server restarts")
          server.closeIdleConnections()
        })
    )
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.die("no port")
    return { port: address.port }
  })
