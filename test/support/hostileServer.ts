import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * What a terminal interprets: an escape, a title, a cleared line, C1, a false line, and reversed
 * text.
 */
export const commands = "\u001B[2J\u001B]0;owned\u0007\r\u009B31m\u202E\nok  all is well"

/** A method's response: JSON, or bytes. */
export type Answers = Readonly<Record<string, object | Uint8Array>>

/** A server with arbitrary responses, regardless of the protocol. */
export interface Hostile {
  readonly url: string
  /** The requested paths. */
  readonly asked: ReadonlyArray<string>
  stop(): Promise<void>
}

/** Starts a server with responses by NSID or path; anything else gets a hostile error. */
export const startHostile = async (answers: Answers): Promise<Hostile> => {
  const asked: Array<string> = []
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const path = new URL(request.url ?? "", "http://localhost").pathname.slice(1)
    asked.push(request.url ?? "")
    request.resume()
    const answer = answers[path.replace(/^xrpc\//, "")]
    if (answer instanceof Uint8Array) return void response.end(answer)
    response.setHeader("content-type", "application/json")
    if (answer === undefined) response.statusCode = 400
    response.end(JSON.stringify(answer ?? { error: commands, message: commands }))
  })
  await new Promise<void>((listens) => server.listen(0, "127.0.0.1", listens))
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    stop: () =>
      new Promise((stopped) => {
        server.closeAllConnections()
        server.close(() => stopped())
      })
  }
}
