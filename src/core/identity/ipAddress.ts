type Range4 = readonly [base: number, bits: number]

const v4 = (a: number, b: number, c: number, d: number): number =>
  ((a << 24) | (b << 16) | (c << 8) | d) >>> 0

/** The IPv4 blocks that are not global unicast (IANA special-purpose registry, multicast, reserved). */
const special4: ReadonlyArray<Range4> = [
  [v4(0, 0, 0, 0), 8],
  [v4(10, 0, 0, 0), 8],
  [v4(100, 64, 0, 0), 10],
  [v4(127, 0, 0, 0), 8],
  [v4(169, 254, 0, 0), 16],
  [v4(172, 16, 0, 0), 12],
  [v4(192, 0, 0, 0), 24],
  [v4(192, 0, 2, 0), 24],
  [v4(192, 31, 196, 0), 24],
  [v4(192, 52, 193, 0), 24],
  [v4(192, 88, 99, 0), 24],
  [v4(192, 168, 0, 0), 16],
  [v4(192, 175, 48, 0), 24],
  [v4(198, 18, 0, 0), 15],
  [v4(198, 51, 100, 0), 24],
  [v4(203, 0, 113, 0), 24],
  [v4(224, 0, 0, 0), 3]
]

const isGlobal4 = (address: number): boolean =>
  special4.every(([base, bits]) => address >>> (32 - bits) !== base >>> (32 - bits))

const parse4 = (host: string): number | undefined => {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host)
  if (match === null) return undefined
  const [a, b, c, d] = match.slice(1).map(Number)
  if (a === undefined || b === undefined || c === undefined || d === undefined) return undefined
  return Math.max(a, b, c, d) > 255 ? undefined : v4(a, b, c, d)
}

const groups = (text: string): Array<number> =>
  text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16))

/** The eight 16-bit groups of an IPv6 address as a URL writes it (no zone, no dotted tail). */
const parse6 = (host: string): ReadonlyArray<number> | undefined => {
  const halves = host.split("::")
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? "")
  const tail = groups(halves[1] ?? "")
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const all = [...head, ...Array.from({ length: gap }, () => 0), ...tail]
  return all.every((group) => group >= 0 && group <= 0xffff) ? all : undefined
}

const isGlobal6 = (groups: ReadonlyArray<number>): boolean => {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = groups
  // ::ffff:0:0/96, an IPv4-mapped address: the address inside counts.
  if ((a | b | c | d | e) === 0 && f === 0xffff) return isGlobal4(((g << 16) | h) >>> 0)
  // Global unicast is 2000::/3 without the blocks below; everything else is local, mapped,
  // multicast or unassigned.
  if (a >>> 13 !== 1) return false
  if (a === 0x2001 && b < 0x0200) return false // IETF protocol assignments, Teredo, ORCHID
  if (a === 0x2001 && b === 0x0db8) return false // documentation
  if (a === 0x2002) return false // 6to4 carries any IPv4 address
  if (a === 0x3fff && b < 0x1000) return false // documentation
  return true
}

/**
 * Whether a URL's hostname is a name, a global unicast address or any other address.
 *
 * The URL parser has already converted decimal, octal and hexadecimal IPv4 to dotted form.
 */
export const addressKind = (hostname: string): "name" | "global" | "special" => {
  if (hostname.startsWith("[")) {
    const groups = parse6(hostname.slice(1, -1))
    return groups !== undefined && isGlobal6(groups) ? "global" : "special"
  }
  const address = parse4(hostname)
  return address === undefined ? "name" : isGlobal4(address) ? "global" : "special"
}

/** The network of an address, larger than a household: `203.0.113.0/24`, `2001:db8:1::/48`. */
export const networkOf = (address: string): string | undefined => {
  const plain = address.replace(/^::ffff:(?=[\d.]+$)/i, "").split("%")[0] ?? ""
  if (parse4(plain) !== undefined) return `${plain.split(".").slice(0, 3).join(".")}.0/24`
  const groups = plain.includes(":") ? parse6(plain) : undefined
  if (groups === undefined) return undefined
  const prefix = groups.slice(0, 3).map((group) => group.toString(16))
  return `${prefix.join(":")}::/48`
}
