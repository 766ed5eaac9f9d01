import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"

/** What goes wrong with an answer. */
export type Fault =
  /** Another answer in its place. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Half of it, and then the connection is gone. */
  | "cut"
  /** Half of it, as if that were all. */
  | "short"
  /** Other bytes of the same length. */
  | "spoilt"
  /** It was done, and nobody is told. */
  | "silent"

/** A server in front of another, which is as good as that one but for the faults that it is told to have. */
export interface Faulty {
  readonly url: string
  /** The next answers of a method have these faults, in this order. */
  fail(nsid: string, ...faults: ReadonlyArray<Fault>): void
  /** The faults that have not come about. */
  readonly left: () => number
  /** How often a method was called. */
  readonly calls: (nsid: string) => number
  stop(): Promise<void>
}

/** Stands in front of a server. */
export const startFaulty = async (target: string): Promise<Faulty> => {
  const faults = new Map<string, Array<Fault>>()
  const counts = new Map<string, number>()
  const server = createServer((asked, answer) => {
    const nsid = /^\/xrpc\/([\w.]+)/.exec(asked.url ?? "")?.[1] ?? ""
    counts.set(nsid, (counts.get(nsid) ?? 0) + 1)
    const fault = faults.get(nsid)?.shift()
    if (typeof fault === "object") {
      asked.resume()
      asked.once("end", () => {
        answer.writeHead(fault.status, { "content-type": "application/json", ...fault.headers })
        answer.end(JSON.stringify({ error: "Busy", message: "not now" }))
      })
      return
    }
    const { host: _, ...headers } = asked.headers
    const sent = request(`${target}${asked.url}`, { method: asked.method ?? "GET", headers })
    sent.once("error", () => answer.destroy())
    sent.once("response", (told) => {
      const pieces: Array<Buffer> = []
      told.on("data", (piece: Buffer) => pieces.push(piece))
      told.once("end", () => {
        const body = Buffer.concat(pieces)
        const half = body.subarray(0, body.length / 2)
        if (fault === "silent") return answer.destroy()
        const { "content-length": _length, "transfer-encoding": _encoding, ...rest } = told.headers
        answer.writeHead(told.statusCode ?? 500, rest)
        if (fault === "cut") return answer.write(half, () => answer.destroy())
        if (fault === "spoilt") return answer.end(Buffer.alloc(body.length, 7))
        return answer.end(fault === "short" ? half : body)
      })
    })
    asked.pipe(sent)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}`,
    fail: (nsid, ...more) => void faults.set(nsid, [...(faults.get(nsid) ?? []), ...more]),
    left: () => [...faults.values()].flat().length,
    calls: (nsid) => counts.get(nsid) ?? 0,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
