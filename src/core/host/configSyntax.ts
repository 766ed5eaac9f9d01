import * as Schema from "effect/Schema"
import * as Transformation from "effect/SchemaTransformation"
import { isSupportedDid, parseDidReference } from "../identity/did.ts"
import { parseHeaders } from "../operators/otlp.ts"
import { rateLimitModes, type ServiceAddress } from "./settings.ts"

/** Whether a hostname means this machine. */
export const isLocalName = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]"

/** A URL without trailing slashes. */
export const trimSlash = (url: string): string => url.replace(/\/+$/, "")

export const parse = (text: string): URL | undefined =>
  URL.canParse(text) ? new URL(text) : undefined

export const isHttp = (url: URL) =>
  (url.protocol === "https:" || url.protocol === "http:") &&
  url.username === "" &&
  url.password === ""

const isBareOrigin = (text: string, plainHttp: (url: URL) => boolean): boolean => {
  const url = parse(text)
  return (
    url !== undefined &&
    isHttp(url) &&
    url.pathname === "/" &&
    url.search === "" &&
    url.hash === "" &&
    (url.protocol === "https:" || plainHttp(url))
  )
}

/** Text that passes a test, in a normalized form. */
export const text = (
  test: (text: string) => boolean,
  normalize: (text: string) => string = (same) => same
) =>
  Schema.String.check(Schema.makeFilter(test)).pipe(
    Schema.decodeTo(
      Schema.String,
      Transformation.transform({ decode: normalize, encode: (same) => same })
    )
  )

const toOrigin = (url: string) => new URL(url).origin

/** The server's own origin; http for this machine only. */
export const Origin = text(
  (value) => isBareOrigin(value, (url) => isLocalName(url.hostname)),
  toOrigin
)

/** A relay's origin, http only on this machine; `none` means no relay. */
export const RelayOrigin = text(
  (value) => value === "none" || isBareOrigin(value, (url) => isLocalName(url.hostname)),
  (value) => (value === "none" ? value : toOrigin(value))
)

/** An origin that browsers may call from, or `*`. */
export const CorsOrigin = text(
  (value) => value === "*" || isBareOrigin(value, () => true),
  (value) => (value === "*" ? value : toOrigin(value))
)

/** An http or https URL without credentials. */
export const HttpUrl = text((value) => {
  const url = parse(value)
  return url !== undefined && isHttp(url)
})

const domain = /^\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i

/** A domain for handles; the leading dot is optional and dropped. */
export const Domain = text(
  (value) => value.length <= 240 && domain.test(value),
  (value) => value.replace(/^\./, "").toLowerCase()
)

