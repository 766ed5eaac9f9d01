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

/** How long tokens and sessions live, each in its unit, and the hours that the stream keeps events: least, most, default. */
export const spans = {
  ACCESS_TOKEN_MINUTES: { least: 5, most: 1440, usual: 120 },
  SESSION_DAYS: { least: 1, most: 365, usual: 90 },
  OAUTH_ACCESS_TOKEN_MINUTES: { least: 1, most: 30, usual: 15 },
  OAUTH_PUBLIC_SESSION_DAYS: { least: 1, most: 14, usual: 14 },
  OAUTH_CONFIDENTIAL_SESSION_DAYS: { least: 1, most: 180, usual: 180 },
  STREAM_RETENTION_HOURS: { least: 24, most: 720, usual: 72 }
} as const

export type Span = keyof typeof spans

/** A service of the network that requests are forwarded to. */
export interface ServiceAddress {
  readonly did: string
  /** The fragment of its entry in the DID document: `bsky_appview`. */
  readonly service: string
  /** Its origin; undefined where the DID document tells it. */
  readonly url: string | undefined
}
