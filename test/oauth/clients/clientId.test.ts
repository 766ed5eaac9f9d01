import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { parseClientId } from "../../../src/core/oauth/clientId.ts"

const reasonOf = (id: string, allowHosts?: ReadonlyArray<string>): string => {
  const parsed = parseClientId(id, allowHosts)
  return Result.isSuccess(parsed) ? `accepted as ${parsed.success.kind}` : parsed.failure
}

describe("client ids on the web", () => {
  const accepted = [
    "https://app.example.com/client-metadata.json",
    "https://example.com/oauth-client-metadata.json",
    "https://example.com/a",
    "https://example.com/a/b/c.json?tenant=1",
    "https://xn--bcher-kva.example.com/client.json",
    "https://example.com/%7Euser/client.json"
  ]
  for (const id of accepted) {
    it(`parseClientId accepts ${id}`, () => {
      assert.deepEqual(
        parseClientId(id),
        Result.succeed({ kind: "discoverable", url: new URL(id) })
      )
    })
  }

  const refused: ReadonlyArray<readonly [id: string, reason: RegExp]> = [
    ["", /not a URL/],
    ["app.example.com", /not a URL/],
    ["did:web:example.com", /not an https URL/],
    ["http://example.com/client.json", /not an https URL/],
    ["ftp://example.com/client.json", /not an https URL/],
    ["javascript:alert(1)", /not an https URL/],
    ["data:application/json,{}", /not an https URL/],
    ["https://example.com", /no path/],
    ["https://example.com/", /no path/],
    ["https://example.com/?client=1", /no path/],
    ["https://example.com/client/", /ends with a slash/],
    ["https://example.com:8443/client.json", /names a port/],
    ["https://example.com:443/client.json", /canonical/],
    ["https://user@example.com/client.json", /credentials/],
    ["https://user:word@example.com/client.json", /credentials/],
    ["https://@example.com/client.json", /canonical/],
    ["https://example.com/client.json#part", /fragment/],
    ["https://example.com/client.json#", /fragment/],
    ["https://8.8.8.8/client.json", /must be a name/],
    ["https://[2606:4700:4700::1111]/client.json", /must be a name/],
    ["https://127.0.0.1/client.json", /not public/],
    ["https://2130706433/client.json", /not public/],
    ["https://10.0.0.1/client.json", /not public/],
    ["https://169.254.169.254/latest", /not public/],
    ["https://[::1]/client.json", /not public/],
    ["https://localhost/client.json", /not public/],
    ["https://intranet/client.json", /not public/],
    ["https://app.local/client.json", /not public/],
    ["https://app.test/client.json", /not public/],
    ["https://app.internal/client.json", /not public/],
    ["https://app.example/client.json", /not public/],
    ["https://example.com./client.json", /not public/],
    ["https://EXAMPLE.com/client.json", /canonical/],
    ["HTTPS://example.com/client.json", /canonical/],
    ["https://bücher.example.com/client.json", /canonical/],
    ["https://example.com/a/../client.json", /canonical/],
    ["https://example.com/./client.json", /canonical/],
    ["https://example.com/%2e%2e/client.json", /canonical/],
    ["https://example.com/a b.json", /canonical/],
    [" https://example.com/client.json", /canonical/],
    ["https://example.com/client.json\n", /not a URL/],
    ["https://example.com\\client.json", /not a URL/],
    ["https:/example.com/client.json", /canonical/],
    [`https://example.com/${"a".repeat(5000)}`, /too long/]
  ]
  for (const [id, reason] of refused) {
    it(`parseClientId rejects ${JSON.stringify(id.slice(0, 60))}`, () => {
      assert.match(reasonOf(id), reason)
    })
  }
})

