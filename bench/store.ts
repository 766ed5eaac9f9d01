/** A backup store for bench and soak: the part of S3 that the server uses, with objects as files. */
import { createHash } from "node:crypto"
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readFileSync,
  writeFileSync
} from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import type { AddressInfo } from "node:net"

/** What the store was asked for, by the classes of R2's prices. */
export interface Counts {
  /** Writes and listings. */
  readonly classA: number
  /** Reads. */
  readonly classB: number
  readonly deletions: number
  readonly bytesIn: number
  readonly bytesOut: number
}

interface Part {
  readonly file: string
  readonly size: number
}

const pageSize = 1000

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

/** A store for one bucket; `env` has the server's variables for it. */
export type Store = Awaited<ReturnType<typeof startStore>>

/** Starts a store over a folder. */
export async function startStore(folder: string) {
  mkdirSync(folder, { recursive: true })
  const objects = new Map<string, Part>()
  const uploads = new Map<string, Array<Part>>()
  let held: { readonly request: RegExp; readonly met: () => void } | undefined
  const counts = { classA: 0, classB: 0, deletions: 0, bytesIn: 0, bytesOut: 0 }
  let files = 0

  const receive = async (request: IncomingMessage): Promise<Part> => {
    const file = join(folder, String(files++))
    let size = 0
    request.on("data", (piece: Buffer) => (size += piece.length))
    await pipeline(request, createWriteStream(file))
    counts.bytesIn += size
    return { file, size }
  }

  const list = (query: URLSearchParams): string => {
    const prefix = query.get("prefix") ?? ""
    const after = query.get("continuation-token") ?? ""
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
    const page = keys.toSorted().slice(0, pageSize)
    const contents = page.map(
      (key) =>
        `<Contents><Key>${escaped(key)}</Key><Size>${objects.get(key)?.size}</Size></Contents>`
    )
    const next = keys.length > pageSize ? page.at(-1) : undefined
    const token =
      next === undefined ? "" : `<NextContinuationToken>${escaped(next)}</NextContinuationToken>`
    return `<ListBucketResult>${contents.join("")}${token}</ListBucketResult>`
  }

  const joined = async (parts: ReadonlyArray<Part>): Promise<Part> => {
    const file = join(folder, String(files++))
    for (const part of parts) {
      await pipeline(createReadStream(part.file), createWriteStream(file, { flags: "a" }))
      await rm(part.file)
    }
    return { file, size: parts.reduce((sum, { size }) => sum + size, 0) }
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { searchParams: query, pathname } = new URL(request.url ?? "/", "http://localhost")
    const key = decodeURIComponent(pathname).split("/").slice(2).join("/")
    const upload = query.get("uploadId")
    const end = (status: number, text = "", headers = {}) =>
      void response.writeHead(status, headers).end(text)
    if (held?.request.test(`${request.method} ${key}`) === true) {
      held.met()
      held = undefined
      return
    }
    if (request.method === "GET" && key === "") {
      counts.classA += 1
      return end(200, list(query))
    }
    if (request.method === "GET") {
      counts.classB += 1
      const found = objects.get(key)
      if (found === undefined) return end(404, "<Error><Code>NoSuchKey</Code></Error>")
      counts.bytesOut += found.size
      response.writeHead(200, { "content-length": found.size })
      return pipeline(createReadStream(found.file), response)
    }
    if (request.method === "DELETE") {
      counts.deletions += 1
      if (upload === null) objects.delete(key)
      else uploads.delete(upload)
      return end(204)
    }
    counts.classA += 1
    if (request.method === "POST" && upload === null) {
      const id = `upload-${files++}`
      uploads.set(id, [])
      return end(200, `<Result><UploadId>${id}</UploadId></Result>`)
    }
    if (request.method === "POST") {
      request.resume()
      objects.set(key, await joined(uploads.get(upload ?? "") ?? []))
      uploads.delete(upload ?? "")
      return end(200, "<CompleteMultipartUploadResult/>")
    }
    const received = await receive(request)
    if (upload === null) objects.set(key, received)
    else uploads.get(upload)![Number(query.get("partNumber")) - 1] = received
    const etag = createHash("sha256").update(`${received.file}`).digest("hex")
    return end(200, "", { etag: `"${etag}"` })
  }

  const server = createServer((request, response) => {
    // A client that was killed leaves half a request.
    answer(request, response).catch(() => response.destroy())
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  // SAFETY: it listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo
  return {
    env: {
      BACKUP_S3_URL: `http://127.0.0.1:${port}/backups`,
      BACKUP_S3_KEY_ID: "key",
      BACKUP_S3_SECRET: "secret"
    },
    keys: () => [...objects.keys()].toSorted(),
    read: (key: string): Uint8Array | undefined => {
      const found = objects.get(key)
      return found === undefined ? undefined : readFileSync(found.file)
    },
    write: (key: string, bytes: Uint8Array): void => {
      const file = join(folder, String(files++))
      writeFileSync(file, bytes)
      objects.set(key, { file, size: bytes.byteLength })
    },
    /** Forgets every object, as a new bucket has none. */
    clear: (): void => objects.clear(),
    /** Never answers the next request whose method and key match; resolves when it arrives. */
    hold: (request: RegExp): Promise<void> =>
      new Promise((met) => {
        held = { request, met }
      }),
    counts: (): Counts => ({ ...counts }),
    stop: () =>
      new Promise<void>((done) => {
        server.closeAllConnections()
        server.close(() => done())
      })
  }
}
