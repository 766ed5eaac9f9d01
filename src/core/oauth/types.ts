/**
 * The OAuth provider's types: clients, requests, permissions. Pure data, structured-cloneable.
 *
 * Spec: atproto OAuth profile; RFC 6749, 7636, 8414, 9126, 9207, 9449, 9728.
 */

/** The stored fields of a JSON Web Key: public parts only. */
export type PublicJwk = Readonly<Record<string, unknown>> & {
  readonly kty: string
  readonly kid?: string
}

/** The source of a client's metadata. */
export type ClientKind = "discoverable" | "loopback"

/** A client with validated metadata. */
export interface Client {
  readonly id: string
  readonly kind: ClientKind
  readonly applicationType: "web" | "native"
  readonly redirectUris: ReadonlyArray<string>
  /** The maximum scope it may request, as written. */
  readonly scope: string
  readonly grantTypes: ReadonlyArray<string>
  readonly authMethod: "none" | "private_key_jwt"
  readonly authAlg?: string
  readonly jwks?: { readonly keys: ReadonlyArray<PublicJwk> }
  readonly jwksUri?: string
  readonly name?: string
  readonly uri?: string
  readonly logoUri?: string
  readonly tosUri?: string
  readonly policyUri?: string
}

/** How a client authenticated at PAR, and must on every later use. */
export type ClientAuth =
  | { readonly method: "none" }
  | {
      readonly method: "private_key_jwt"
      readonly alg: string
      readonly kid: string
      /** Thumbprint of the client's key, which the session is bound to. */
      readonly jkt: string
    }

/** What the user can be asked before a code is issued. */
export type Prompt = "none" | "login" | "consent" | "select_account" | "create"

/** How the response returns to the client. */
export type ResponseMode = "query" | "fragment" | "form_post"

/** A validated pushed authorization request. */
export interface AuthorizationRequest {
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: string
  readonly state: string
  readonly codeChallenge: string
  readonly responseMode: ResponseMode
  readonly prompt?: Prompt
  /** A handle, a DID, or an address of this server's accounts. */
  readonly loginHint?: string
  readonly nonce?: string
  readonly display?: string
  readonly uiLocales?: string
}

/** One requirement of a method call; the token must have all of them. */
export type Permission =
  | {
      readonly resource: "repo"
      readonly collection: string
      readonly action: "create" | "update" | "delete"
    }
  /** `aud` is a DID with its `#service`; `query`: the call itself is a GET. */
  | { readonly resource: "rpc"; readonly lxm: string; readonly aud: string; readonly query?: true }
  | { readonly resource: "blob"; readonly mime: string }
  | {
      readonly resource: "account"
      readonly attr: "email" | "repo" | "status"
      readonly action: "read" | "manage"
    }
  | { readonly resource: "identity"; readonly attr: "handle" | "*" }

/** The error names of RFC 6749 and its extensions. */
export type OAuthErrorName =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "invalid_scope"
  | "invalid_client_metadata"
  | "invalid_redirect_uri"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "invalid_dpop_proof"
  | "use_dpop_nonce"
  | "invalid_token"
  | "access_denied"
  | "login_required"
  | "consent_required"
  | "account_selection_required"
  | "temporarily_unavailable"
  | "server_error"
