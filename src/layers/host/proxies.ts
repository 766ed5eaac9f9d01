import { BlockList, isIP } from "node:net"

/** Tells a client's address from a connection and its `X-Forwarded-For`. */
export interface Proxies {
  /** Whether this address is one of the proxies. */
  readonly isTrusted: (address: string) => boolean
}

/** An address as it is compared: IPv4 without the prefix that a dual-stack socket adds. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, "")

const add = (list: BlockList, entry: string): boolean => {
  if (entry === "loopback") {
    list.addSubnet("127.0.0.0", 8, "ipv4")
    list.addAddress("::1", "ipv6")
    return true
  }
  const [address = "", bits] = entry.split("/")
  const version = isIP(address)
  if (version === 0) return false
  const most = version === 4 ? 32 : 128
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
  if (length < 0 || length > most) return false
  list.addSubnet(address, length, version === 4 ? "ipv4" : "ipv6")
  return true
}

/**
 * Reads `TRUSTED_PROXIES`: addresses, networks such as `10.0.0.0/8`, and `loopback`, separated by
 * commas. Throws for anything else.
 */
export const readProxies = (text: string): Proxies => {
  const list = new BlockList()
  for (const entry of text.split(",").map((one) => one.trim())) {
    if (entry !== "" && !add(list, entry)) {
      throw new Error(`TRUSTED_PROXIES: ${entry} is not an address, a network or "loopback"`)
    }
  }
  return {
    isTrusted: (text) => {
      const address = plain(text)
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? "ipv4" : "ipv6")
    }
  }
}

/** Trusts no proxy: ignores every client's header. */
export const noProxies: Proxies = { isTrusted: () => false }

/**
 * The client's address: the connection's, or if that is a proxy's, the last address in
 * `X-Forwarded-For` that isn't a proxy's too.
 */
export const clientOf = (
  { isTrusted }: Proxies,
  connection: string | undefined,
  forwarded: string | undefined
): string => {
  let client = plain(connection ?? "")
  const hops = (forwarded ?? "").split(",").map((hop) => plain(hop.trim()))
  while (isTrusted(client) && hops.length > 0) {
    const next = hops.pop() ?? ""
    if (isIP(next) === 0) break
    client = next
  }
  return client
}
