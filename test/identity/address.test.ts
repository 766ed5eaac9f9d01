import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { checkFetchUrl, originOf } from "../../src/core/identity/address.ts"

const open = [
  "https://example.com/",
  "https://example.com:443/path?query#fragment",
  "https://pds.sub.example.co.uk/.well-known/did.json",
  "https://xn--bcher-kva.example.com/",
  "https://bücher.example.com/",
  "https://_dmarc.example.com/",
  "https://8.8.8.8/",
  "https://192.0.1.1/",
  "https://172.15.255.255/",
  "https://172.32.0.1/",
  "https://100.63.255.255/",
  "https://100.128.0.1/",
  "https://223.255.255.255/",
  "https://[2606:4700:4700::1111]/",
  "https://[2001:4860:4860::8888]/",
  "https://[::ffff:8.8.8.8]/"
]

const hostile: Readonly<Record<string, ReadonlyArray<string>>> = {
  "a scheme that is not https": [
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "blob:https://example.com/0",
    "wss://example.com/",
    "//example.com/",
    "example.com",
    ""
  ],
  credentials: [
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://:password@example.com/",
    "https://example.com@127.0.0.1/"
  ],
  "a port": ["https://example.com:8443/", "https://example.com:80/", "https://example.com:22/"],
  "loopback in every notation": [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.255.255.254/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://0/",
    "https://0.0.0.0/"
  ],
  "private and special IPv4": [
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    "https://169.254.169.254/latest/meta-data/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.0.0.1/",
    "https://192.0.2.1/",
    "https://192.88.99.1/",
    "https://192.168.1.1/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://198.51.100.7/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://239.255.255.255/",
    "https://240.0.0.1/",
    "https://255.255.255.255/"
  ],
  "IPv6 that is not global unicast": [
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[::ffff:10.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[100::1]/",
    "https://[2001::1]/",
    "https://[2001:10::1]/",
    "https://[2001:20::1]/",
    "https://[2001:db8::1]/",
    "https://[2002:7f00:1::]/",
    "https://[3fff::1]/",
    "https://[4000::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[fe80::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/"
  ],
  "a name that is not public": [
    "https://localhost/",
    "https://LOCALHOST/",
    "https://localhost./",
    "https://intranet/",
    "https://com/",
    "https://example.com./",
    "https://printer.local/",
    "https://a.localhost/",
    "https://metadata.google.internal/",
    "https://x.invalid/",
    "https://x.example/",
    "https://x.test/",
    "https://x.onion/",
    "https://x.alt/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://x.ARPA/",
    "https://x.123/",
    "https://exa_mple-.com/",
    "https://a..com/"
  ],
  "text that is no URL": [
    "https://",
    "https:///",
    "https://exa mple.com/",
    "https://example.com\\@127.0.0.1/",
    "https:\\\\127.0.0.1/",
    "ht\ntps://example.com/",
    "https://[::1/",
    "https://256.256.256.256/",
    `https://example.com/${"a".repeat(5000)}`
  ]
}

describe("checkFetchUrl", () => {
  for (const url of open) {
    it(`checkFetchUrl accepts ${url}`, () => {
      assert.isTrue(Result.isSuccess(checkFetchUrl(url)))
    })
  }

  for (const [what, urls] of Object.entries(hostile)) {
    describe(`checkFetchUrl rejects ${what}`, () => {
      for (const url of urls) {
        it(JSON.stringify(url.slice(0, 60)), () => {
          const checked = checkFetchUrl(url)
          assert.isTrue(Result.isFailure(checked), `let ${url} through`)
        })
      }
    })
  }

  it("checkFetchUrl allows exactly the listed hosts, over http too", () => {
    const allow = ["localhost:2582", "127.0.0.1"]
    assert.isTrue(Result.isSuccess(checkFetchUrl("http://localhost:2582/did:plc:x", allow)))
    assert.isTrue(Result.isSuccess(checkFetchUrl("http://127.0.0.1:9999/", allow)))
    assert.isTrue(Result.isSuccess(checkFetchUrl("https://127.0.0.1/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("http://localhost:2583/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("http://localhost/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("http://127.0.0.2/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("http://user@localhost:2582/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("ftp://localhost:2582/", allow)))
    assert.isTrue(Result.isFailure(checkFetchUrl("http://example.com/", allow)))
  })

  it("originOf returns http for listed hosts, with their listed port", () => {
    const allow = ["alice.localhost:4000", "bob.localhost"]
    assert.strictEqual(originOf("alice.localhost", allow), "http://alice.localhost:4000")
    assert.strictEqual(originOf("bob.localhost", allow), "http://bob.localhost")
    assert.strictEqual(originOf("alice.example.com", allow), "https://alice.example.com")
  })
})
