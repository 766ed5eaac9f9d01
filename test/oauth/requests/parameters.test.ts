import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkMetadata } from "../../../src/core/oauth/clientMetadata.ts"
import { checkParameters } from "../../../src/core/oauth/parameters.ts"
import type { Client } from "../../../src/core/oauth/types.ts"
import { clientId, confidential, publicNative, publicWeb } from "../clients/clientWorld.ts"

const clientOf = (document: unknown): Client => {
  const checked = checkMetadata(new URL(clientId), document)
  return Result.isSuccess(checked) ? checked.success : assert.fail(checked.failure.reason)
}
const web = clientOf(publicWeb)
const native = clientOf(publicNative)
const server = clientOf(confidential)

const good = {
  client_id: clientId,
  response_type: "code",
  redirect_uri: "https://app.example.com/callback",
  scope: "atproto transition:generic",
  state: "state-1",
  code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
  code_challenge_method: "S256"
}

type Changes = Readonly<Record<string, string | undefined>>

const check = (changes: Changes, client: Client) => {
  const form = new Map<string, string>()
  for (const [name, value] of Object.entries({ ...good, ...changes })) {
    if (value !== undefined) form.set(name, value)
  }
  return checkParameters(client, form)
}
const requestOf = (changes: Changes, client = web) => {
  const checked = check(changes, client)
  return Result.isSuccess(checked) ? checked.success : assert.fail(checked.failure.reason)
}
const faultOf = (changes: Changes, client = web) => {
  const checked = check(changes, client)
  return Result.isSuccess(checked) ? assert.fail("the request was accepted") : checked.failure
}

