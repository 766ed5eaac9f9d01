import { assert, describe, it } from "@effect/vitest"
import { matchesRedirect, redirectFault } from "../../../src/core/oauth/redirectUri.ts"

const clientUrl = new URL("https://app.example.com/client-metadata.json")
const web = { clientUrl, applicationType: "web" } as const
const native = { clientUrl, applicationType: "native" } as const

/** Known tricks, which no kind of client may register. */
const tricks = [
  "",
  "/callback",
  "//app.example.com/callback",
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  "java.script:alert(1)",
  "data:text/html,hello",
  "data.example:text/html,hello",
  "vbscript:msgbox(1)",
  "file:///etc/passwd",
  "blob:https://app.example.com/0",
  "about:blank",
  "ftp://app.example.com/callback",
  "http://app.example.com/callback",
  "http://example.com/callback",
  "HTTP://127.0.0.1/callback",
  "HTTPS://app.example.com/callback",
  "https:app.example.com/callback",
  "https:/app.example.com/callback",
  "https:///app.example.com/callback",
  "https://user@app.example.com/callback",
  "https://user:word@app.example.com/callback",
  "https://@app.example.com/callback",
  "https://app.example.com@evil.com/callback",
  "https://app.example.com/callback#part",
  "https://app.example.com/callback#",
  "https://APP.example.com/callback",
  "https://app.example.com./callback",
  "https://app.example.com:443/callback",
  "https://app.example.com/a/../callback",
  "https://app.example.com/./callback",
  "https://app.example.com/%2e%2e/callback",
  "https://app.example.com/a%2Fcallback",
  "https://app.example.com/a%5ccallback",
  "https://app.example.com/a%2Ecallback",
  "https://app.example.com\\callback",
  "https://app.example.com/call back",
  "https://app.example.com/call\tback",
  "https://app.example.com/callback\n",
  " https://app.example.com/callback",
  "https://localhost/callback",
  "https://127.0.0.1/callback",
  "https://[::1]/callback",
  "https://10.0.0.1/callback",
  "https://intranet/callback",
  "https://app.local/callback",
  "https://app.test/callback",
  "https://app.example/callback",
  "http://localhost",
  "http://localhost/callback",
  "http://localhost:3000/callback",
  "http://localhost.evil.com/callback",
  "http://127.0.0.1.evil.com/callback",
  "http://127.0.0.1@evil.com/callback",
  "http://127.0.0.1:80@evil.com/callback",
  "http://user@127.0.0.1/callback",
  "http://127.0.0.2/callback",
  "http://127.1/callback",
  "http://2130706433/callback",
  "http://0x7f.0.0.1/callback",
  "http://127.0.0.1./callback",
  "http://0.0.0.0/callback",
  "http://[::ffff:127.0.0.1]/callback",
  "http://[0:0:0:0:0:0:0:1]/callback",
  "http://[::1%25lo]/callback",
  "http://127.0.0.1:0/callback",
  "http://127.0.0.1:99999/callback",
  "http://127.0.0.1:/callback",
  "http://127.0.0.1:3000x/callback",
  "http://127.0.0.1/callback#part",
  "http://127.0.0.1/a/../callback",
  "http://127.0.0.1/%2e%2e/callback",
  "http://127.0.0.1/a%2fcallback",
  "http://127.0.0.1/call\nback",
  "http://127.0.0.1\\callback",
  "com.example.app",
  "com.example.app:",
  "com.example.app:callback",
  "com.example.app://callback",
  "com.example.app:///callback",
  "com.example.app:/callback#part",
  "com.example.app:/a/../callback",
  "com.example.app:/%2e%2e/callback",
  "com.example.app:/a%2fcallback",
  "com.example.app:/call back",
  "com.example.app:/call\nback",
  "COM.example.app:/callback",
  "com.example.application:/callback",
  "com.example:/callback",
  "app.example.com:/callback",
  "com.evil.app:/callback",
  "com.example.app.evil:/callback",
  "app:/callback",
  `https://app.example.com/${"a".repeat(3000)}`
]

const webOnly = [
  "https://other.example.com/callback",
  "https://app.example.com:8443/callback",
  "https://8.8.8.8/callback"
]
const both = [
  "https://app.example.com",
  "https://app.example.com/",
  "https://app.example.com/callback",
  "https://app.example.com/callback?next=%2Fhome&a=1",
  "https://app.example.com?a=1"
]
const nativeOnly = [
  "com.example.app:/",
  "com.example.app:/callback",
  "com.example.app:/a/b?c=%2Fd",
  "http://127.0.0.1",
  "http://127.0.0.1/",
  "http://127.0.0.1/callback",
  "http://127.0.0.1:3000/callback?a=1",
  "http://[::1]/callback",
  "http://[::1]:65535/callback"
]

