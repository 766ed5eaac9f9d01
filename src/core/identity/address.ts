import { addressKind } from "./ipAddress.ts"
import { specialDomains } from "./specialDomains.ts"

/** A URL that may be fetched, parsed, or why it may not. */
export type FetchUrl =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly reason: string }

const refuse = (reason: string): FetchUrl => ({ ok: false, reason })

const allowed = (url: URL, allowHosts: ReadonlyArray<string>): boolean =>
  allowHosts.includes(url.host) || allowHosts.includes(url.hostname)

/**
 * Checks a URL from an untrusted source before it is fetched.
 *
 * Accepts public addresses: https on the default port, no credentials, and either a name of two or
 * more labels outside of the special-use domains, or a global unicast address. `allowHosts` lists
 * `host:port`, or `host` for all its ports (loopback services in development and tests), which are
 * exempt and may use http.
 */
export const checkFetchUrl = (
  input: string | URL,
  allowHosts: ReadonlyArray<string> = []
): FetchUrl => {
  const text = typeof input === "string" ? input : input.href
  if (text.length > 4096) return refuse("the URL is too long")
  // The URL parser drops these silently; no legitimate URL contains them.
  if (/[\t\r\n\\]/.test(text)) return refuse("not a URL")
  const url = URL.parse(text)
  if (url === null) return refuse("not a URL")
  if (url.protocol !== "https:" && url.protocol !== "http:") return refuse("not an https URL")
  if (url.username !== "" || url.password !== "") return refuse("the URL holds credentials")
  if (allowed(url, allowHosts)) return { ok: true, url }
  if (url.protocol !== "https:") return refuse("not an https URL")
  if (url.port !== "") return refuse("the URL names a port")
  const { hostname } = url
  switch (addressKind(hostname)) {
    case "global":
      return { ok: true, url }
    case "special":
      return refuse("the address is not public")
    case "name":
      return isPublicName(hostname) ? { ok: true, url } : refuse("the name is not public")
  }
}

const isPublicName = (hostname: string): boolean => {
  const labels = hostname.split(".")
  const top = labels.at(-1) ?? ""
  return (
    labels.length >= 2 &&
    hostname.length <= 253 &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
    !/^\d/.test(top) &&
    top !== "test" &&
    !specialDomains.has(top)
  )
}

/**
 * The origin of a host: http for a host in `allowHosts` (with its listed port, if any), else https.
 */
export const originOf = (host: string, allowHosts: ReadonlyArray<string> = []): string => {
  const named = allowHosts.find((entry) => entry === host || entry.startsWith(`${host}:`))
  return named === undefined ? `https://${host}` : `http://${named}`
}
