/** The network outside of a host under test. */
export interface Network {
  /** What tells the host to use this network. */
  readonly env: Readonly<Record<string, string>>
  /** The TXT records of handles: what `_atproto.<handle>` says. */
  readonly dns: Map<string, string>
  /** What other servers answer, by the URL that is asked for. */
  readonly web: Map<string, () => Response>
  /** Origins of servers on this machine that are reached as they are. */
  readonly servers: Set<string>
  /** Names that nobody can reach: no connection, and no word from DNS. */
  readonly dead: Set<string>
  /** Every URL that a host asked for, but those of PLC directories. */
  readonly asked: Array<string>
  /** Lets the PLC directory be out of reach. */
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
let made = 0

const txt = (did: string | undefined) =>
  Response.json(
    did === undefined ? { Status: 3 } : { Status: 0, Answer: [{ type: 16, data: `"did=${did}"` }] }
  )

/**
 * Stands in for the platform's `fetch`: PLC directories are reached, DNS is a map, and everybody else has nothing.
 *
 * So no test depends on a network, and whatever a host asks for is seen.
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

/** Gives the platform's `fetch` back, whatever a failed test left open. */
export const closeNetworks = (): void => {
  sides.clear()
  globalThis.fetch = native
}

/** Puts a host with this PLC directory into a network of its own. */
export const startNetwork = (plcUrl: string): Network => {
  const { origin: plc, host } = new URL(plcUrl)
  const doh = `127.0.0.1:${(made += 1)}`
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
