/**
 * The only headers that pass the proxy in either direction.
 *
 * The caller's credentials and cookies stay here, and no upstream sets a cookie or a policy on this
 * origin.
 */
const upward = ["accept-language", "atproto-accept-labelers", "x-bsky-topics"]

/** Headers that request less than the whole, which a response to be patched must be. */
const upwardWhereUnread = ["range", "if-range", "if-none-match", "if-modified-since"]

const upwardWithBody = ["content-type", "content-encoding", "content-language"]

const downward = [
  "content-type",
  "content-language",
  "content-range",
  "accept-ranges",
  "etag",
  "last-modified",
  "atproto-repo-rev",
  "atproto-content-labelers",
  "retry-after"
]

/** The same with those about the body's encoding: only valid with the upstream's original bytes. */
const downwardWithBody = [...downward, "content-encoding", "content-length"]

/** Encodings that can be decoded here, for errors and for responses to be parsed. */
const decodable: ReadonlySet<string> = new Set(["gzip", "deflate", "br"])

/**
 * The encodings that the caller accepts and this server can decode; for responses parsed here, the
 * cheapest.
 */
const encodings = (given: string | null, isRead: boolean): string => {
  const taken = (given ?? "")
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => decodable.has(one.split(";", 1)[0]?.trim() ?? ""))
  if (taken.length === 0) return "identity"
  return isRead && taken.some((one) => one === "gzip") ? "gzip" : taken.join(", ")
}

/** The parts of a forwarded request besides the caller's headers. */
export interface UpwardParts {
  readonly token: string
  readonly hasBody: boolean
  /** True if the response will be parsed here. */
  readonly isRead: boolean
}

/** The headers of a request as a service gets them. */
export const headersUp = (
  given: Headers,
  { token, hasBody, isRead }: UpwardParts
): Record<string, string> => {
  const headers: Record<string, string> = {}
  const names = [
    ...upward,
    ...(hasBody ? upwardWithBody : []),
    ...(isRead ? [] : upwardWhereUnread)
  ]
  for (const name of names) {
    const value = given.get(name)
    if (value !== null) headers[name] = value
  }
  for (const [name, value] of given) {
    if (name.startsWith("x-atproto-")) headers[name] = value
  }
  headers["authorization"] = `Bearer ${token}`
  headers["accept-encoding"] = encodings(given.get("accept-encoding"), isRead)
  return headers
}

/** Who may cache a response: without a directive, browsers infer a lifetime from its date. */
const keeping = (given: Headers): string => {
  if (/\bno-store\b/i.test(given.get("cache-control") ?? "")) return "private, no-store"
  return given.has("last-modified") ? "private, no-cache" : "private"
}

/**
 * The headers of a service's response as the caller gets them.
 *
 * The response depends on one caller's credentials. And it is foreign content on this server's
 * origin: a browser that opens it must not run it.
 */
export const headersDown = (
  given: Headers,
  body: "same" | "changed" | "none"
): Record<string, string> => {
  const headers: Record<string, string> = {
    "cache-control": keeping(given),
    vary: "Authorization",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff"
  }
  for (const name of body === "same" ? downwardWithBody : downward) {
    const value = given.get(name)
    if (value !== null) headers[name] = value
  }
  if (body === "none") delete headers["content-type"]
  return headers
}
