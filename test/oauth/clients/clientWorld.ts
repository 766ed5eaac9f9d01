/** The public part of a P-256 key, from RFC 7517, appendix A.1. */
export const publicKey = {
  kty: "EC",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
  kid: "one"
}

/** The address of the example client. */
export const clientId = "https://app.example.com/client-metadata.json"

/** The metadata of a public web client. */
export const publicWeb = {
  client_id: clientId,
  client_name: "Example App",
  client_uri: "https://app.example.com/",
  application_type: "web",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: ["https://app.example.com/callback"],
  scope: "atproto transition:generic",
  token_endpoint_auth_method: "none",
  dpop_bound_access_tokens: true
}

/** The metadata of a public native client. */
export const publicNative = {
  ...publicWeb,
  application_type: "native",
  redirect_uris: ["com.example.app:/callback", "http://127.0.0.1/callback"]
}

/** The metadata of a confidential client with its own keys. */
export const confidential = {
  ...publicWeb,
  token_endpoint_auth_method: "private_key_jwt",
  token_endpoint_auth_signing_alg: "ES256",
  jwks: { keys: [publicKey] }
}

/** A document without one of its fields. */
export const without = (document: Readonly<Record<string, unknown>>, name: string) =>
  Object.fromEntries(Object.entries(document).filter(([key]) => key !== name))
