import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http"
import type { ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** A request that a mock service received. */
export interface Received {
  readonly method: string
  /** The path without its query. */
  readonly path: string
  /** The raw query, with its question mark. */
  readonly search: string
  readonly params: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** A mock service's response: JSON, a ready response, or a function's own use of the connection. */
export type MockAnswer = (received: Received, response: ServerResponse) => unknown

/** A service of the network, as a real HTTP server on this machine. */
export interface MockService {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `127.0.0.1:<port>` */
  readonly host: string
  /** Every request, in order. */
  readonly received: ReadonlyArray<Received>
  /** The last request. */
  last(): Received
  /** Sets a method's response. */
  on(nsid: string, answer: MockAnswer): void
  /** Sets a response whose handler reads the body as a stream. */
  stream(
    nsid: string,
    answer: (message: IncomingMessage, response: ServerResponse) => unknown
  ): void
  close(): Promise<void>
}

const bodyOf = async (message: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  // SAFETY: without an encoding a message's chunks are buffers.
  for await (const chunk of message) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Sends JSON. */
export const sendJson = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {}
): void => {
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(body))
}

/** Starts a mock service; methods without a response are not implemented. */
export const startMock = async (): Promise<MockService> => {
  const received: Array<Received> = []
  const answers = new Map<string, MockAnswer>()
  const streams = new Map<string, Parameters<MockService["stream"]>[1]>()

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    const url = new URL(message.url ?? "/", "http://127.0.0.1")
    const nsid = url.pathname.replace("/xrpc/", "")
    const streamed = streams.get(nsid)
    if (streamed !== undefined) {
      await streamed(message, response)
      return
    }
    const asked: Received = {
      method: message.method ?? "GET",
      path: url.pathname,
      search: url.search,
      params: url.searchParams,
      headers: message.headers,
      body: await bodyOf(message)
    }
    received.push(asked)
    const known = answers.get(nsid)
    const made: unknown =
      known === undefined
        ? sendJson(response, 501, { error: "MethodNotImplemented", message: "not here" })
        : await known(asked, response)
    if (made !== undefined) sendJson(response, 200, made)
  }

  const server = createServer({ keepAliveTimeout: 0 }, (message, response) => {
    // A caller that disconnects in the middle of its body isn't the service's fault.
    answer(message, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve)
  })
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    received,
    last: () => {
      const last = received.at(-1)
      if (last === undefined) throw new Error("nothing was asked")
      return last
    },
    on: (nsid, made) => {
      answers.set(nsid, made)
    },
    stream: (nsid, made) => {
      streams.set(nsid, made)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
