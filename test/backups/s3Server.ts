import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/** The number of objects in a page of a listing. */
const pageSize = 3

const bodyOf = async (request: IncomingMessage): Promise<Buffer> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/**
 * What goes wrong with a request: nothing, an error of the store, a broken connection, a body that breaks off,
 * no response at all, or an object that is kept although the response is an error.
 */
type Fault = "ok" | 503 | "reset" | "half" | "silence" | "kept"

/** A server with the part of S3 that a store needs, for one bucket. */
export const startS3 = async () => {
  const objects = new Map<string, Buffer>()
  const uploads = new Map<string, Array<Buffer>>()
  const state = { status: 200 }
  /** The faults of the next requests, one each. */
  const faults: Array<Fault> = []
  /** The methods of all requests so far. */
  const asked: Array<string> = []

  const list = (query: URLSearchParams): string => {
    const prefix = query.get("prefix") ?? ""
    const after = query.get("continuation-token") ?? ""
    const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after)
    const page = keys.toSorted().slice(0, pageSize)
    const next = keys.length > pageSize ? page.at(-1) : undefined
    const contents = page.map(
      (key) =>
        `<Contents><Key>${escaped(key)}</Key><Size>${objects.get(key)?.length}</Size></Contents>`
    )
    const token =
      next === undefined ? "" : `<NextContinuationToken>${escaped(next)}</NextContinuationToken>`
    return `<ListBucketResult>${contents.join("")}${token}</ListBucketResult>`
  }

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await bodyOf(request)
    const url = new URL(request.url ?? "/", "http://localhost")
    const [, , ...rest] = decodeURIComponent(url.pathname).split("/")
    const key = rest.join("/")
    asked.push(request.method ?? "")
    const fault = faults.shift()
    const end = (status: number, text: string | Buffer = "", headers = {}) => {
      if (fault === "kept") return response.writeHead(503).end()
      response.writeHead(status, headers)
      if (fault !== "half") return response.end(text)
      response.write(text.slice(0, text.length / 2), () => request.socket.destroy())
    }
    if (fault === "silence") return
    if (fault === "reset") return request.socket.destroy()
    if (fault === 503) return end(503)
    const digest = createHash("sha256").update(body).digest("hex")
    const isSigned =
      request.headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=key/") === true &&
      request.headers["x-amz-content-sha256"] === digest
    if (!isSigned) return end(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
    if (state.status !== 200) return end(state.status, "<Error><Code>QuotaExceeded</Code></Error>")
    const upload = url.searchParams.get("uploadId")
    if (request.method === "GET" && key === "") return end(200, list(url.searchParams))
    if (request.method === "GET") {
      const found = objects.get(key)
      if (found === undefined) return end(404, "<Error><Code>NoSuchKey</Code></Error>")
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? []
      if (from === undefined) return end(200, found, { "content-length": found.length })
      const part = found.subarray(Number(from), Number(to) + 1)
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${found.length}`
      return end(206, part, { "content-length": part.length, "content-range": range })
    }
    if (request.method === "HEAD") {
      const found = objects.get(key)
      return found === undefined ? end(404) : end(200, "", { "content-length": found.length })
    }
    if (request.method === "DELETE") {
      if (upload === null) objects.delete(key)
      else uploads.delete(upload)
      return end(204)
    }
    if (request.method === "POST" && upload === null) {
      const id = `upload ${uploads.size}`
      uploads.set(id, [])
      return end(200, `<Result><UploadId>${id}</UploadId></Result>`)
    }
    if (request.method === "POST") {
      objects.set(key, Buffer.concat(uploads.get(upload ?? "") ?? []))
      uploads.delete(upload ?? "")
      return end(200, "<CompleteMultipartUploadResult/>")
    }
    if (upload === null) objects.set(key, body)
    else uploads.get(upload)![Number(url.searchParams.get("partNumber")) - 1] = body
    return end(200, "", { etag: `"${digest}"` })
  }

  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // SAFETY: it listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/bucket/a/prefix`,
    objects,
    uploads,
    state,
    faults,
    asked,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}
