import * as Result from "effect/Result"
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

type Checked<A> = Result.Result<A, MetadataFault>

type Json = Readonly<Record<string, unknown>>

const refuse = (
  reason: string,
  error: MetadataFault["error"] = "invalid_client_metadata"
): Checked<never> => Result.fail({ error, reason })

const grantTypes: ReadonlySet<string> = new Set(["authorization_code", "refresh_token"])

const maxName = 1024

const text = (json: Json, name: string): Checked<string | undefined> => {
  const value = json[name]
  if (value === undefined || typeof value === "string") return Result.succeed(value)
  return refuse(`${name} must be a string`)
}

const texts = (json: Json, name: string): Checked<ReadonlyArray<string> | undefined> => {
  const value = json[name]
  if (value === undefined) return Result.succeed(value)
  const isList = Array.isArray(value) && value.every((one) => typeof one === "string")
  if (isList && value.length > 0) return Result.succeed(value)
  return refuse(`${name} must be a list of one or more strings`)
}

const readApplicationType = (json: Json): Checked<Client["applicationType"]> =>
  Result.flatMap(text(json, "application_type"), (type = "web") =>
    type === "web" || type === "native"
      ? Result.succeed(type)
      : refuse("application_type must be web or native")
  )

const readGrants = (json: Json): Checked<ReadonlyArray<string>> =>
  Result.gen(function* () {
    const responses = (yield* texts(json, "response_types")) ?? ["code"]
    if (!responses.includes("code")) return yield* refuse("response_types must include code")
    const grants = (yield* texts(json, "grant_types")) ?? ["authorization_code"]
    if (!grants.includes("authorization_code")) {
      return yield* refuse("grant_types must include authorization_code")
    }
    if (grants.every((grant) => grantTypes.has(grant))) return grants
    return yield* refuse("grant_types may hold authorization_code and refresh_token only")
  })

const readScope = (json: Json): Checked<string> =>
  Result.flatMap(text(json, "scope"), (scope) => {
    if (scope === undefined) return refuse("scope is missing")
    const values = scopeValues(scope)
    if (values === undefined) return refuse("scope must be words with one space between them")
    return values.includes("atproto") ? Result.succeed(scope) : refuse("scope must include atproto")
  })

const readRedirects = (
  json: Json,
  owner: Parameters<typeof redirectFault>[1]
): Checked<ReadonlyArray<string>> =>
  Result.flatMap(texts(json, "redirect_uris"), (uris) => {
    if (uris === undefined) return refuse("redirect_uris is missing", "invalid_redirect_uri")
    for (const uri of uris) {
      const fault = redirectFault(uri, owner)
      if (fault === undefined) continue
      return refuse(`the redirect URI ${uri.slice(0, 200)}: ${fault}`, "invalid_redirect_uri")
    }
    return Result.succeed(uris)
  })

type Authentication = Pick<Client, "authMethod" | "authAlg" | "jwks" | "jwksUri">

const readAuthentication = (
  json: Json,
  allowHosts: ReadonlyArray<string>
): Checked<Authentication> =>
  Result.gen(function* () {
    const { jwks } = json
    const jwksUri = yield* text(json, "jwks_uri")
    const authAlg = yield* text(json, "token_endpoint_auth_signing_alg")
    const keys =
      jwks === undefined
        ? undefined
        : yield* Result.orElse(checkJwks(jwks), (reason) => refuse(reason))
    if (jwks !== undefined && jwksUri !== undefined) {
      return yield* refuse("jwks and jwks_uri exclude each other")
    }
    if (jwksUri !== undefined) {
      yield* Result.orElse(checkFetchUrl(jwksUri, allowHosts), (reason) =>
        refuse(`jwks_uri: ${reason}`)
      )
    }
    // The default of RFC 7591 is client_secret_basic, which is not allowed here, so a missing field
    // means none.
    const method = (yield* text(json, "token_endpoint_auth_method")) ?? "none"
    if (method === "none") return { authMethod: "none" }
    if (method !== "private_key_jwt") {
      return yield* refuse("token_endpoint_auth_method must be none or private_key_jwt")
    }
    if (authAlg === undefined) {
      return yield* refuse("private_key_jwt needs token_endpoint_auth_signing_alg (ES256)")
    }
    if (!signingAlgs.includes(authAlg)) {
      return yield* refuse(
        "token_endpoint_auth_signing_alg must be an asymmetric algorithm (ES256)"
      )
    }
    if (jwksUri !== undefined) return { authMethod: method, authAlg, jwksUri }
    if (keys === undefined) return yield* refuse("private_key_jwt needs jwks or jwks_uri")
    if (keys.length === 0) return yield* refuse("jwks holds no public signature key with a kid")
    return { authMethod: method, authAlg, jwks: { keys } }
  })

const readName = (json: Json): Checked<string | undefined> =>
  Result.flatMap(text(json, "client_name"), (name) =>
    name !== undefined && name.length > maxName
      ? refuse("client_name is too long")
      : Result.succeed(name)
  )

const readLink = (
  json: Json,
  name: string,
  allowHosts: ReadonlyArray<string>
): Checked<string | undefined> =>
  Result.flatMap(text(json, name), (link) =>
    link === undefined
      ? Result.succeed(link)
      : Result.mapBoth(checkWebUrl(link, allowHosts), {
          onSuccess: ({ href }): string | undefined => href,
          onFailure: (reason): MetadataFault => ({
            error: "invalid_client_metadata",
            reason: `${name}: ${reason}`
          })
        })
  )

/** The client's own page, which must be on the host that identifies it. */
const readOwnLink = (
  json: Json,
  clientUrl: URL,
  allowHosts: ReadonlyArray<string>
): Checked<string | undefined> =>
  Result.flatMap(readLink(json, "client_uri", allowHosts), (link) =>
    link === undefined || new URL(link).host === clientUrl.host
      ? Result.succeed(link)
      : refuse("client_uri must have the host of the client_id")
  )

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
): Checked<Client> =>
  Result.gen(function* () {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      return yield* refuse("the client metadata is not a JSON object")
    }
    // SAFETY: a JSON object has text keys.
    const fields = json as Json
    const id = clientUrl.href
    if ((yield* text(fields, "client_id")) !== id) {
      return yield* refuse("client_id is not the address that the metadata was fetched from")
    }
    if (fields["dpop_bound_access_tokens"] !== true) {
      return yield* refuse("dpop_bound_access_tokens must be true")
    }
    const applicationType = yield* readApplicationType(fields)
    const authentication = yield* readAuthentication(fields, allowHosts)
    // RFC 8252, section 8.4: an installed app cannot keep a secret.
    if (applicationType === "native" && authentication.authMethod !== "none") {
      return yield* refuse("a native application's token_endpoint_auth_method must be none")
    }
    const optional = {
      name: yield* readName(fields),
      uri: yield* readOwnLink(fields, clientUrl, allowHosts),
      logoUri: yield* readLink(fields, "logo_uri", allowHosts),
      tosUri: yield* readLink(fields, "tos_uri", allowHosts),
      policyUri: yield* readLink(fields, "policy_uri", allowHosts)
    }
    return {
      id,
      kind: "discoverable",
      applicationType,
      redirectUris: yield* readRedirects(fields, { clientUrl, applicationType, allowHosts }),
      scope: yield* readScope(fields),
      grantTypes: yield* readGrants(fields),
      ...authentication,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
    }
  })