describe("redirect URIs", () => {
  for (const uri of tricks) {
    it(`no client may register ${JSON.stringify(uri.slice(0, 60))}`, () => {
      assert.isDefined(redirectFault(uri, web))
      assert.isDefined(redirectFault(uri, native))
    })
  }

  for (const uri of both) {
    it(`any client may register ${uri}`, () => {
      assert.isUndefined(redirectFault(uri, web))
      assert.isUndefined(redirectFault(uri, native))
    })
  }

  for (const uri of webOnly) {
    it(`only a web app may register ${uri}`, () => {
      assert.isUndefined(redirectFault(uri, web))
      assert.match(redirectFault(uri, native) ?? "", /origin of its client_id/)
    })
  }

  for (const uri of nativeOnly) {
    it(`only a native app may register ${uri}`, () => {
      assert.isUndefined(redirectFault(uri, native))
      assert.match(redirectFault(uri, web) ?? "", /native/)
    })
  }

  it("a development host may use http and a loopback port, exactly as allowed", () => {
    const owner = { ...web, allowHosts: ["127.0.0.1:1234"] }
    assert.isUndefined(redirectFault("http://127.0.0.1:1234/callback", owner))
    assert.isDefined(redirectFault("http://127.0.0.1:1235/callback", owner))
    assert.isDefined(redirectFault("http://127.0.0.1:1234/callback#part", owner))
  })
})

describe("the redirect URI of a request", () => {
  const registered = [
    "https://app.example.com/callback",
    "http://127.0.0.1/callback?a=1",
    "http://[::1]:3000",
    "com.example.app:/callback"
  ]
  const nativeClient = { applicationType: "native", redirectUris: registered } as const
  const webClient = { applicationType: "web", redirectUris: registered } as const

  for (const uri of registered) {
    it(`a request matches the registered ${uri}`, () => {
      assert.isTrue(matchesRedirect(nativeClient, uri))
      assert.isTrue(matchesRedirect(webClient, uri))
    })
  }

  const onAnyPort = [
    "http://127.0.0.1:51234/callback?a=1",
    "http://127.0.0.1:80/callback?a=1",
    "http://[::1]",
    "http://[::1]/",
    "http://[::1]:4000/"
  ]
  for (const uri of onAnyPort) {
    it(`a native app's request matches another loopback port: ${uri}`, () => {
      assert.isTrue(matchesRedirect(nativeClient, uri))
      assert.isFalse(matchesRedirect(webClient, uri))
    })
  }

  const other = [
    "",
    "https://app.example.com/callback/",
    "https://app.example.com/callback?a=1",
    "https://app.example.com/callback#part",
    "https://app.example.com/Callback",
    "https://app.example.com:443/callback",
    "https://app.example.com:8443/callback",
    "https://APP.example.com/callback",
    "https://app.example.com/a/../callback",
    "https://app.example.com/%63allback",
    "https://user@app.example.com/callback",
    "https://app.example.com",
    "https://app.example.com.evil.com/callback",
    "http://app.example.com/callback",
    "http://127.0.0.1/callback",
    "http://127.0.0.1/callback?a=2",
    "http://127.0.0.1/callback?a=1&b=2",
    "http://127.0.0.1/callback?a=1#part",
    "http://127.0.0.1/Callback?a=1",
    "http://127.0.0.1/x/../callback?a=1",
    "http://127.0.0.1/%63allback?a=1",
    "http://localhost:3000/callback?a=1",
    "http://127.0.0.2:3000/callback?a=1",
    "http://127.1:3000/callback?a=1",
    "http://[::1]/callback?a=1",
    "http://user@127.0.0.1:3000/callback?a=1",
    "http://127.0.0.1:3000@evil.com/callback?a=1",
    "http://127.0.0.1:0/callback?a=1",
    "http://127.0.0.1:70000/callback?a=1",
    "https://127.0.0.1:3000/callback?a=1",
    "com.example.app:/callback/",
    "com.example.app://callback",
    "com.example.app:/callback?a=1",
    "COM.example.app:/callback"
  ]
  for (const uri of other) {
    it(`a request doesn't match ${JSON.stringify(uri)}`, () => {
      assert.isFalse(matchesRedirect(nativeClient, uri))
      assert.isFalse(matchesRedirect(webClient, uri))
    })
  }
})
