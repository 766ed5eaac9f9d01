/**
 * An app view without cost: a separate process that answers every request with the same page of a
 * timeline.
 *
 * It sends its port to the parent process.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

const post = (index: number) => ({
  post: {
    uri: `at://did:plc:ar7c4by46qjdydhdevvrndac/app.bsky.feed.post/3kaaaaaaaaa${index}`,
    cid: "bafyreib2rxk3rybloqtqwbo3dpwdgcdjwzz5wdjkcvyvhnnxsxzcnvhcpi",
    author: { did: "did:plc:ar7c4by46qjdydhdevvrndac", handle: "somebody.test" },
    record: { $type: "app.bsky.feed.post", text: "nacreous light ".repeat(12) },
    indexedAt: "2026-01-01T00:00:00.000Z"
  }
})
const page = Buffer.from(JSON.stringify({ feed: Array.from({ length: 50 }, (_, at) => post(at)) }))
const headers = { "content-type": "application/json", "content-length": page.length }

const server = createServer((request, response) => {
  request.resume()
  response.writeHead(200, headers).end(page)
})
server.listen(0, "127.0.0.1", () => {
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo
  process.send?.({ port })
})
process.once("disconnect", () => process.exit(0))
