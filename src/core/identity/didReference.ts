import { isSupportedDid } from "./did.ts"

/**
 * The one function that `@atproto/oauth-scopes` takes from `@atproto/did`, whose other half is a validation library.
 *
 * The bundle of the Worker has this module in place of that package (`alias` in wrangler.toml and scripts/build.mjs): 16 KiB
 * less to load. A DID of a method of this network, `#`, and a fragment (RFC 3986).
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
