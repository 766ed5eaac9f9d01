/** Where Durable Objects keep their data: a legal jurisdiction, or a hint of a place near by. */
export type DataLocation =
  | { readonly jurisdiction: (typeof jurisdictions)[number] }
  | { readonly hint: (typeof locationHints)[number] }

/** The jurisdictions that Cloudflare guarantees. */
export const jurisdictions = ["eu", "fedramp"] as const

/** Returns whether a data location is a jurisdiction, and not a hint. */
export const isJurisdiction = (
  location: string | undefined
): location is (typeof jurisdictions)[number] => jurisdictions.some((one) => one === location)

/** The places that Cloudflare takes as a hint. */
export const locationHints = [
  "wnam",
  "enam",
  "sam",
  "weur",
  "eeur",
  "apac",
  "oc",
  "afr",
  "me"
] as const

/** How many of the rate limits refuse anyone. */
export const rateLimitModes = ["on", "sensitive", "off"] as const

export type RateLimitMode = (typeof rateLimitModes)[number]

/** The levels of the log, from the loudest. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const

export type LogLevel = (typeof logLevels)[number]

/** The ways in which mail leaves. */
export const mailers = ["none", "captured", "http", "cloudflare", "worker"] as const

/** A service of the network that requests are forwarded to. */
export interface ServiceAddress {
  readonly did: string
  /** The fragment of its entry in the DID document: `bsky_appview`. */
  readonly service: string
  /** Its origin; undefined where the DID document tells it. */
  readonly url: string | undefined
}
