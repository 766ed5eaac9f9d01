import * as Effect from "effect/Effect"
import { signingAlgs } from "../../core/oauth/jwk.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { clientMetadata as ownClient } from "../accounts/moveIn/oauth.ts"
import { briefly, jsonType, versioned } from "../responses.ts"
import { notAllowed } from "./errors.ts"

/**
 * The capabilities of this authorization server.
 *
 * Spec: RFC 8414, RFC 9126, RFC 9207, RFC 9449, RFC 9728; the atproto OAuth profile.
 */
const authorizationServerMetadata = ({ publicUrl, handleDomains }: Settings) => ({
  issuer: publicUrl,
  authorization_endpoint: `${publicUrl}/oauth/authorize`,
  token_endpoint: `${publicUrl}/oauth/token`,
  pushed_authorization_request_endpoint: `${publicUrl}/oauth/par`,
  revocation_endpoint: `${publicUrl}/oauth/revoke`,
  jwks_uri: `${publicUrl}/oauth/jwks`,
  protected_resources: [publicUrl],
  // The protocol's scopes cannot be listed; these show that the transitional ones are known.
  scopes_supported: ["atproto", "transition:email", "transition:generic", "transition:chat.bsky"],
  subject_types_supported: ["public"],
  response_types_supported: ["code"],
  response_modes_supported: ["query", "fragment", "form_post"],
  grant_types_supported: ["authorization_code", "refresh_token"],
  code_challenge_methods_supported: ["S256"],
  ui_locales_supported: ["en"],
  display_values_supported: ["page", "popup", "touch"],
  prompt_values_supported: [
    "none",
    "login",
    "consent",
    "select_account",
    // Without handle domains, the server can't create accounts.
    ...(handleDomains.length > 0 ? ["create"] : [])
  ],
  token_endpoint_auth_methods_supported: ["none", "private_key_jwt"],
  token_endpoint_auth_signing_alg_values_supported: signingAlgs,
  dpop_signing_alg_values_supported: signingAlgs,
  authorization_response_iss_parameter_supported: true,
  request_parameter_supported: false,
  request_uri_parameter_supported: true,
  require_request_uri_registration: true,
  require_pushed_authorization_requests: true,
  client_id_metadata_document_supported: true
})

/**
 * The metadata of this resource server: its only authorization server is the same origin.
 *
 * Spec: RFC 9728.
 */
const protectedResourceMetadata = ({ publicUrl }: Settings) => ({
  resource: publicUrl,
  authorization_servers: [publicUrl],
  scopes_supported: ["atproto"],
  bearer_methods_supported: ["header"],
  resource_documentation: "https://atproto.com"
})

/** A document that is the same for everyone. Clients fetch it for each sign-in. */
const document = (describe: (settings: Settings) => object) =>
  Effect.fnUntraced(function* (request: Request) {
    if (request.method !== "GET" && request.method !== "HEAD") return notAllowed("GET, HEAD")
    return versioned(request, JSON.stringify(describe(yield* Config)), {
      "content-type": jsonType,
      "cache-control": briefly
    })
  })

/** `/.well-known/oauth-authorization-server`. */
export const authorizationServer = document(authorizationServerMetadata)

/** `/.well-known/oauth-protected-resource`. */
export const protectedResource = document(protectedResourceMetadata)

/** `/oauth/jwks`: no keys, because only this server reads its tokens. */
export const jwks = document(() => ({ keys: [] }))

/** `/oauth/client-metadata`: this server as a client of servers from which people move here. */
export const clientMetadata = document(ownClient)
