/**
 * The cost of the proxy: the same request sent to the upstream directly, and through the server.
 */
import { fork } from "node:child_process"
import { join } from "node:path"
import type { BenchAccount } from "./account.ts"
import { openFloor } from "./floor.ts"
import { connect, type Connection } from "./http.ts"
import { type Found, percentile, perSecond, sequential } from "./measure.ts"

/** Starts the app view in its own process; `env` configures a server to use it. */
export async function openUpstream() {
  const child = fork(join(import.meta.dirname, "upstream.ts"))
  const { port } = await new Promise<{ readonly port: number }>((done, fail) => {
    // SAFETY: the upstream sends nothing else.
    child.once("message", (message) => done(message as { readonly port: number }))
    child.once("error", fail)
  })
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    env: {
      APP_VIEW: `did:web:api.view.example.com#bsky_appview ${url}`,
      DEV_ALLOW_HOSTS: `127.0.0.1:${port}`
    },
    close: () => child.disconnect()
  }
}

/**
 * Latency with one client and requests per second with 32: direct, through the server, and through
 * a bare Worker that asks a bare object first.
 */
export async function proxy(
  account: BenchAccount,
  upstream: { readonly url: string },
  { runs, milliseconds }: { readonly runs: number; readonly milliseconds: number }
): Promise<Found> {
  const measure = async (url: string, path: string) => {
    const ask = async (client: Connection) => {
      const { status } = await client.request("GET", path, {
        headers: account.authorization,
        discard: true
      })
      if (status !== 200) throw new Error(`${path}: ${status}`)
    }
    const clients = await Promise.all(Array.from({ length: 32 }, () => connect(url)))
    const [first] = clients
    const samples = await sequential(runs, async () => first && ask(first))
    const rate = await perSecond(clients, milliseconds, ask)
    for (const client of clients) client.close()
    return { p50: percentile(samples, 0.5), rate }
  }
  const search = "/xrpc/app.bsky.feed.searchPosts?limit=50"
  const direct = await measure(upstream.url, search)
  const bare = await openFloor(upstream.url)
  const floor = await measure(bare.url, "/proxied").finally(bare.close)
  const through = await measure(account.url, search)
  const looked = await measure(account.url, "/xrpc/app.bsky.feed.getTimeline?limit=50")
  return {
    upstream: direct.p50,
    proxied: through.p50,
    proxyAdded: through.p50 - direct.p50,
    proxyFloor: floor.p50 - direct.p50,
    timelineAdded: looked.p50 - direct.p50,
    upstream32: direct.rate,
    proxied32: through.rate,
    proxyFloor32: floor.rate,
    proxyShare32: through.rate / floor.rate
  }
}
