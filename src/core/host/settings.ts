/** The location of Durable Objects: a legal jurisdiction, or a hint of a nearby region. */
export type DataLocation =
  | { readonly jurisdiction: (typeof jurisdictions)[number] }
  | { readonly hint: (typeof locationHints)[number] }

/** The jurisdictions that Cloudflare guarantees. */
export const jurisdictions = ["eu", "fedramp"] as const

/** Whether a data location is a jurisdiction rather than a hint. */
export const isJurisdiction = (
  location: string | undefined
): location is (typeof jurisdictions)[number] => jurisdictions.some((one) => one === location)

/** The regions that Cloudflare accepts as a hint. */
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

/** Which rate limits reject requests. */
export const rateLimitModes = ["on", "sensitive", "off"] as const

export type RateLimitMode = (typeof rateLimitModes)[number]

/** The log levels, most verbose first. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "none"] as const

export type LogLevel = (typeof logLevels)[number]

/** Which deletions are held back for three days. */
export const deletionDelays = ["off", "pages", "always"] as const

export type DeletionDelay = (typeof deletionDelays)[number]

/** The ways to send mail. */
export const mailers = ["none", "captured", "http", "cloudflare", "worker"] as const

/**
 * The limits and defaults of lifetimes, each in its unit, and of the stream's retention in hours.
 */
export const spans = {
  ACCESS_TOKEN_MINUTES: { least: 5, most: 1440, usual: 120 },
  SESSION_DAYS: { least: 1, most: 365, usual: 90 },
  OAUTH_ACCESS_TOKEN_MINUTES: { least: 1, most: 30, usual: 15 },
  OAUTH_PUBLIC_SESSION_DAYS: { least: 1, most: 14, usual: 14 },
  OAUTH_CONFIDENTIAL_SESSION_DAYS: { least: 1, most: 180, usual: 180 },
  STREAM_RETENTION_HOURS: { least: 24, most: 720, usual: 72 }
} as const

export type Span = keyof typeof spans

/** A network service that requests are proxied to. */
export interface ServiceAddress {
  readonly did: string
  /** The fragment of its entry in the DID document: `bsky_appview`. */
  readonly service: string
  /** Its origin; undefined to use the DID document's. */
  readonly url: string | undefined
}
