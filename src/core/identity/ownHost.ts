/** The names that lead to this server. */
export interface OwnNames {
  /** Host and port of its origin as a URL has them. */
  readonly host: string
  /** The domains of its handles, without a leading dot. */
  readonly handleDomains: ReadonlyArray<string>
}

const isAtOrBelow = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`)

/** True for a host (with its port, where it has one) that leads to this server: its origin's, its handle domains, and every name below them. */
export const isOwnHost = (asked: string, { host, handleDomains }: OwnNames): boolean => {
  const whole = asked.toLowerCase().replace(/\.(?=:|$)/, "")
  // On this machine a name is shared, and the port tells one server from another.
  if (whole === host) return true
  const name = whole.replace(/:\d+$/, "")
  return [host, ...handleDomains].some((domain) => isAtOrBelow(name, domain))
}
