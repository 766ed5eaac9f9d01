/** The names of this server. */
export interface OwnNames {
  /** Host and port of its origin, as in a URL. */
  readonly host: string
  /** The domains of its handles, without a leading dot. */
  readonly handleDomains: ReadonlyArray<string>
}

const isAtOrBelow = (name: string, domain: string): boolean =>
  name === domain || name.endsWith(`.${domain}`)

/**
 * Whether a host (with its port, if any) is this server: its origin's host, a handle domain, or a
 * name below them.
 */
export const isOwnHost = (asked: string, { host, handleDomains }: OwnNames): boolean => {
  const whole = asked.toLowerCase().replace(/\.(?=:|$)/, "")
  // Servers on one machine share names, and only the port distinguishes them.
  if (whole === host) return true
  const name = whole.replace(/:\d+$/, "")
  return [host, ...handleDomains].some((domain) => isAtOrBelow(name, domain))
}
