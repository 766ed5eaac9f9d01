import * as Result from "effect/Result"
import { addressKind } from "../identity/ipAddress.ts"
import { checkFetchUrl } from "../identity/address.ts"
import { redirectFault } from "./redirectUri.ts"
import { scopeValues } from "./scopeSyntax.ts"
import type { Client } from "./types.ts"

/** A client id: the URL of its metadata, or a loopback client for development. */
export type ClientId =
  | { readonly kind: "discoverable"; readonly url: URL }
  | { readonly kind: "loopback"; readonly client: Client }

/** A client id, or why it is invalid. */
type Parsed = Result.Result<ClientId, string>

const maxLength = 4096

/**
 * Parses a client id: an https URL with a path, or `http://localhost` with only the parameters
 * `redirect_uri` and `scope`.
 *
 * The URL must be in canonical form because the text identifies the client. `allowHosts` lists
 * development hosts that may use http, a port or an address.
 */
export const parseClientId = (text: string, allowHosts: ReadonlyArray<string> = []): Parsed => {
  if (text.length > maxLength) return Result.fail("the client_id is too long")
  const loopback = /^http:\/\/localhost(?:\/?$|\/?\?(.*)$)/s.exec(text)
  if (loopback !== null) return parseLoopback(text, loopback[1] ?? "")
  if (text.startsWith("http://localhost") && Result.isFailure(checkFetchUrl(text, allowHosts))) {
    return Result.fail(
      "a loopback client_id is http://localhost, without port and path, and has its redirect_uri as a parameter"
    )
  }
  return parseDiscoverable(text, allowHosts)
}

const parseDiscoverable = (text: string, allowHosts: ReadonlyArray<string>): Parsed => {
  const checked = checkFetchUrl(text, allowHosts)
  if (Result.isFailure(checked)) {
    return Result.fail(`the client_id must be a public https URL: ${checked.failure}`)
  }
  const url = checked.success
  const isExempt = allowHosts.includes(url.host) || allowHosts.includes(url.hostname)
  if (addressKind(url.hostname) !== "name" && !isExempt) {
    return Result.fail("the client_id's host must be a name, not an address")
  }
  if (text.includes("#")) return Result.fail("the client_id has a fragment")
  if (url.pathname === "/") return Result.fail("the client_id has no path (/client-metadata.json)")
  if (url.pathname.endsWith("/")) return Result.fail("the client_id's path ends with a slash")
  if (url.href !== text) return Result.fail(`the client_id is not in canonical form: ${url.href}`)
  return Result.succeed({ kind: "discoverable", url })
}

const parseLoopback = (id: string, query: string): Parsed => {
  if (query.includes("#")) return Result.fail("the client_id has a fragment")
  const redirectUris: Array<string> = []
  let scope: string | undefined
  for (const [name, value] of new URLSearchParams(query)) {
    if (name === "redirect_uri") {
      const fault = redirectFault(value, { clientUrl: undefined, applicationType: "native" })
      if (fault !== undefined)
        return Result.fail(`a redirect_uri in the client_id is refused: ${fault}`)
      redirectUris.push(value)
    } else if (name === "scope") {
      if (scope !== undefined) return Result.fail("the client_id has scope twice")
      if (scopeValues(value)?.includes("atproto") !== true) {
        return Result.fail(
          "the client_id's scope must be words with one space between, atproto among them"
        )
      }
      scope = value
    } else {
      return Result.fail("a loopback client_id takes the parameters redirect_uri and scope only")
    }
  }
  const client: Client = {
    id,
    kind: "loopback",
    applicationType: "native",
    redirectUris: redirectUris.length > 0 ? redirectUris : ["http://127.0.0.1/", "http://[::1]/"],
    scope: scope ?? "atproto",
    grantTypes: ["authorization_code", "refresh_token"],
    authMethod: "none"
  }
  return Result.succeed({ kind: "loopback", client })
}
