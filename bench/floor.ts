/**
 * The machine's limits: the smallest Worker for each kind of work, measured like the server.
 */
import { type Answer, connect, type Connection } from "./http.ts"
import { percentile, perSecond, sequential } from "./measure.ts"
import { temporaryFolder } from "./server.ts"
import { freePort, serve } from "../scripts/server.ts"

const code = `
import { DurableObject } from "cloudflare:workers"
export default {
  async fetch(request, env) {
    const { pathname, search } = new URL(request.url)
    if (pathname === "/empty") return new Response("ok")
    if (pathname === "/blob") {
      await env.BLOBS.put(crypto.randomUUID(), request.body)
      return new Response("ok")
    }
    const floor = env.FLOOR.get(env.FLOOR.idFromName("floor" + search))
    if (pathname === "/proxied") {
      await floor.fetch("https://floor/object")
      return fetch(env.UPSTREAM)
    }
    if (pathname === "/subscribe") return env.LOG.get(env.LOG.idFromName("log")).fetch(request)
    return floor.fetch(request)
  }
}
export class Floor extends DurableObject {
  rows = 0
  constructor(state, env) {
    super(state, env)
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
  }
  async fetch(request) {
    const { pathname } = new URL(request.url)
    if (pathname === "/object") return new Response("ok")
    if (pathname === "/row") {
      const [row] = this.ctx.storage.sql.exec("SELECT value FROM rows WHERE key >= ? LIMIT 1", "m")
      if (row !== undefined) return new Response(row.value)
      // As large as a post; the keys of other rows are less.
      const post = new TextEncoder().encode("x".repeat(300))
      this.ctx.storage.sql.exec("INSERT INTO rows VALUES (?, ?)", "m", post)
      return new Response(post)
    }
    const value = await request.text()
    this.ctx.storage.transactionSync(() => {
      for (let i = 0; i < 3; i++) {
        this.ctx.storage.sql.exec("INSERT INTO rows VALUES (?, ?)", crypto.randomUUID() + this.rows++, value)
      }
    })
    if (pathname === "/post") {
      // About as large as a post's in a repo of a thousand.
      const frame = new TextEncoder().encode(value.repeat(10))
      this.ctx.waitUntil(this.env.LOG.get(this.env.LOG.idFromName("log")).append(frame))
    }
    return new Response("ok")
  }
}
export class Log extends DurableObject {
  constructor(state, env) {
    super(state, env)
    state.storage.sql.exec("CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, frame BLOB)")
  }
  fetch() {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }
  append(frame) {
    this.ctx.storage.sql.exec("INSERT INTO event (frame) VALUES (?)", frame)
    for (const socket of this.ctx.getWebSockets()) socket.send(frame)
  }
  webSocketClose() {}
}
`

const commit = "Worker → object, 3-row commit"
const json = { "Content-Type": "application/json" }

export type Floor = Awaited<ReturnType<typeof openFloor>>

type Run = (one: Connection) => Promise<Answer>

/**
 * Starts the floor Worker; `blob` is one raw R2 put, `proxied` needs an upstream, and `rows`
 * measures all the rest.
 */
export async function openFloor(upstream = "") {
  const { folder, remove } = temporaryFolder("floor")
  const server = await serve({
    code,
    port: await freePort(),
    dataDir: folder,
    bindings: { UPSTREAM: upstream },
    options: {
      compatibilityDate: "2026-09-01",
      durableObjects: {
        FLOOR: { className: "Floor", useSQLite: true },
        LOG: { className: "Log", useSQLite: true }
      },
      r2Buckets: { BLOBS: "floor" }
    }
  })
  const client = await connect(server.url)
  const commitIn = (one: Connection, object: string) =>
    one.request("POST", `/commit${object}`, {
      headers: json,
      body: `{"text":"${"x".repeat(300)}"}`
    })
  const toCommit: Run = (one) => commitIn(one, "")
  const toPost: Run = (one) =>
    one.request("POST", "/post", { headers: json, body: `{"text":"${"x".repeat(300)}"}` })
  const work = {
    "empty Worker": (one) => one.request("GET", "/empty"),
    "Worker → object": (one) => one.request("GET", "/object"),
    [commit]: toCommit
  } satisfies Readonly<Record<string, Run>>
  const measure = async (run: Run, runs: number, milliseconds: number) => {
    const samples = await sequential(runs, () => run(client))
    const clients = await Promise.all(Array.from({ length: 8 }, () => connect(server.url)))
    const rate = await perSecond(clients, milliseconds, run)
    for (const one of clients) one.close()
    return { p50: percentile(samples, 0.5), rate }
  }
  return {
    url: server.url,
    /** Zero if it is unknown. */
    pid: server.pid ?? 0,
    /** Each kind of work by a short name. */
    calls: (blob: Uint8Array): Readonly<Record<string, Run>> => ({
      empty: work["empty Worker"],
      object: work["Worker → object"],
      row: (one) => one.request("GET", "/row"),
      commit: toCommit,
      post: toPost,
      blob: (one) => one.request("POST", "/blob", { body: blob }),
      proxied: (one) => one.request("GET", "/proxied", { discard: true })
    }),
    /** Latency and requests per second of each kind of work. */
    async rows(runs: number, milliseconds: number) {
      const found: Array<{ name: string; p50: number; rate: number }> = []
      for (const [name, run] of Object.entries(work)) {
        found.push({ name, ...(await measure(run, runs, milliseconds)) })
      }
      return found
    },
    /** Only the commit: measured with each size, since the machine's load varies. */
    commit: (runs: number, milliseconds: number) => measure(toCommit, runs, milliseconds),
    /** One commit, which wakes an evicted object; by a name, in another object. */
    once: (one = client, name = "") => commitIn(one, name === "" ? "" : `?${name}`),
    /** Puts one blob straight into R2. */
    blob: (bytes: Uint8Array) => client.request("POST", "/blob", { body: bytes }),
    async close() {
      client.close()
      await server.stop()
      remove()
    }
  }
}
