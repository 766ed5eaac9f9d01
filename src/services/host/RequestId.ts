import * as Context from "effect/Context"

/** The header with a request's id, for its client, and from the Worker to an account's object. */
export const requestIdHeader = "x-request-id"

/** The header with Cloudflare's own name for a request. */
export const rayHeader = "cf-ray"

/** Cloudflare's name for a request, if it came through Cloudflare. */
export const rayOf = (headers: Headers): string | undefined => {
  const ray = headers.get(rayHeader) ?? ""
  return /^[0-9a-f]{16}(-[A-Z]{3})?$/.test(ray) ? ray : undefined
}

/** The id of a request that the Worker forwards to an account's object. */
export const namedIdOf = ({ headers }: Request): string | undefined =>
  rayOf(headers) ?? headers.get(requestIdHeader) ?? undefined

/**
 * The id of the current request; undefined for work that no request started.
 *
 * Every log line has it.
 */
export const RequestId = Context.Reference<string | undefined>("nacre/services/RequestId", {
  defaultValue: () => undefined
})
