import { claimedHandle } from "./alsoKnownAs.ts"
import { invalidHandle } from "./handle.ts"
import { type Curve, formatDidKey, parseLegacyMultibase, parseMultikey } from "./didKey.ts"

/** A public key in a DID document. */
export interface VerificationMethod {
  readonly id: string
  readonly type: string
  readonly controller: string
  readonly publicKeyMultibase?: string
}

/** A service in a DID document; parsing omits services whose endpoint is not one URL. */
export interface DidService {
  readonly id: string
  readonly type: string
  readonly serviceEndpoint: string
}

/** A DID document, parsed with limits, without unused fields. */
export interface DidDocument {
  readonly "@context"?: ReadonlyArray<string>
  readonly id: string
  readonly alsoKnownAs?: ReadonlyArray<string>
  readonly verificationMethod?: ReadonlyArray<VerificationMethod>
  readonly service?: ReadonlyArray<DidService>
}

/** The text is not a DID document, or is another DID's. */
export class InvalidDidDocument extends Error {
  override readonly name = "InvalidDidDocument"
}

/** The largest DID document that is accepted, in bytes. */
export const maxDidDocumentBytes = 64 * 1024

const maxEntries = 64
const maxText = 2048

type Json = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string =>
  typeof value === "string" && value.length > 0 && value.length <= maxText

const entries = (document: Json, field: string): ReadonlyArray<unknown> => {
  const value = document[field]
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new InvalidDidDocument(`${field} is not a list`)
  if (value.length > maxEntries) throw new InvalidDidDocument(`${field} is too long`)
  return value
}

const readMethod = (value: unknown): ReadonlyArray<VerificationMethod> => {
  if (!isRecord(value) || !isText(value["id"]) || !isText(value["type"])) return []
  const { id, type, controller, publicKeyMultibase } = value
  return [
    {
      id,
      type,
      controller: isText(controller) ? controller : "",
      ...(isText(publicKeyMultibase) ? { publicKeyMultibase } : {})
    }
  ]
}

const readService = (value: unknown): ReadonlyArray<DidService> => {
  if (!isRecord(value)) return []
  const { id, type, serviceEndpoint } = value
  const kind = Array.isArray(type) ? type.find(isText) : type
  return isText(id) && isText(kind) && isText(serviceEndpoint)
    ? [{ id, type: kind, serviceEndpoint }]
    : []
}

/** Parses the document of a DID: checks that its id is the DID, and limits its lists and texts. */
export const parseDidDocument = (did: string, json: unknown): DidDocument => {
  if (!isRecord(json)) throw new InvalidDidDocument("not an object")
  if (json["id"] !== did) throw new InvalidDidDocument("the document is of another DID")
  const context = json["@context"]
  return {
    ...(Array.isArray(context) ? { "@context": context.filter(isText).slice(0, 16) } : {}),
    id: did,
    alsoKnownAs: entries(json, "alsoKnownAs").filter(isText),
    verificationMethod: entries(json, "verificationMethod").flatMap(readMethod),
    service: entries(json, "service").flatMap(readService)
  }
}

/** Finds an entry by its fragment: documents write ids in full (`did:…#id`) or short (`#id`). */
const byFragment = <A extends { readonly id: string }>(
  document: DidDocument,
  list: ReadonlyArray<A> | undefined,
  fragment: string
): A | undefined =>
  list?.find(({ id }) => id === `#${fragment}` || id === `${document.id}#${fragment}`)

const legacyTypes: Readonly<Record<string, Curve>> = {
  EcdsaSecp256k1VerificationKey2019: "k256",
  EcdsaSecp256r1VerificationKey2019: "p256"
}