describe("the parameters of a pushed request", () => {
  it("checkParameters reads a request and ignores unknown parameters", () => {
    assert.deepStrictEqual(requestOf({ max_age: "0", claims: "{}", toString: "x" }), {
      clientId,
      redirectUri: "https://app.example.com/callback",
      scope: "atproto transition:generic",
      state: "state-1",
      codeChallenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      responseMode: "query"
    })
  })

  it("checkParameters accepts every optional parameter", () => {
    const request = requestOf({
      prompt: "select_account",
      login_hint: "alice.example.com",
      nonce: "n-1",
      display: "popup",
      ui_locales: "fr-CA fr en",
      response_mode: "form_post"
    })
    assert.strictEqual(request.prompt, "select_account")
    assert.strictEqual(request.loginHint, "alice.example.com")
    assert.strictEqual(request.nonce, "n-1")
    assert.strictEqual(request.display, "popup")
    assert.strictEqual(request.uiLocales, "fr-CA fr en")
    assert.strictEqual(request.responseMode, "form_post")
  })

  it("checkParameters treats empty parameters as missing", () => {
    const empty = {
      prompt: "",
      login_hint: "",
      nonce: "",
      display: "",
      ui_locales: "",
      request: ""
    }
    assert.deepStrictEqual(requestOf({ ...empty, response_mode: "" }), requestOf({}))
  })

  it("the redirect URI may be missing if the client has exactly one", () => {
    const { redirectUri } = requestOf({ redirect_uri: undefined })
    assert.strictEqual(redirectUri, "https://app.example.com/callback")
    assert.match(faultOf({ redirect_uri: undefined }, native).reason, /several/)
  })

  it("a native app's loopback redirect keeps its port", () => {
    const redirect_uri = "http://127.0.0.1:51234/callback"
    assert.strictEqual(requestOf({ redirect_uri }, native).redirectUri, redirect_uri)
  })

  it("a confidential client may request a silent sign-in, and a public one may not", () => {
    assert.strictEqual(requestOf({ prompt: "none" }, server).prompt, "none")
    assert.strictEqual(faultOf({ prompt: "none" }).error, "consent_required")
  })

  for (const prompt of ["login", "consent", "select_account", "create"]) {
    it(`checkParameters accepts prompt=${prompt}`, () => {
      assert.strictEqual(requestOf({ prompt }).prompt, prompt)
    })
  }

  const hints: ReadonlyArray<readonly [given: string, meant: string]> = [
    ["alice.example.com", "alice.example.com"],
    ["Alice.Example.COM", "alice.example.com"],
    ["@alice.example.com", "alice.example.com"],
    [" alice.example.com ", "alice.example.com"],
    ["Alice@Example.com", "alice@example.com"],
    ["did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"],
    ["did:web:localhost%3A8787", "did:web:localhost%3A8787"]
  ]
  for (const [given, meant] of hints) {
    it(`checkParameters accepts the login hint ${JSON.stringify(given)}`, () => {
      assert.strictEqual(requestOf({ login_hint: given }).loginHint, meant)
    })
  }

  const hostileHints = [
    "alice",
    "https://pds.example.com",
    "did:plc:short",
    "did:example:alice",
    "<script>alert(1)</script>@example.com",
    '"><script>',
    "a b@example.com",
    `${"a".repeat(3000)}.com`
  ]
  for (const hint of hostileHints) {
    it(`checkParameters rejects the login hint ${JSON.stringify(hint.slice(0, 60))}`, () => {
      assert.match(faultOf({ login_hint: hint }).reason, /login_hint/)
    })
  }

  const refused: ReadonlyArray<readonly [what: string, changes: Changes, reason: RegExp]> = [
    ["no client", { client_id: undefined }, /client_id/],
    ["another client", { client_id: "https://other.example.com/client.json" }, /client_id/],
    ["no response type", { response_type: undefined }, /response_type/],
    ["a redirect URI of nobody", { redirect_uri: "https://evil.com/callback" }, /redirect_uri/],
    ["a longer redirect URI", { redirect_uri: `${good.redirect_uri}/../x` }, /redirect_uri/],
    ["a redirect URI on loopback", { redirect_uri: "http://127.0.0.1/callback" }, /redirect_uri/],
    ["no state", { state: undefined }, /state/],
    ["an empty state", { state: "" }, /state/],
    ["a state without end", { state: "a".repeat(2049) }, /state/],
    ["no challenge", { code_challenge: undefined }, /code_challenge/],
    ["no challenge, but its method", { code_challenge: "" }, /code_challenge is missing/],
    ["no method", { code_challenge_method: undefined }, /S256/],
    ["the method plain", { code_challenge_method: "plain" }, /S256/],
    ["the method in lower case", { code_challenge_method: "s256" }, /S256/],
    ["a short challenge", { code_challenge: good.code_challenge.slice(1) }, /SHA-256/],
    ["a long challenge", { code_challenge: `${good.code_challenge}A` }, /SHA-256/],
    ["a challenge in base64", { code_challenge: good.code_challenge.replace("-", "+") }, /SHA-256/],
    ["an unknown prompt", { prompt: "ask" }, /prompt/],
    ["two prompts", { prompt: "login consent" }, /prompt/],
    ["an unknown response mode", { response_mode: "web_message" }, /response_mode/],
    ["an unknown display", { display: "hologram" }, /display/],
    ["locales that are none", { ui_locales: "en, fr" }, /ui_locales/],
    ["a nonce without end", { nonce: "a".repeat(2049) }, /nonce/],
    ["a request object", { request: "eyJhbGciOiJub25lIn0.e30." }, /request/],
    ["a request_uri", { request_uri: "urn:ietf:params:oauth:request_uri:req-1" }, /request_uri/]
  ]
  for (const [what, changes, reason] of refused) {
    it(`checkParameters returns invalid_request for ${what}`, () => {
      const fault = faultOf(changes)
      assert.strictEqual(fault.error, "invalid_request")
      assert.match(fault.reason, reason)
    })
  }

  for (const response_type of ["token", "id_token", "code id_token", "none", "CODE"]) {
    it(`checkParameters rejects the response type ${response_type}`, () => {
      assert.strictEqual(faultOf({ response_type }).error, "unsupported_response_type")
    })
  }

  it("checkParameters rejects an overlong scope", () => {
    const long = (length: number) => `atproto ${"a".repeat(length - 8)}`
    assert.strictEqual(requestOf({ scope: long(16_384) }).scope.length, 16_384)
    assert.match(faultOf({ scope: long(16_385) }).reason, /too long/)
  })

  for (const scope of [undefined, "", " atproto", "atproto  x", "atproto\tx", 'atproto "x"', "ä"]) {
    it(`checkParameters rejects the scope ${JSON.stringify(scope)}`, () => {
      assert.strictEqual(faultOf({ scope }).error, "invalid_scope")
    })
  }
})
