import type { Settings } from "../services/host/Config.ts"

/** Response headers that scripts of other origins may read. */
const exposed = [
  "DPoP-Nonce",
  "WWW-Authenticate",
  "RateLimit-Limit",
  "RateLimit-Remaining",
  "RateLimit-Reset",
  "RateLimit-Policy",
  "Retry-After",
  "atproto-repo-rev",
  "atproto-content-labelers",
  "Atproto-Upstream-Lag",
  "X-Request-Id",
  "Content-Length",
  "Content-Range",
  "Accept-Ranges",
  "ETag"
].join(", ")

const allowedHeaders = [
  "Authorization",
  "Content-Type",
  "Content-Encoding",
  "Accept-Language",
  "DPoP",
  "Range",
  "atproto-accept-labelers",
  "atproto-proxy",
  "x-bsky-topics"
].join(", ")

/** The origin that may read the response; undefined if it may not. */
const allowedOrigin = (request: Request, { corsOrigins }: Settings): string | undefined => {
  if (corsOrigins === "*") return "*"
  const origin = request.headers.get("origin")
  return origin !== null && corsOrigins.includes(origin) ? origin : undefined
}

/** The CORS headers for the configured origins; credentials are never allowed. */
export const corsHeaders = (request: Request, config: Settings): Record<string, string> => {
  const origin = allowedOrigin(request, config)
  const vary = config.corsOrigins === "*" ? {} : { vary: "Origin" }
  return origin === undefined
    ? vary
    : { ...vary, "access-control-allow-origin": origin, "access-control-expose-headers": exposed }
}

const isPage = ({ headers }: Response): boolean =>
  headers.get("content-type")?.toLowerCase().startsWith("text/html") === true &&
  // An HTML blob is a file for download, which is public like every blob.
  headers.get("content-disposition")?.toLowerCase().startsWith("attachment") !== true

/**
 * Whether scripts of other origins may read a response: false for pages, their redirects, and
 * responses that set a cookie.
 */
export const isForScripts = (response: Response): boolean =>
  !isPage(response) &&
  !response.headers.has("set-cookie") &&
  response.headers.get("cross-origin-resource-policy") !== "same-origin"

/** Whether a request is a browser's CORS preflight. */
export const isPreflight = (request: Request): boolean =>
  request.method === "OPTIONS" && request.headers.has("access-control-request-method")

/** Answers a CORS preflight; browsers cache it for a day. */
export const preflight = (request: Request, config: Settings): Response => {
  const headers = corsHeaders(request, config)
  const asked = request.headers.get("access-control-request-headers")
  if ("access-control-allow-origin" in headers) {
    headers["access-control-allow-methods"] = "GET, HEAD, POST, OPTIONS"
    headers["access-control-allow-headers"] =
      asked !== null && asked.length <= 1000 ? asked : allowedHeaders
    headers["access-control-max-age"] = "86400"
  }
  return new Response(null, { status: 204, headers })
}
