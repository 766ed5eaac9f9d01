/**
 * The words of the OAuth provider: clients, requests, permissions. Pure data, structured-cloneable.
 *
 * Spec: atproto OAuth profile; RFC 6749, 7636, 8414, 9126, 9207, 9449, 9728.
 */

/** The fields of a JSON Web Key that are kept: public parts only. */
export type PublicJwk = Readonly<Record<string, unknown>> & {
  readonly kty: string
  readonly kid?: string
}

/** Where a client's metadata came from. */
export type ClientKind = "discoverable" | "loopback"

/** A client whose metadata has been checked in full. */
export interface Client {
  readonly id: string
  readonly kind: ClientKind
  readonly applicationType: "web" | "native"
  readonly redirectUris: ReadonlyArray<string>
  /** The upper bound of what it may ask for, as it was written. */
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

/** How a client has shown who it is, at PAR, and at every use of what came of it. */
export type ClientAuth =
  | { readonly method: "none" }
  | {
      readonly method: "private_key_jwt"
      readonly alg: string
      readonly kid: string
      /** Thumbprint of the client's key: the session is bound to it. */
      readonly jkt: string
    }

/** What a person can be asked before a code is given. */
export type Prompt = "none" | "login" | "consent" | "select_account" | "create"

/** How the answer goes back to the client. */
export type ResponseMode = "query" | "fragment" | "form_post"

/** A pushed authorization request, checked. */
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

/** One thing that a call of a method takes; a token must hold every one. */
export type Permission =
  | {
      readonly resource: "repo"
      readonly collection: string
      readonly action: "create" | "update" | "delete"
    }
  /** `aud` is a DID with its `#service`. */
  | { readonly resource: "rpc"; readonly lxm: string; readonly aud: string }
  | { readonly resource: "blob"; readonly mime: string }
  | {
      readonly resource: "account"
      readonly attr: "email" | "repo" | "status"
      readonly action: "read" | "manage"
    }
  | { readonly resource: "identity"; readonly attr: "handle" | "*" }

/** The names of RFC 6749 and its extensions that go over the wire. */
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
