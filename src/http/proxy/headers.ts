/**
 * What passes the proxy, either way: these headers and no other.
 *
 * The caller's credentials and cookies stay here, and no upstream sets a cookie or a policy on this origin.
 */
const upward = ["accept-language", "atproto-accept-labelers", "x-bsky-topics"]

/** What asks for less than the whole: an answer that is patched here has to come whole, each time. */
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

/** How the body is written down: only of use beside the very bytes of the upstream. */
const ofBody = ["content-encoding", "content-length"]

/** Encodings that can be taken off here, for errors and for answers that are looked into. */
const decodable: ReadonlySet<string> = new Set(["gzip", "deflate", "br"])

/** The encodings that the caller takes, of those that can be taken off here; for what is read here anyway, the cheapest. */
const encodings = (given: string | null, isRead: boolean): string => {
  const taken = (given ?? "")
    .split(",")
    .map((one) => one.trim().toLowerCase())
    .filter((one) => decodable.has(one.split(";", 1)[0]?.trim() ?? ""))
  if (taken.length === 0) return "identity"
  return isRead && taken.some((one) => one === "gzip") ? "gzip" : taken.join(", ")
}

/** What a request upward is made of besides the caller's headers. */
export interface UpwardParts {
  readonly token: string
  readonly hasBody: boolean
  /** The answer is looked into here. */
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

/** Who may keep an answer: browsers reckon how long by its date, where nothing else is said. */
const keeping = (given: Headers): string => {
  if (/\bno-store\b/i.test(given.get("cache-control") ?? "")) return "private, no-store"
  return given.has("last-modified") ? "private, no-cache" : "private"
}

/**
 * The headers of a service's answer as the caller gets them.
 *
 * It was given to one caller's credentials. And it is somebody else's content under this server's name: a browser that is led here must not run it.
 */
export const headersDown = (given: Headers, body: "same" | "changed" | "none"): Headers => {
  const headers = new Headers({
    "cache-control": keeping(given),
    vary: "Authorization",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff"
  })
  for (const name of body === "same" ? [...downward, ...ofBody] : downward) {
    const value = given.get(name)
    if (value !== null) headers.set(name, value)
  }
  if (body === "none") headers.delete("content-type")
  return headers
}
