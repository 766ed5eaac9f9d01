import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"

/** A fault in a response. */
export type Fault =
  /** Another response instead. */
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Half of the response, then a cut connection. */
  | "cut"
  /** Half of the response, as if complete. */
  | "short"
  /** A CAR without its last block, as if complete. */
  | "torn"
  /** Other bytes of the same length. */
  | "spoilt"
  /** Executed, but without a response. */
  | "silent"

/** A proxy in front of a server, with faults on request. */
export interface Faulty {
  readonly url: string
  /** Gives a method's next responses these faults, in this order. */
  fail(nsid: string, ...faults: ReadonlyArray<Fault>): void
  /** Gives every request whose address contains a text a 504 from now on. */
  stick(text: string): void
  /** Replaces a method's responses from now on. */
  answer(nsid: string, body: object): void
  /** The number of faults that haven't occurred yet. */
  readonly left: () => number
  /** How often a method was called. */
  readonly calls: (nsid: string) => number
  stop(): Promise<void>
}

/** The length of a CAR's section at this offset, including its length prefix. */
const sectionAt = (car: Buffer, at: number): number => {
  let length = 0
  for (let i = 0; ; i++) {
    length += (car[at + i]! & 0x7f) * 0x80 ** i
    if (car[at + i]! < 0x80) return i + 1 + length
  }
}

/** A CAR that ends before its last block. */
export const withoutLastBlock = (car: Buffer): Buffer => {
  let at = 0
  while (at + sectionAt(car, at) < car.length) at += sectionAt(car, at)
  return car.subarray(0, at)
}

/** Starts a proxy in front of a server. */
export const startFaulty = async (target: string): Promise<Faulty> => {
  const faults = new Map<string, Array<Fault>>()
  const counts = new Map<string, number>()
  const stuck = new Set<string>()
  const fixed = new Map<string, object>()
  const server = createServer({ keepAliveTimeout: 0 }, (asked, answer) => {
    const nsid = /^\/xrpc\/([\w.]+)/.exec(asked.url ?? "")?.[1] ?? ""
    counts.set(nsid, (counts.get(nsid) ?? 0) + 1)
    const isStuck = [...stuck].some((text) => asked.url?.includes(text))
    const fault = isStuck ? { status: 504 } : faults.get(nsid)?.shift()
    if (typeof fault === "object") {
      asked.resume()
      asked.once("end", () => {
        answer.writeHead(fault.status, { "content-type": "application/json", ...fault.headers })
        answer.end(JSON.stringify({ error: "Busy", message: "not now" }))
      })
      return
    }
    const body = fixed.get(nsid)
    if (body !== undefined) {
      answer.writeHead(200, { "content-type": "application/json" })
      return answer.end(JSON.stringify(body))
    }
    const { host: _, ...headers } = asked.headers
    const sent = request(`${target}${asked.url}`, { method: asked.method ?? "GET", headers })
    sent.once("error", () => answer.destroy())
    sent.once("response", (whole) => {
      const pieces: Array<Buffer> = []
      whole.on("data", (piece: Buffer) => pieces.push(piece))
      whole.once("end", () => {
        const body = Buffer.concat(pieces)
        const half = body.subarray(0, body.length / 2)
        if (fault === "silent") return answer.destroy()
        const { "content-length": _length, "transfer-encoding": _encoding, ...rest } = whole.headers
        answer.writeHead(whole.statusCode ?? 500, rest)
        if (fault === "cut") return answer.write(half, () => answer.destroy())
        if (fault === "spoilt") return answer.end(Buffer.alloc(body.length, 7))
        if (fault === "torn") return answer.end(withoutLastBlock(body))
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
    stick: (text) => void stuck.add(text),
    answer: (nsid, body) => void fixed.set(nsid, body),
    left: () => [...faults.values()].flat().length,
    calls: (nsid) => counts.get(nsid) ?? 0,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      })
  }
}
