import { assert, describe, it } from "@effect/vitest"
import { calledUrl } from "../../src/core/lexicon/calledUrl.ts"

const paths = [
  "/xrpc/com.atproto.repo.getRecord",
  "/xrpc/com.atproto.repo.getRecord/",
  "/xrpc/../admin",
  "/xrpc/.hidden",
  "/xrpc/%2e%2e/admin",
  "/xrpc//a",
  "/xrpc/é",
  "/xrpc\\a",
  "/",
  ""
]

const queries = [
  "",
  "?",
  "?repo=did%3Aplc%3Aa&collection=app.bsky.feed.post",
  "?repo=did:web:a.example.com%253A80",
  "?a=1&a=2&&b&=c&a=",
  "?a+b=c+d%2B",
  "?q=%C3%A9%20%F0%9F%98%80",
  "?q=é",
  "?q=%",
  "?q=%zz&r=1",
  "?q=%FF&r=1",
  "?q=%EF%BB%BFa",
  "?q=%00",
  "?q='\"<>",
  "?q=a#b",
  "?q=a?b=c",
  "?tags[]=a&tags[1]=b",
  "?tags%5B%5D=a"
]

describe("calledUrl", () => {
  it("a URL has the parts that the platform's parser finds", () => {
    for (const origin of ["http://localhost:8787", "https://pds.example.com", "http://[::1]:80"]) {
      for (const path of paths) {
        for (const query of queries) {
          const text = `${origin}${path}${query}`
          const [own, platform] = [calledUrl(text), new URL(text)]
          assert.strictEqual(own.pathname, platform.pathname, text)
          assert.strictEqual(own.search, platform.search, text)
          assert.deepStrictEqual([...own.searchParams], [...platform.searchParams], text)
          for (const name of ["a", "q", "repo", "tags[]", ""]) {
            assert.deepStrictEqual(
              own.searchParams.getAll(name),
              platform.searchParams.getAll(name)
            )
          }
        }
      }
    }
  })

  it("a text that is no URL throws", () => {
    assert.throws(() => calledUrl("/xrpc/a"))
  })
})
