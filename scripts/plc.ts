// A small PLC directory for development: the real rules, in one process, only on 127.0.0.1.
//
//   node scripts/plc.ts --port 2582 [--file plc.json]
import { readFileSync, renameSync, writeFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import type { AddressInfo } from "node:net"
import { parseArgs } from "node:util"
import { documentOf, PlcLogs } from "../src/core/identity/plcLog.ts"
import {
  cidOfOperation,
  InvalidPlcOperation,
  type PlcOperation
} from "../src/core/identity/plcOperation.ts"
import { parseOperation } from "../src/core/identity/plcParse.ts"

const maxBodyBytes = 64 * 1024

/** A running PLC directory for development. */
export interface DevelopmentPlc {
  readonly port: number
  readonly url: string
  close(): Promise<void>
}

/** The directory's data of a DID. */
interface Kept {
  readonly did: string
  readonly log: ReadonlyArray<{ readonly operation: PlcOperation; readonly createdAt: string }>
}

/** Starts a directory; `file` makes it persistent. Port 0 picks a free one. */
export const startPlc = async ({
  port = 0,
  file
}: { readonly port?: number; readonly file?: string } = {}): Promise<DevelopmentPlc> => {
  const { logs, times } = load(file)
  const save = (): void => {
    if (file === undefined) return
    const entries = [...logs.entries()].map(([did, log]) => ({
      did,
      log: log.map((operation, at) => ({ operation, createdAt: times.get(did)?.[at] }))
    }))
    // Written to a temporary file and renamed, so an interruption leaves the old file intact.
    writeFileSync(`${file}.new`, JSON.stringify(entries))
    renameSync(`${file}.new`, file)
  }

  const submit = async (did: string, request: IncomingMessage) => {
    const operation = parseOperation(JSON.parse(await bodyOf(request)))
    logs.submit(did, operation)
    times.set(did, [...(times.get(did) ?? []), new Date().toISOString()])
    save()
    return json(200, {})
  }

  const read = (did: string, what: string) => {
    const state = logs.state(did)
    if (state === undefined) return json(404, { message: `DID not registered: ${did}` })
    const log = logs.log(did) ?? []
    if (what === "log") return json(200, log)
    if (what === "log/last") return json(200, log.at(-1))
    if (what === "log/audit") {
      const entries = log.map((operation, at) => ({
        did,
        operation,
        cid: cidOfOperation(operation).toString(),
        nullified: false,
        createdAt: times.get(did)?.[at]
      }))
      return json(200, entries)
    }
    if (state.data === null) return json(410, { message: `DID not available: ${did}` })
    if (what === "data") return json(200, { did, ...state.data })
    if (what === "") return json(200, documentOf(did, state.data), "application/did+ld+json")
    return json(404, { message: "Not found" })
  }

  const answer = async (request: IncomingMessage) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname
    if (path === "/_health") return json(200, { version: "development" })
    const [did = "", ...rest] = path.slice(1).split("/").map(decodeURIComponent)
    if (request.method === "POST" && rest.length === 0) return submit(did, request)
    if (request.method === "GET") return read(did, rest.join("/"))
    return json(405, { message: "Method not allowed" })
  }

  // Clients close idle connections themselves. If the server did, a client whose loop is busy would
  // send into a connection that is just being closed.
  const server = createServer({ keepAliveTimeout: 0 }, async (request, response) => {
    const { status, type, body } = await answer(request).catch((error: unknown) =>
      json(
        error instanceof InvalidPlcOperation ||
          error instanceof SyntaxError ||
          error instanceof URIError
          ? 400
          : 500,
        {
          message: error instanceof Error ? error.message : String(error)
        }
      )
    )
    const headers = {
      "content-type": `${type}; charset=utf-8`,
      // Browser apps resolve DIDs themselves; the public directory allows that too.
      "access-control-allow-origin": "*"
    }
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", resolve)
  })
  // SAFETY: it listens on a port.
  const { port: bound } = server.address() as AddressInfo
  return {
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const json = (status: number, value: unknown, type = "application/json") => ({
  status,
  type,
  body: JSON.stringify(value)
})

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > maxBodyBytes) throw new InvalidPlcOperation("the body is too large")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

const load = (file: string | undefined) => {
  let entries: ReadonlyArray<Kept> = []
  try {
    if (file !== undefined) entries = JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error
  }
  return {
    logs: new PlcLogs(
      entries.map(({ did, log }) => [did, log.map(({ operation }) => parseOperation(operation))])
    ),
    times: new Map(entries.map(({ did, log }) => [did, log.map(({ createdAt }) => createdAt)]))
  }
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { port: { type: "string" }, file: { type: "string" } } })
  const plc = await startPlc({
    port: Number(values.port ?? 2582),
    ...(values.file === undefined ? {} : { file: values.file })
  })
  console.log(`PLC directory for development: ${plc.url}`)
}
