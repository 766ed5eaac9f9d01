import { checkFetchUrl } from "../identity/address.ts"
import { signingAlgs } from "./jwk.ts"
import { checkJwks } from "./jwks.ts"
import { redirectFault } from "./redirectUri.ts"
import { scopeValues } from "./scopeSyntax.ts"
import type { Client } from "./types.ts"
import { checkWebUrl } from "./webUrl.ts"

/** Why a metadata document is rejected; `reason` is for its developer. */
export interface MetadataFault {
  readonly error: "invalid_client_metadata" | "invalid_redirect_uri"
  readonly reason: string
}

/** A client, or its document's fault. */
export type CheckedMetadata =
  | { readonly ok: true; readonly client: Client }
  | { readonly ok: false; readonly fault: MetadataFault }

type Json = Readonly<Record<string, unknown>>

/** Aborts the check of a document; caught in this file. */
class Refusal extends Error {
  readonly fault: MetadataFault

  constructor(reason: string, error: MetadataFault["error"] = "invalid_client_metadata") {
    super(reason)
    this.fault = { error, reason }
  }
}

const grantTypes: ReadonlySet<string> = new Set(["authorization_code", "refresh_token"])

const maxName = 1024

const text = (json: Json, name: string): string | undefined => {
  const value = json[name]
  if (value === undefined || typeof value === "string") return value
  throw new Refusal(`${name} must be a string`)
}

const texts = (json: Json, name: string): ReadonlyArray<string> | undefined => {
  const value = json[name]
  if (value === undefined) return undefined
  const isList = Array.isArray(value) && value.every((one) => typeof one === "string")
  if (isList && value.length > 0) return value
  throw new Refusal(`${name} must be a list of one or more strings`)
}

const readApplicationType = (json: Json): Client["applicationType"] => {
  const type = text(json, "application_type") ?? "web"
  if (type === "web" || type === "native") return type
  throw new Refusal("application_type must be web or native")
}

const readGrants = (json: Json): ReadonlyArray<string> => {
  if (!(texts(json, "response_types") ?? ["code"]).includes("code")) {
    throw new Refusal("response_types must include code")
  }
  const grants = texts(json, "grant_types") ?? ["authorization_code"]
  if (!grants.includes("authorization_code")) {
    throw new Refusal("grant_types must include authorization_code")
  }
  if (grants.every((grant) => grantTypes.has(grant))) return grants
  throw new Refusal("grant_types may hold authorization_code and refresh_token only")
}

const readScope = (json: Json): string => {
  const scope = text(json, "scope")
  if (scope === undefined) throw new Refusal("scope is missing")
  const values = scopeValues(scope)
  if (values === undefined) throw new Refusal("scope must be words with one space between them")
  if (!values.includes("atproto")) throw new Refusal("scope must include atproto")
  return scope
}

const readRedirects = (
  json: Json,
  owner: Parameters<typeof redirectFault>[1]
): ReadonlyArray<string> => {
  const uris = texts(json, "redirect_uris")
  if (uris === undefined) throw new Refusal("redirect_uris is missing", "invalid_redirect_uri")
  for (const uri of uris) {
    const fault = redirectFault(uri, owner)
    if (fault === undefined) continue
    throw new Refusal(`the redirect URI ${uri.slice(0, 200)}: ${fault}`, "invalid_redirect_uri")
  }
  return uris
}

type Authentication = Pick<Client, "authMethod" | "authAlg" | "jwks" | "jwksUri">

