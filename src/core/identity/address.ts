import * as Result from "effect/Result"
import { addressKind } from "./ipAddress.ts"
import { specialDomains } from "./specialDomains.ts"

const allowed = (url: URL, allowHosts: ReadonlyArray<string>): boolean =>
  allowHosts.includes(url.host) || allowHosts.includes(url.hostname)

/**
 * Checks a URL from an untrusted source before it is fetched.
 *
 * Accepts public addresses: https on the default port, no credentials, and either a name of two or
 * more labels outside of the special-use domains, or a global unicast address. `allowHosts` lists
 * `host:port`, or `host` for all its ports (loopback services in development and tests), which are
 * exempt and may use http. Fails with the reason.
 */
export const checkFetchUrl = (
  input: string | URL,
  allowHosts: ReadonlyArray<string> = []
): Result.Result<URL, string> => {
  const text = typeof input === "string" ? input : input.href
  if (text.length > 4096) return Result.fail("the URL is too long")
  // The URL parser drops these silently; no legitimate URL contains them.
  if (/[\t\r\n\\]/.test(text)) return Result.fail("not a URL")
  const url = URL.parse(text)
  if (url === null) return Result.fail("not a URL")
  if (url.protocol !== "https:" && url.protocol !== "http:") return Result.fail("not an https URL")
  if (url.username !== "" || url.password !== "") return Result.fail("the URL holds credentials")
  if (allowed(url, allowHosts)) return Result.succeed(url)
  if (url.protocol !== "https:") return Result.fail("not an https URL")
  if (url.port !== "") return Result.fail("the URL names a port")
  const { hostname } = url
  switch (addressKind(hostname)) {
    case "global":
      return Result.succeed(url)
    case "special":
      return Result.fail("the address is not public")
    case "name":
      return isPublicName(hostname) ? Result.succeed(url) : Result.fail("the name is not public")
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
