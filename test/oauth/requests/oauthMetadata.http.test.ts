import {
  oauthAuthorizationServerMetadataValidator,
  oauthProtectedResourceMetadataSchema
} from "@atproto/oauth-types"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Host, origin, startHost } from "../../support/http/httpHost.ts"

let host: Host

beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

const server = "/.well-known/oauth-authorization-server"
const resource = "/.well-known/oauth-protected-resource"

describe("OAuth metadata", () => {
  it("the metadata satisfies the official client", async () => {
    const { status, headers, body } = await host.ask(server)
    assert.strictEqual(status, 200)
    assert.match(headers.get("content-type") ?? "", /^application\/json/)
    const metadata = oauthAuthorizationServerMetadataValidator.parse(body)
    assert.strictEqual(metadata.issuer, origin)
    assert.strictEqual(metadata.client_id_metadata_document_supported, true)
    assert.strictEqual(metadata.require_pushed_authorization_requests, true)
    assert.strictEqual(metadata.authorization_response_iss_parameter_supported, true)
    assert.deepStrictEqual(metadata.code_challenge_methods_supported, ["S256"])
    assert.deepStrictEqual(metadata.token_endpoint_auth_methods_supported, [
      "none",
      "private_key_jwt"
    ])
    assert.include(metadata.scopes_supported ?? [], "atproto")
    assert.deepStrictEqual(metadata.protected_resources, [origin])
    for (const algorithms of [
      metadata.dpop_signing_alg_values_supported,
      metadata.token_endpoint_auth_signing_alg_values_supported
    ]) {
      assert.include(algorithms ?? [], "ES256")
      assert.isEmpty(algorithms?.filter((algorithm) => /^(none|HS)/.test(algorithm)))
    }
  })

  it("the metadata names endpoints that exist", async () => {
    const { body } = await host.ask(server)
    for (const name of ["pushed_authorization_request", "token", "revocation"]) {
      const path = String(body[`${name}_endpoint`]).slice(origin.length)
      assert.strictEqual((await host.ask(path, { method: "POST" })).status, 400)
    }
    const keys = await host.ask(String(body["jwks_uri"]).slice(origin.length))
    assert.deepStrictEqual(keys.body, { keys: [] })
  })

  it("the metadata names this server as its own authorization server", async () => {
    const { status, body } = await host.ask(resource)
    assert.strictEqual(status, 200)
    const metadata = oauthProtectedResourceMetadataSchema.parse(body)
    assert.strictEqual(metadata.resource, origin)
    assert.deepStrictEqual(metadata.authorization_servers, [origin])
  })

  it("the metadata is readable from every origin and cacheable for some minutes", async () => {
    for (const path of [server, resource, "/oauth/jwks"]) {
      const { headers } = await host.ask(path, { headers: { origin: "https://app.example.com" } })
      assert.strictEqual(headers.get("access-control-allow-origin"), "*")
      assert.strictEqual(headers.get("cache-control"), "public, max-age=300")
      const head = await host.ask(path, { method: "HEAD" })
      assert.strictEqual(head.status, 200)
      const wrong = await host.ask(path, { method: "DELETE" })
      assert.deepStrictEqual([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"])
    }
  })
})