const didKeyOf = (method: VerificationMethod | undefined): string | undefined => {
  if (method?.publicKeyMultibase === undefined) return undefined
  const legacy = Object.hasOwn(legacyTypes, method.type) ? legacyTypes[method.type] : undefined
  if (legacy === undefined && method.type !== "Multikey") return undefined
  try {
    return formatDidKey(
      legacy === undefined
        ? parseMultikey(method.publicKeyMultibase)
        : parseLegacyMultibase(legacy, method.publicKeyMultibase)
    )
  } catch {
    return undefined
  }
}

/** The did:key of a verification method (`atproto` by default); undefined if none is usable. */
export const signingKeyOf = (document: DidDocument, fragment = "atproto"): string | undefined =>
  didKeyOf(byFragment(document, document.verificationMethod, fragment))

/** The did:keys of all readable verification methods. */
export const didKeysOf = (document: DidDocument): ReadonlyArray<string> =>
  (document.verificationMethod ?? []).flatMap((method) => didKeyOf(method) ?? [])

/** The endpoint of a service with this fragment (`bsky_appview`), and with this type if given. */
export const serviceOf = (
  document: DidDocument,
  fragment: string,
  type?: string
): string | undefined => {
  const service = byFragment(document, document.service, fragment)
  if (service === undefined || (type !== undefined && service.type !== type)) return undefined
  const url = URL.parse(service.serviceEndpoint)
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) return undefined
  return service.serviceEndpoint
}

/** The account's PDS: the endpoint of `#atproto_pds`. */
export const pdsOf = (document: DidDocument): string | undefined =>
  serviceOf(document, "atproto_pds", "AtprotoPersonalDataServer")

/** The handle that the document claims, in lower case; proves nothing by itself. */
export const handleOf = (document: DidDocument): string | undefined =>
  claimedHandle(document.alsoKnownAs ?? [])

/** The contents of a DID document to create. */
export interface DidDocumentParts {
  readonly did: string
  readonly alsoKnownAs: ReadonlyArray<string>
  /** did:key by fragment: `{ atproto: "did:key:z…" }`. */
  readonly keys?: Readonly<Record<string, string>>
  readonly services?: Readonly<Record<string, { readonly type: string; readonly endpoint: string }>>
}

/** Builds a DID document with Multikey verification methods, in the PLC directory's form. */
export const makeDidDocument = (parts: DidDocumentParts): DidDocument => {
  const keys = Object.entries(parts.keys ?? {})
  const suites = new Set(
    keys.map(([, key]) =>
      key.startsWith("did:key:zQ3s")
        ? "https://w3id.org/security/suites/secp256k1-2019/v1"
        : "https://w3id.org/security/suites/ecdsa-2019/v1"
    )
  )
  return {
    "@context": [
      "https://www.w3.org/ns/did/v1",
      ...(keys.length === 0 ? [] : ["https://w3id.org/security/multikey/v1"]),
      ...suites
    ],
    id: parts.did,
    alsoKnownAs: parts.alsoKnownAs,
    verificationMethod: keys.map(([fragment, key]) => ({
      id: `${parts.did}#${fragment}`,
      type: "Multikey",
      controller: parts.did,
      publicKeyMultibase: key.slice("did:key:".length)
    })),
    service: Object.entries(parts.services ?? {}).map(([fragment, { type, endpoint }]) => ({
      id: `#${fragment}`,
      type,
      serviceEndpoint: endpoint
    }))
  }
}

/** The document of a did:web account on this server. */
export const accountDidDocument = (account: {
  readonly did: string
  readonly handle: string
  readonly signingKey: string
  readonly pds: string
}): DidDocument =>
  makeDidDocument({
    did: account.did,
    alsoKnownAs: account.handle === invalidHandle ? [] : [`at://${account.handle}`],
    keys: { atproto: account.signingKey },
    services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: account.pds } }
  })

/** The host's own document: a did:web with its services and without an account. */
export const hostDidDocument = (did: string, origin: string): DidDocument =>
  makeDidDocument({
    did,
    alsoKnownAs: [],
    services: { atproto_pds: { type: "AtprotoPersonalDataServer", endpoint: origin } }
  })
