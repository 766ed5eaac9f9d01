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

/** The handler and the address of the server. */
export interface ServerOptions {
  readonly handler: (request: Request) => Promise<Response>
  readonly sequencer: MemorySequencer
  /** 0 for any free port. */
  readonly port: number
  /** Whether event stream connections are limited. */
  readonly isCapped?: boolean
}

const firehose = "/xrpc/com.atproto.sync.subscribeRepos"

/** The requested URL; null if host or target are invalid. */
const urlOf = ({ url = "/", headers }: IncomingMessage): URL | null => {
  const origin = `http://${headers.host ?? "localhost"}`
  // Two leading slashes are a path rather than another host.
  return url.startsWith("/") ? URL.parse(origin + url) : URL.parse(url, origin)
}

const headersOf = (message: IncomingMessage): Headers => {
  const headers = new Headers()
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at]!, message.rawHeaders[at + 1]!)
  }
  // The connection determines the client's address, as at Cloudflare's edge, never a header.
  headers.set("cf-connecting-ip", message.socket.remoteAddress ?? "")
  return headers
}

/** The request as a web Request, with a streamed body, aborted when the client disconnects. */
const requestOf = (url: URL, message: IncomingMessage, response: ServerResponse): Request => {
  const gone = new AbortController()
  response.once("close", () => {
    if (!response.writableFinished) gone.abort()
  })
  const method = message.method ?? "GET"
  const init = { method, headers: headersOf(message), signal: gone.signal, duplex: "half" }
  // SAFETY: Node's web streams are the platform's; only their declarations differ.
  const body = Readable.toWeb(message) as unknown as ReadableStream
  return new Request(url, method === "GET" || method === "HEAD" ? init : { ...init, body })
}

const writeResponse = async (response: Response, to: ServerResponse): Promise<void> => {
  const headers = new Headers(response.headers)
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
  // SAFETY: as above, in reverse.
  const body = response.body as unknown as Parameters<typeof Readable.fromWeb>[0]
  await pipeline(Readable.fromWeb(body), to)
}

const answer = async (
  handler: ServerOptions["handler"],
  message: IncomingMessage,
  to: ServerResponse
): Promise<void> => {
  const url = urlOf(message)
  if (url === null) {
    to.writeHead(400).end()
    return
  }
  try {
    await writeResponse(await handler(requestOf(url, message, to)), to)
  } catch {
    // The client disconnected, or the body failed half way: the broken connection shows it.
    if (to.headersSent) to.destroy()
    else to.writeHead(500).end()
  }
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

/**
 * Serves a web handler on Node, streaming both ways, and the Sequencer's event stream in process.
 *
 * Only on the loopback address: this is the server for development and tests.
 */
export const serve = (
  options: ServerOptions
): Effect.Effect<{ readonly port: number }, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      handleProtocols: () => false
    })
    const server = createServer((message, response) => {
      void answer(options.handler, message, response)
    })

    server.on("upgrade", (message, socket, head) => {
      socket.on("error", () => socket.destroy())
      const url = urlOf(message)
      if (url?.pathname !== firehose) {
        void refuseUpgrade(new Response("nothing to upgrade here", { status: 400 }), socket)
        return
      }
      const method = message.method ?? "GET"
      const asked = readUpgrade(new Request(url, { method, headers: headersOf(message) }))
      if (asked instanceof Response) {
        void refuseUpgrade(asked, socket)
        return
      }
      const connection = { ...asked, ...greetingOf(headersOf(message)) }
      const refused = options.isCapped === true ? options.sequencer.refuse(connection) : undefined
      if (refused !== undefined) {
        void refuseUpgrade(refused, socket)
        return
      }
      sockets.handleUpgrade(message, socket, head, (upgraded) => {
        const disconnect = options.sequencer.connect(memorySocket(upgraded), connection)
        upgraded.on("close", disconnect)
        upgraded.on("error", () => upgraded.terminate())
      })
    })

    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.once("error", (error) => resume(Effect.die(error)))
        server.listen(options.port, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          for (const socket of sockets.clients) socket.terminate()
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.die("no port")
    return { port: address.port }
  })
