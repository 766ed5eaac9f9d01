import * as Result from "effect/Result"
import type { Client } from "./types.ts"
import { checkWebUrl, isCanonical } from "./webUrl.ts"

/** The client of a redirect URI. */
export interface RedirectOwner {
  /** The client id's URL; undefined for a loopback client, which has no host. */
  readonly clientUrl: URL | undefined
  readonly applicationType: "web" | "native"
  /** Development hosts (`host[:port]`) that are exempt from the rules for public addresses. */
  readonly allowHosts?: ReadonlyArray<string>
}

// Encoded dots, slashes and backslashes: the last decoder decides where the browser goes.
const disguised = /%(2e|2f|5c)/i

const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::([1-9]\d{0,4}))?(\/[^?#]*)?(\?[^#]+)?$/

interface LoopbackUri {
  readonly host: string
  readonly rest: string
}

/** A loopback redirect URI without its port; undefined if the text isn't exactly one. */
const parseLoopback = (uri: string): LoopbackUri | undefined => {
  const match = loopback.exec(uri)
  if (match === null) return undefined
  const [, host = "", port, path = "/", query = ""] = match
  const url = URL.parse(uri)
  if (url === null || Number(port ?? 80) > 65_535) return undefined
  const isPlain = url.pathname === path && url.search === query && !disguised.test(path)
  return isPlain ? { host, rest: path + query } : undefined
}

const checkHttp = (uri: string, owner: RedirectOwner): string | undefined => {
  if (/^http:\/\/localhost([:/?]|$)/.test(uri)) {
    return "the host is localhost: write 127.0.0.1 or [::1] (RFC 8252, section 8.3)"
  }
  if (parseLoopback(uri) === undefined) {
    return "with http it must be http://127.0.0.1 or http://[::1], a path and no fragment"
  }
  return owner.applicationType === "native" ? undefined : "loopback is for native applications"
}

const checkHttps = (uri: string, { clientUrl, applicationType, allowHosts }: RedirectOwner) => {
  const checked = checkWebUrl(uri, allowHosts)
  if (Result.isFailure(checked)) return checked.failure
  const url = checked.success
  if (uri.includes("#")) return "it has a fragment"
  if (!isCanonical(uri, url)) return `it is not in canonical form: ${url.href}`
  if (disguised.test(url.pathname)) return "its path hides a dot or a slash"
  if (applicationType === "native" && url.origin !== clientUrl?.origin) {
    return "a native application's https address must have the origin of its client_id"
  }
  return undefined
}

const checkCustom = (uri: string, { clientUrl, applicationType }: RedirectOwner) => {
  if (applicationType !== "native") return "a scheme of its own is for native applications"
  const scheme = clientUrl?.hostname.split(".").toReversed().join(".")
  if (scheme === undefined || !uri.startsWith(`${scheme}:`)) {
    return `its scheme must be the client_id's host in reverse order${scheme === undefined ? "" : ` (${scheme}:)`}`
  }
  const path = uri.slice(scheme.length + 1)
  if (!path.startsWith("/") || path.startsWith("//")) {
    return "after the scheme there must be exactly one slash (RFC 8252, section 7.1)"
  }
  const isPlain =
    /^[\w.~!$&'()*+,;=:@%/?-]+$/.test(path) &&
    !disguised.test(path.split("?", 1)[0] ?? "") &&
    URL.parse(uri)?.href === uri
  return isPlain ? undefined : "its path is not in canonical form, or has a fragment"
}

/**
 * Why a client may not register a redirect URI; undefined if it may.
 *
 * Web apps: https. Native apps: the client id's reversed host as the scheme, https on the client
 * id's origin, or a loopback address.
 */
export const redirectFault = (uri: string, owner: RedirectOwner): string | undefined => {
  if (uri.length > 2048) return "it is too long"
  if (uri.startsWith("https://")) {
    return owner.clientUrl === undefined
      ? "a loopback client's redirect URIs begin with http://127.0.0.1 or http://[::1]"
      : checkHttps(uri, owner)
  }
  if (uri.startsWith("http://")) {
    const { allowHosts = [] } = owner
    const isDevelopment =
      owner.clientUrl !== undefined && Result.isSuccess(checkWebUrl(uri, allowHosts))
    return isDevelopment && owner.applicationType === "web"
      ? checkHttps(uri, owner)
      : checkHttp(uri, owner)
  }
  if (/^[a-z0-9-]+(\.[a-z0-9-]+)+:/.test(uri)) return checkCustom(uri, owner)
  return "its scheme is neither https nor the reversed host of the client_id"
}

/**
 * Whether a request's redirect URI is registered, as the same text.
 *
 * A native app's loopback redirect may use any port (RFC 8252, section 7.3).
 */
export const matchesRedirect = (
  client: Pick<Client, "applicationType" | "redirectUris">,
  uri: string
): boolean => {
  if (client.redirectUris.includes(uri)) return true
  if (client.applicationType !== "native") return false
  const asked = parseLoopback(uri)
  if (asked === undefined) return false
  return client.redirectUris.some((registered) => {
    const known = parseLoopback(registered)
    return known?.host === asked.host && known.rest === asked.rest
  })
}
