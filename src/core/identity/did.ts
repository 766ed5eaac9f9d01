import { isDid } from "../lexicon/syntax.ts"

/** The DID methods of this network. */
export type DidMethod = "plc" | "web"

const plc = /^did:plc:[a-z2-7]{24}$/
const webHost = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$/
const localhost = /^localhost%3[aA]([1-9]\d{0,4})$/

/** The host (and, for localhost only, port) that a host-level did:web names, or undefined where it names none. */
export const didWebHost = (did: string): string | undefined => {
  if (!did.startsWith("did:web:")) return undefined
  const host = did.slice("did:web:".length)
  if (host === "localhost") return host
  const local = localhost.exec(host)
  if (local !== null) return Number(local[1]) <= 65_535 ? `localhost:${local[1]}` : undefined
  return host.length <= 253 && webHost.test(host) && !/\.\d[^.]*$/.test(host) ? host : undefined
}

/** The method of a DID that this network supports, or undefined where it is malformed or of another method. */
export const didMethod = (did: string): DidMethod | undefined =>
  plc.test(did) ? "plc" : didWebHost(did) !== undefined ? "web" : undefined

/** A well-formed DID of a method that this network supports. */
export const isSupportedDid = (did: string): boolean => didMethod(did) !== undefined

/** What a `/.well-known/atproto-did` file says: its first line, without white space around it. */
export const firstLine = (file: string): string =>
  file
    .trim()
    .split(/[\r\n]/, 1)[0]!
    .trim()

/** The did:web of a host; a port is written as the DID syntax demands. */
export const didWebOf = (host: string): string => `did:web:${host.replace(":", "%3A")}`

/**
 * Where a did:web's document lies: https, but http for localhost.
 *
 * Spec: did:web in this network names a whole host; paths are not supported.
 */
export const didWebUrl = (did: string): string | undefined => {
  const host = didWebHost(did)
  if (host === undefined) return undefined
  const scheme = host.split(":")[0] === "localhost" ? "http" : "https"
  return `${scheme}://${host}/.well-known/did.json`
}

/** A DID with an optional service reference: `did:web:host#bsky_appview`. */
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