const readAuthentication = (json: Json, allowHosts: ReadonlyArray<string>): Authentication => {
  const { jwks } = json
  const jwksUri = text(json, "jwks_uri")
  const authAlg = text(json, "token_endpoint_auth_signing_alg")
  const checked = jwks === undefined ? undefined : checkJwks(jwks)
  if (checked?.ok === false) throw new Refusal(checked.reason)
  if (jwks !== undefined && jwksUri !== undefined) {
    throw new Refusal("jwks and jwks_uri exclude each other")
  }
  const fetched = jwksUri === undefined ? undefined : checkFetchUrl(jwksUri, allowHosts)
  if (fetched?.ok === false) throw new Refusal(`jwks_uri: ${fetched.reason}`)
  // The default of RFC 7591 is client_secret_basic, which is not allowed here, so a missing field
  // means none.
  const method = text(json, "token_endpoint_auth_method") ?? "none"
  if (method === "none") return { authMethod: "none" }
  if (method !== "private_key_jwt") {
    throw new Refusal("token_endpoint_auth_method must be none or private_key_jwt")
  }
  if (authAlg === undefined) {
    throw new Refusal("private_key_jwt needs token_endpoint_auth_signing_alg (ES256)")
  }
  if (!signingAlgs.includes(authAlg)) {
    throw new Refusal("token_endpoint_auth_signing_alg must be an asymmetric algorithm (ES256)")
  }
  if (jwksUri !== undefined) return { authMethod: method, authAlg, jwksUri }
  if (checked === undefined) throw new Refusal("private_key_jwt needs jwks or jwks_uri")
  if (checked.keys.length === 0) {
    throw new Refusal("jwks holds no public signature key with a kid")
  }
  return { authMethod: method, authAlg, jwks: { keys: checked.keys } }
}

const readName = (json: Json): string | undefined => {
  const name = text(json, "client_name")
  if (name !== undefined && name.length > maxName) throw new Refusal("client_name is too long")
  return name
}

const readLink = (
  json: Json,
  name: string,
  allowHosts: ReadonlyArray<string>
): string | undefined => {
  const link = text(json, name)
  const checked = link === undefined ? undefined : checkWebUrl(link, allowHosts)
  if (checked?.ok === false) throw new Refusal(`${name}: ${checked.reason}`)
  return checked?.url.href
}

/** The client's own page, which must be on the host that identifies it. */
const readOwnLink = (
  json: Json,
  clientUrl: URL,
  allowHosts: ReadonlyArray<string>
): string | undefined => {
  const link = readLink(json, "client_uri", allowHosts)
  if (link === undefined || new URL(link).host === clientUrl.host) return link
  throw new Refusal("client_uri must have the host of the client_id")
}

const read = (clientUrl: URL, json: unknown, allowHosts: ReadonlyArray<string>): Client => {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new Refusal("the client metadata is not a JSON object")
  }
  // SAFETY: a JSON object has text keys.
  const fields = json as Json
  const id = clientUrl.href
  if (text(fields, "client_id") !== id) {
    throw new Refusal("client_id is not the address that the metadata was fetched from")
  }
  if (fields["dpop_bound_access_tokens"] !== true) {
    throw new Refusal("dpop_bound_access_tokens must be true")
  }
  const applicationType = readApplicationType(fields)
  const authentication = readAuthentication(fields, allowHosts)
  // RFC 8252, section 8.4: an installed app cannot keep a secret.
  if (applicationType === "native" && authentication.authMethod !== "none") {
    throw new Refusal("a native application's token_endpoint_auth_method must be none")
  }
  const optional = {
    name: readName(fields),
    uri: readOwnLink(fields, clientUrl, allowHosts),
    logoUri: readLink(fields, "logo_uri", allowHosts),
    tosUri: readLink(fields, "tos_uri", allowHosts),
    policyUri: readLink(fields, "policy_uri", allowHosts)
  }
  return {
    id,
    kind: "discoverable",
    applicationType,
    redirectUris: readRedirects(fields, { clientUrl, applicationType, allowHosts }),
    scope: readScope(fields),
    grantTypes: readGrants(fields),
    ...authentication,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  }
}

/**
 * Validates a client's metadata document; `clientUrl` is the client id from `parseClientId`.
 *
 * Ignores unknown fields. Spec: atproto OAuth, "Client metadata"; RFC 7591, section 2;
 * draft-ietf-oauth-client-id-metadata-document.
 */
export const checkMetadata = (
  clientUrl: URL,
  json: unknown,
  allowHosts: ReadonlyArray<string> = []
): CheckedMetadata => {
  try {
    return { ok: true, client: read(clientUrl, json, allowHosts) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, fault: error.fault }
    throw error
  }
}
