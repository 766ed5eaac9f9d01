import { isDid } from "../lexicon/syntax.ts"

/** The DID methods that AT Protocol supports. */
export type DidMethod = "plc" | "web"

const plc = /^did:plc:[a-z2-7]{24}$/
const webHost = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/
const localhost = /^localhost%3[aA]([1-9]\d{0,4})$/

/** The host (and port, for localhost only) of a host-level did:web; undefined for any other DID. */
export const didWebHost = (did: string): string | undefined => {
  if (!did.startsWith("did:web:")) return undefined
  const host = did.slice("did:web:".length)
  if (host === "localhost") return host
  const local = localhost.exec(host)
  if (local !== null) return Number(local[1]) <= 65_535 ? `localhost:${local[1]}` : undefined
  return host.length <= 253 && webHost.test(host) && !/\.\d[^.]*$/.test(host) ? host : undefined
}

/** The method of a DID; undefined if it is malformed or of an unsupported method. */
export const didMethod = (did: string): DidMethod | undefined =>
  plc.test(did) ? "plc" : didWebHost(did) !== undefined ? "web" : undefined

/** Whether a DID is well-formed and of a supported method. */
export const isSupportedDid = (did: string): boolean => didMethod(did) !== undefined

/** The content of a `/.well-known/atproto-did` file: its first line, trimmed. */
export const firstLine = (file: string): string =>
  file
    .trim()
    .split(/[\r\n]/, 1)[0]!
    .trim()

/** The did:web of a host; encodes a port as the DID syntax requires. */
export const didWebOf = (host: string): string => `did:web:${host.replace(":", "%3A")}`

/**
 * The URL of a did:web's document: https, or http for localhost.
 *
 * Spec: AT Protocol's did:web names a whole host; paths are not supported.
 */
export const didWebUrl = (did: string): string | undefined => {
  const host = didWebHost(did)
  if (host === undefined) return undefined
  const scheme = host.split(":")[0] === "localhost" ? "http" : "https"
  return `${scheme}://${host}/.well-known/did.json`
}

/** Parses a DID with an optional service reference: `did:web:host#bsky_appview`. */
export const parseDidReference = (
  text: string
): { readonly did: string; readonly fragment?: string } | undefined => {
  const hash = text.indexOf("#")
  const did = hash < 0 ? text : text.slice(0, hash)
  if (!isDid(did)) return undefined
  if (hash < 0) return { did }
  const fragment = text.slice(hash + 1)
  return /^[A-Za-z0-9._~-]{1,128}$/.test(fragment) ? { did, fragment } : undefined
}
