import { isSupportedDid } from "./did.ts"

/**
 * Replaces `@atproto/did` in the Worker's bundle (`alias` in wrangler.toml and scripts/build.ts),
 * which saves 16 KiB: `@atproto/oauth-scopes` uses only this function.
 *
 * Whether a value is a DID of a supported method, `#`, and a fragment (RFC 3986).
 */
export const isAtprotoDidRefAbsolute = (value: unknown): boolean => {
  if (typeof value !== "string") return false
  const [did = "", fragment, ...more] = value.split("#")
  return (
    fragment !== undefined &&
    more.length === 0 &&
    /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})+$/.test(fragment) &&
    isSupportedDid(did)
  )
}