describe("client ids on development hosts", () => {
  const allowHosts = ["127.0.0.1:1234", "localhost:4000"]

  for (const id of ["http://127.0.0.1:1234/client.json", "http://localhost:4000/client.json"]) {
    it(`parseClientId accepts ${id} if its host is allowed`, () => {
      assert.strictEqual(reasonOf(id, allowHosts), "accepted as discoverable")
      assert.notStrictEqual(reasonOf(id), "accepted as discoverable")
    })
  }

  it("an allowed host exempts no other port or host", () => {
    assert.match(reasonOf("http://127.0.0.1:1235/client.json", allowHosts), /https/)
    assert.match(reasonOf("http://127.0.0.2:1234/client.json", allowHosts), /https/)
    assert.match(reasonOf("http://localhost:4001/client.json", allowHosts), /loopback/)
  })

  it("an allowed host's id must still be canonical", () => {
    assert.match(reasonOf("http://127.0.0.1:1234/a/../client.json", allowHosts), /canonical/)
    assert.match(reasonOf("http://127.0.0.1:1234/", allowHosts), /no path/)
  })
})

describe("loopback client ids", () => {
  const clientOf = (id: string) => {
    const parsed = Result.getOrUndefined(parseClientId(id))
    return parsed?.kind === "loopback" ? parsed.client : assert.fail(reasonOf(id))
  }

  for (const id of [
    "http://localhost",
    "http://localhost/",
    "http://localhost?",
    "http://localhost/?"
  ]) {
    it(`${id} is a native public client with both loopback addresses`, () => {
      assert.deepStrictEqual(clientOf(id), {
        id,
        kind: "loopback",
        applicationType: "native",
        redirectUris: ["http://127.0.0.1/", "http://[::1]/"],
        scope: "atproto",
        grantTypes: ["authorization_code", "refresh_token"],
        authMethod: "none"
      })
    })
  }

  it("a loopback client takes its redirect URIs and its scope from the parameters", () => {
    const uris = ["http://127.0.0.1:3000/callback", "http://[::1]/callback?a=1"]
    const query = new URLSearchParams([
      ...uris.map((uri) => ["redirect_uri", uri]),
      ["scope", "atproto transition:generic repo:app.bsky.feed.post?action=create"]
    ])
    for (const start of ["http://localhost?", "http://localhost/?"]) {
      const client = clientOf(start + query.toString())
      assert.deepStrictEqual(client.redirectUris, uris)
      assert.strictEqual(
        client.scope,
        "atproto transition:generic repo:app.bsky.feed.post?action=create"
      )
    }
  })

  const refused: ReadonlyArray<readonly [id: string, reason: RegExp]> = [
    ["http://localhost:3000", /without port/],
    ["http://localhost:80/", /without port/],
    ["http://localhost/client.json", /without port and path/],
    ["http://localhost//", /without port and path/],
    ["http://localhost#", /loopback/],
    ["http://localhost?scope=atproto#part", /fragment/],
    ["http://localhost.example.com/?scope=atproto", /loopback/],
    ["http://localhost@example.com/", /loopback/],
    ["http://LOCALHOST/", /https/],
    ["https://localhost", /not public/],
    ["http://127.0.0.1/", /https/],
    ["http://[::1]/", /https/],
    ["http://localhost?client_name=Example", /redirect_uri and scope only/],
    ["http://localhost?scope=atproto&scope=atproto", /twice/],
    ["http://localhost?scope=", /scope/],
    ["http://localhost?scope=transition:generic", /atproto among them/],
    ["http://localhost?scope=atproto%20%20transition:generic", /one space/],
    ["http://localhost?scope=atproto%09x", /one space/],
    ["http://localhost?redirect_uri=", /scheme/],
    ["http://localhost?redirect_uri=http://localhost/", /RFC 8252/],
    ["http://localhost?redirect_uri=https://example.com/", /loopback client's/],
    ["http://localhost?redirect_uri=https://127.0.0.1/", /loopback client's/],
    ["http://localhost?redirect_uri=http://10.0.0.1/", /127\.0\.0\.1/],
    ["http://localhost?redirect_uri=http://127.0.0.1/%23part", /127\.0\.0\.1/],
    ["http://localhost?redirect_uri=com.example.app:/callback", /scheme/],
    ["http://localhost?redirect_uri=javascript:alert(1)", /scheme/],
    ["http://localhost?redirect_uri=http://127.0.0.1/&redirect_uri=http://example.com/", /127/]
  ]
  for (const [id, reason] of refused) {
    it(`parseClientId rejects the loopback id ${id}`, () => {
      assert.match(reasonOf(id), reason)
    })
  }
})
