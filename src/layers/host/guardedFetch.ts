import dns from "node:dns"
import { isIP, type LookupFunction } from "node:net"
import { Agent, fetch } from "undici"
import { addressKind } from "../../core/identity/ipAddress.ts"
import type { Fetch } from "./OutgoingFetch.ts"

/** Whether an address is one of the public network. */
const isPublic = (address: string): boolean => {
  const { hostname } = new URL(isIP(address) === 6 ? `http://[${address}]` : `http://${address}`)
  return addressKind(hostname) === "global"
}

/**
 * Resolves a name, and fails if any of its addresses is inside of a private network.
 *
 * The connection uses the address that was checked, so a name can't change between the two.
 */
const publicLookup: LookupFunction = (hostname, options, done) => {
  dns.lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return done(error, "")
    const inside = addresses.find(({ address }) => !isPublic(address))
    const [first] = addresses
    if (inside !== undefined || first === undefined) {
      return done(new Error(`${hostname} has an address in a private network`), "")
    }
    if (options.all === true) done(null, addresses)
    else done(null, first.address, first.family)
  })
}

/**
 * A `fetch` that reaches only the public network, as Cloudflare's does; `allowHosts` are exempt.
 *
 * For a server on a machine whose network has other services in it.
 */
export const guardedFetch = (allowHosts: ReadonlyArray<string>): Fetch => {
  const agent = new Agent({ connect: { lookup: publicLookup }, allowH2: true })
  const isExempt = ({ host, hostname }: URL): boolean =>
    allowHosts.includes(host) || allowHosts.includes(hostname)
  return (url, init) =>
    isExempt(new URL(url))
      ? globalThis.fetch(url, init)
      : // SAFETY: undici's fetch is the one that Node has; only their declarations differ.
        (fetch as unknown as typeof globalThis.fetch)(url, {
          ...init,
          dispatcher: agent
        } as RequestInit)
}
