import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkMetadata } from "../../../src/core/oauth/clientMetadata.ts"
import {
  clientId,
  confidential,
  publicKey,
  publicNative,
  publicWeb,
  without
} from "./clientWorld.ts"

const url = new URL(clientId)
const check = (json: unknown) => checkMetadata(url, json)

const clientOf = (json: unknown) => {
  const checked = check(json)
  return Result.isSuccess(checked) ? checked.success : assert.fail(checked.failure.reason)
}
const faultOf = (json: unknown) => {
  const checked = check(json)
  return Result.isSuccess(checked) ? assert.fail("the document was accepted") : checked.failure
}

describe("client metadata", () => {
  it("a public web client has its registered fields and nothing else", () => {
    assert.deepStrictEqual(clientOf({ ...publicWeb, unknown: { deep: true }, contacts: 7 }), {
      id: clientId,
      kind: "discoverable",
      applicationType: "web",
      redirectUris: ["https://app.example.com/callback"],
      scope: "atproto transition:generic",
      grantTypes: ["authorization_code", "refresh_token"],
      authMethod: "none",
      name: "Example App",
      uri: "https://app.example.com/"
    })
  })

  it("a native client may combine its own scheme, loopback and its own origin", () => {
    const redirect_uris = [...publicNative.redirect_uris, "https://app.example.com/callback"]
    const client = clientOf({ ...publicNative, redirect_uris })
    assert.strictEqual(client.applicationType, "native")
    assert.deepStrictEqual(client.redirectUris, redirect_uris)
  })

  it("metadata without an authentication method is a public client's", () => {
    const client = clientOf(without(publicWeb, "token_endpoint_auth_method"))
    assert.deepStrictEqual(client, clientOf(publicWeb))
  })

  it("a confidential client's keys have only public members", () => {
    const keys = [{ ...publicKey, use: "sig", alg: "ES256", x5c: ["certificate"], note: "mine" }]
    const client = clientOf({ ...confidential, jwks: { keys } })
    assert.strictEqual(client.authMethod, "private_key_jwt")
    assert.strictEqual(client.authAlg, "ES256")
    assert.deepStrictEqual(client.jwks, { keys: [{ ...publicKey, alg: "ES256" }] })
  })

  it("a confidential client may give the URL of its keys instead", () => {
    const jwks_uri = "https://keys.example.com/jwks.json"
    const client = clientOf({ ...without(confidential, "jwks"), jwks_uri })
    assert.strictEqual(client.jwksUri, jwks_uri)
    assert.isUndefined(client.jwks)
  })

  it("type, grants and responses have defaults", () => {
    const names = ["application_type", "grant_types", "response_types", "client_name", "client_uri"]
    const client = clientOf(names.reduce<Readonly<Record<string, unknown>>>(without, publicWeb))
    assert.strictEqual(client.applicationType, "web")
    assert.deepStrictEqual(client.grantTypes, ["authorization_code"])
    assert.isFalse("name" in client || "uri" in client)
  })

  it("logo, terms and policy may be on any public host", () => {
    const client = clientOf({
      ...publicWeb,
      logo_uri: "https://cdn.example.net:8443/logo.png",
      tos_uri: "https://www.example.org/terms#part",
      policy_uri: "https://example.org/privacy?lang=en"
    })
    assert.strictEqual(client.logoUri, "https://cdn.example.net:8443/logo.png")
    assert.strictEqual(client.tosUri, "https://www.example.org/terms#part")
    assert.strictEqual(client.policyUri, "https://example.org/privacy?lang=en")
  })

  it("fields of OpenID Connect are ignored", () => {
    const openId = {
      subject_type: "public",
      request_object_signing_alg: "none",
      default_max_age: 1
    }
    assert.strictEqual(clientOf({ ...publicWeb, ...openId }).id, clientId)
  })

  it("keys without a name or for other uses are ignored", () => {
    const keys = [
      { kty: "future", kid: "a" },
      { ...publicKey, kid: "b", use: "enc" },
      { ...publicKey, kid: "c", key_ops: ["deriveBits"] },
      { ...publicKey, kid: "d", crv: "P-192" },
      { ...publicKey, kid: undefined },
      { ...publicKey, kid: "" },
      { ...publicKey, kid: 7 },
      "key",
      { ...publicKey, kid: "good", key_ops: ["verify"] }
    ]
    const client = clientOf({ ...confidential, jwks: { keys } })
    assert.deepStrictEqual(client.jwks, { keys: [{ ...publicKey, kid: "good" }] })
  })

  const broken: ReadonlyArray<readonly [what: string, document: unknown, reason: RegExp]> = [
    ["null", null, /not a JSON object/],
    ["a list", [publicWeb], /not a JSON object/],
    ["a text", "client", /not a JSON object/],
    ["no client_id", without(publicWeb, "client_id"), /client_id/],
    ["another client_id", { ...publicWeb, client_id: `${clientId}?` }, /client_id/],
    ["a client_id that is no text", { ...publicWeb, client_id: [clientId] }, /client_id/],
    ["no DPoP", without(publicWeb, "dpop_bound_access_tokens"), /dpop/],
    ["DPoP as text", { ...publicWeb, dpop_bound_access_tokens: "true" }, /dpop/],
    ["DPoP refused", { ...publicWeb, dpop_bound_access_tokens: false }, /dpop/],
    ["another type", { ...publicWeb, application_type: "desktop" }, /application_type/],
    ["a type that is no text", { ...publicWeb, application_type: null }, /application_type/],
    ["responses without code", { ...publicWeb, response_types: ["token"] }, /response_types/],
    ["responses that are no list", { ...publicWeb, response_types: "code" }, /response_types/],
    ["no grants", { ...publicWeb, grant_types: [] }, /grant_types/],
    ["refresh alone", { ...publicWeb, grant_types: ["refresh_token"] }, /grant_types/],
    [
      "the implicit grant",
      { ...publicWeb, grant_types: ["authorization_code", "implicit"] },
      /grant_types/
    ],
    ["grants that are no texts", { ...publicWeb, grant_types: [1] }, /grant_types/],
    ["no scope", without(publicWeb, "scope"), /scope is missing/],
    ["a scope that is a list", { ...publicWeb, scope: ["atproto"] }, /scope/],
    ["an empty scope", { ...publicWeb, scope: "" }, /one space/],
    ["a scope with two spaces", { ...publicWeb, scope: "atproto  x" }, /one space/],
    ["a scope with a quote", { ...publicWeb, scope: 'atproto "x"' }, /one space/],
    ["a scope without atproto", { ...publicWeb, scope: "transition:generic" }, /include atproto/],
    ["atproto as part of a word", { ...publicWeb, scope: "atprotox" }, /include atproto/],
    ["an empty method", { ...publicWeb, token_endpoint_auth_method: "" }, /auth_method/],
    [
      "a shared secret",
      { ...publicWeb, token_endpoint_auth_method: "client_secret_basic" },
      /auth_method/
    ],
    [
      "a method that is no text",
      { ...publicWeb, token_endpoint_auth_method: ["none"] },
      /auth_method/
    ],
    ["no algorithm", without(confidential, "token_endpoint_auth_signing_alg"), /signing_alg/],
    [
      "the algorithm none",
      { ...confidential, token_endpoint_auth_signing_alg: "none" },
      /asymmetric/
    ],
    [
      "a symmetric algorithm",
      { ...confidential, token_endpoint_auth_signing_alg: "HS256" },
      /asymmetric/
    ],
    ["no keys", without(confidential, "jwks"), /needs jwks/],
    ["an empty key set", { ...confidential, jwks: { keys: [] } }, /no public signature key/],
    ["keys that are no set", { ...confidential, jwks: [publicKey] }, /list of keys/],
    [
      "only keys without a name",
      { ...confidential, jwks: { keys: [without(publicKey, "kid")] } },
      /kid/
    ],
    [
      "a private key",
      { ...confidential, jwks: { keys: [publicKey, { ...publicKey, kid: "two", d: "secret" }] } },
      /private/
    ],
    [
      "a symmetric key",
      { ...confidential, jwks: { keys: [publicKey, { kty: "oct", kid: "two", k: "secret" }] } },
      /symmetric/
    ],
    [
      "a private key of a public client",
      { ...publicWeb, jwks: { keys: [{ ...publicKey, d: "secret" }] } },
      /private/
    ],
    [
      "more keys than anybody needs",
      { ...confidential, jwks: { keys: Array.from({ length: 65 }, () => publicKey) } },
      /too many/
    ],
    [
      "keys in two places",
      { ...confidential, jwks_uri: "https://app.example.com/jwks.json" },
      /exclude/
    ],
    [
      "keys over http",
      { ...without(confidential, "jwks"), jwks_uri: "http://app.example.com/jwks.json" },
      /jwks_uri/
    ],
    [
      "keys on a private address",
      { ...without(confidential, "jwks"), jwks_uri: "https://10.0.0.1/jwks.json" },
      /jwks_uri/
    ],
    ["a native client with a secret", { ...confidential, application_type: "native" }, /native/],
    ["a name that is no text", { ...publicWeb, client_name: 7 }, /client_name/],
    ["a name without end", { ...publicWeb, client_name: "a".repeat(2000) }, /client_name/],
    ["a page of another host", { ...publicWeb, client_uri: "https://example.com/" }, /client_uri/],
    ["a page that is a script", { ...publicWeb, client_uri: "javascript:alert(1)" }, /client_uri/],
    ["a page over http", { ...publicWeb, client_uri: "http://app.example.com/" }, /client_uri/],
    ["a logo in the document", { ...publicWeb, logo_uri: "data:image/png;base64," }, /logo_uri/],
    ["a logo with credentials", { ...publicWeb, logo_uri: "https://a:b@example.com/" }, /logo_uri/],
    ["terms over http", { ...publicWeb, tos_uri: "http://example.com/terms" }, /tos_uri/],
    ["a policy that is no text", { ...publicWeb, policy_uri: null }, /policy_uri/]
  ]
  for (const [what, document, reason] of broken) {
    it(`metadata with ${what} is rejected`, () => {
      const fault = faultOf(document)
      assert.strictEqual(fault.error, "invalid_client_metadata")
      assert.match(fault.reason, reason)
    })
  }

  const misdirected: ReadonlyArray<readonly [what: string, document: unknown]> = [
    ["none", without(publicWeb, "redirect_uris")],
    ["a script among them", { ...publicWeb, redirect_uris: ["https://a.com/", "javascript:x"] }],
    ["a scheme of its own, on the web", { ...publicWeb, redirect_uris: ["com.example.app:/cb"] }],
    ["loopback, on the web", { ...publicWeb, redirect_uris: ["http://127.0.0.1/cb"] }],
    ["another host's scheme", { ...publicNative, redirect_uris: ["com.example.other:/cb"] }]
  ]
  for (const [what, document] of misdirected) {
    it(`metadata with these redirect URIs is rejected: ${what}`, () => {
      assert.strictEqual(faultOf(document).error, "invalid_redirect_uri")
    })
  }

  for (const redirect_uris of [[], "https://app.example.com/callback", [7]]) {
    it(`metadata is rejected when redirect_uris is ${JSON.stringify(redirect_uris)}`, () => {
      assert.match(faultOf({ ...publicWeb, redirect_uris }).reason, /redirect_uris/)
    })
  }

  it("metadata may be on http if development exempts the host", () => {
    const id = "http://127.0.0.1:1234/client.json"
    const document = {
      ...publicWeb,
      client_id: id,
      client_uri: "http://127.0.0.1:1234/",
      redirect_uris: ["http://127.0.0.1:1234/callback"]
    }
    assert.isTrue(Result.isSuccess(checkMetadata(new URL(id), document, ["127.0.0.1:1234"])))
    assert.isTrue(Result.isFailure(checkMetadata(new URL(id), document)))
  })
})