/** `host` or `host:port`. */
export const HostPort = text(
  (value) => /^([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(value),
  (value) => value.toLowerCase()
)

/** A DID that can name a server. */
export const ServiceDid = text(isSupportedDid)

/**
 * A service, optionally with its origin to avoid looking up its DID document:
 * `did:web:api.example.com#bsky_appview https://api.example.com`.
 */
export const serviceAddress = (value: string): ServiceAddress | undefined => {
  const [reference = "", url, more] = value.split(/\s+/)
  const parsed = parseDidReference(reference)
  if (parsed?.fragment === undefined || !isSupportedDid(parsed.did) || more !== undefined) {
    return undefined
  }
  if (url !== undefined && !isBareOrigin(url, () => true)) return undefined
  const { did, fragment: service } = parsed
  return { did, service, url: url === undefined ? undefined : toOrigin(url) }
}

/** A service that requests are proxied to; `none` means none. */
export const ServiceReference = text(
  (value) => value === "none" || serviceAddress(value) !== undefined
)

/** An email address, roughly. */
export const Email = text((value) => /^[^\s@]+@[^\s@]+$/.test(value))

/** The sender of mails: an address, optionally with a name. */
export const Sender = text((value) =>
  /^([^<>\s@]+@[^<>\s@]+|[^<>@\r\n]+ <[^<>\s@]+@[^<>\s@]+>)$/.test(value)
)

/** A name that fits on a line. */
export const ShortText = text((value) => value.length <= 64)

const hexColor = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i

/** `#abc` and `#AABBCC` as `#aabbcc`. */
const longHex = (value: string): string =>
  (value.length === 4 ? value.replace(/[^#]/g, "$&$&") : value).toLowerCase()

/** A colour in hexadecimal. */
export const HexColor = text((value) => hexColor.test(value), longHex)

const isPictureUrl = (value: string): boolean => {
  const url = parse(value)
  return (
    url !== undefined && isHttp(url) && (url.protocol === "https:" || isLocalName(url.hostname))
  )
}

/** A URL that is safe between the quotes of a stylesheet. */
const quotable = (value: string): string =>
  new URL(value).href.replace(
    /["\\<\s]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`
  )

/** A picture on the web. */
export const PictureUrl = text(isPictureUrl, quotable)

/** A colour, or a picture on the web. */
export const ColorOrPicture = text(
  (value) => hexColor.test(value) || isPictureUrl(value),
  (value) => (value.startsWith("#") ? longHex(value) : quotable(value))
)

/** A label and its URL: `Help=https://example.com/help`. */
export const labelledUrl = (value: string): { readonly label: string; readonly url: string } => {
  const at = Math.max(0, value.indexOf("="))
  return { label: value.slice(0, at).trim(), url: value.slice(at + 1).trim() }
}

/** A link in the pages' footer. */
export const LabelledUrl = text((value) => {
  const { label, url } = labelledUrl(value)
  const to = parse(url)
  return label !== "" && to !== undefined && isHttp(to)
})

/** A MIME type or a glob of them. */
export const MimeGlob = text(
  (value) => /^(\*\/\*|[a-z0-9][a-z0-9.+-]*\/(\*|[a-z0-9][a-z0-9.+-]*))$/i.test(value),
  (value) => value.toLowerCase()
)

/** 32 bytes in base64url, with optional padding. */
export const MasterKey = Schema.Uint8ArrayFromBase64Url.check(
  Schema.makeFilter((bytes: Uint8Array) => bytes.byteLength === 32)
)

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** A K-256 private key in hexadecimal: not zero and below the curve's order. */
export const K256PrivateKey = Schema.String.check(
  Schema.makeFilter(
    (hex: string) =>
      /^[0-9a-f]{64}$/i.test(hex) && BigInt(`0x${hex}`) > 0n && BigInt(`0x${hex}`) < order
  )
).pipe(Schema.decodeTo(Schema.Uint8ArrayFromHex))

/** The administrator's password. */
export const AdminPassword = text((value) => value.length >= 16)

/** The key that bypasses the rate limits. */
export const BypassKey = text((value) => value.length >= 16)

/** A number of bytes. */
export const Bytes = Schema.FiniteFromString.check(
  Schema.makeFilter((bytes: number) => Number.isSafeInteger(bytes) && bytes >= 0)
)

/** A whole number within limits. */
export const wholeBetween = (least: number, most: number) =>
  Schema.FiniteFromString.check(
    Schema.makeFilter(
      (value: number) => Number.isSafeInteger(value) && value >= least && value <= most
    )
  )

/** A part of a whole. */
export const Ratio = Schema.FiniteFromString.check(
  Schema.makeFilter((value: number) => value >= 0 && value <= 1)
)

/** The headers of requests to a collector of traces. */
export const CollectorHeaders = text((value) => parseHeaders(value) !== undefined)

/** A span in hours. */
export const Hours = Schema.FiniteFromString.check(Schema.makeFilter((hours: number) => hours >= 1))

const flags: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  "1": true,
  off: false,
  false: false,
  "0": false
}

/** A switch. */
export const Flag = Schema.String.check(
  Schema.makeFilter((value: string) => Object.hasOwn(flags, value.toLowerCase()))
).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    Transformation.transform({
      decode: (value) => flags[value.toLowerCase()] === true,
      encode: (on) => (on ? "on" : "off")
    })
  )
)

const modes: Readonly<Record<string, (typeof rateLimitModes)[number]>> = {
  on: "on",
  true: "on",
  "1": "on",
  sensitive: "sensitive",
  off: "off",
  false: "off",
  "0": "off"
}

/** Which rate limits apply. */
export const RateLimitMode = Schema.String.check(
  Schema.makeFilter((value: string) => Object.hasOwn(modes, value.toLowerCase()))
).pipe(
  Schema.decodeTo(
    Schema.Literals(rateLimitModes),
    Transformation.transform({
      decode: (value) => modes[value.toLowerCase()] ?? "on",
      encode: (mode): string => mode
    })
  )
)

const splitList = Schema.String.pipe(
  Schema.decodeTo(
    Schema.Array(Schema.String),
    Transformation.transform({
      decode: (value): ReadonlyArray<string> =>
        value
          .split(",")
          .map((part) => part.trim())
          .filter((part) => part !== ""),
      encode: (parts) => parts.join(",")
    })
  )
)

/** A comma-separated list. */
export const listOf = <S extends Schema.Codec<string, string>>(item: S) =>
  splitList.pipe(Schema.decodeTo(Schema.Array(item)))
