/** The network around a host under test. */
export interface Network {
  /** Configures the host to use this network. */
  readonly env: Readonly<Record<string, string>>
  /** The TXT records of handles at `_atproto.<handle>`. */
  readonly dns: Map<string, string>
  /** Other servers' responses by URL. */
  readonly web: Map<string, () => Response>
  /** Origins of servers on this machine, which are reached directly. */
  readonly servers: Set<string>
  /** Unreachable names: neither connections nor DNS work. */
  readonly dead: Set<string>
  /** Every URL that a host requested, except those of PLC directories. */
  readonly asked: Array<string>
  /** Makes the PLC directory unreachable. */
  cut(broken: boolean): void
  close(): void
}

interface Side {
  readonly plc: string
  readonly doh: string
  readonly network: Network
  isCut: boolean
}

const sides = new Set<Side>()
const native = globalThis.fetch
/** The port of the last name server; a URL never shows port 80. */
let lastPort = 1000

const txt = (did: string | undefined) =>
  Response.json(
    did === undefined ? { Status: 3 } : { Status: 0, Answer: [{ type: 16, data: `"did=${did}"` }] }
  )

/**
 * Replaces the platform's `fetch`: PLC directories are reachable, DNS is a map, and other hosts
 * don't exist.
 *
 * So no test depends on a network, and every request of a host is recorded.
 */
const stand: typeof fetch = async (input, init) => {
  const url = new URL(input instanceof Request ? input.url : String(input))
  for (const side of sides) {
    if (url.origin !== side.plc) continue
    if (side.isCut) throw new TypeError("fetch failed")
    return native(input, init)
  }
  for (const { doh, network } of sides) {
    network.asked.push(url.href)
    if (network.dead.has(url.hostname)) throw new TypeError("fetch failed")
    if (network.servers.has(url.origin)) return native(input, init)
    const page = network.web.get(url.href)
    if (page !== undefined) return page()
    if (url.host !== doh) continue
    const name = (url.searchParams.get("name") ?? "").replace(/^_atproto\./, "")
    if (network.dead.has(name)) throw new TypeError("fetch failed")
    return txt(network.dns.get(name))
  }
  return new Response("not found", { status: 404 })
}

/** Restores the platform's `fetch`, even after a failed test. */
export const closeNetworks = (): void => {
  sides.clear()
  globalThis.fetch = native
}

/** Puts a host with this PLC directory into its own network. */
export const startNetwork = (plcUrl: string): Network => {
  const { origin: plc, host } = new URL(plcUrl)
  const doh = `127.0.0.1:${(lastPort += 1)}`
  const side: Side = {
    plc,
    doh,
    isCut: false,
    network: {
      env: {
        PLC_URL: plcUrl,
        DOH_URL: `http://${doh}/dns-query`,
        DEV_ALLOW_HOSTS: `${host},${doh}`
      },
      dns: new Map(),
      web: new Map(),
      servers: new Set(),
      dead: new Set(),
      asked: [],
      cut: (broken) => {
        side.isCut = broken
      },
      close: () => {
        sides.delete(side)
        if (sides.size === 0) globalThis.fetch = native
      }
    }
  }
  sides.add(side)
  globalThis.fetch = stand
  return side.network
}
