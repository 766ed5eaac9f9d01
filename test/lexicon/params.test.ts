import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { builtIn } from "../../src/core/lexicon/Lexicons.ts"

const parse = (nsid: string, query: string) => builtIn.parseParams(nsid, new URLSearchParams(query))

const listRecords = (query: string) =>
  parse("com.atproto.repo.listRecords", `repo=a.example&collection=app.bsky.feed.post&${query}`)

const value = (result: ReturnType<typeof parse>) => Result.merge(result)

describe("query parameters", () => {
  it("parseParams returns typed values with the lexicon's defaults", () => {
    assert.deepStrictEqual(value(listRecords("reverse=true&cursor=3jzfcijpj2z2a")), {
      repo: "a.example",
      collection: "app.bsky.feed.post",
      limit: 50,
      cursor: "3jzfcijpj2z2a",
      reverse: true
    })
  })

  it("parseParams rejects an integer that is malformed or out of bounds", () => {
    for (const text of [
      "abc",
      "1.5",
      "1e1",
      " 1",
      "0x10",
      "99999999999999999999",
      "9007199254740993"
    ]) {
      const result = value(listRecords(`limit=${encodeURIComponent(text)}`))
      assert.deepInclude(result, { path: "limit" }, text)
    }
    assert.deepStrictEqual(value(listRecords("limit=0")), {
      path: "limit",
      message: "must not be less than 1"
    })
    assert.deepStrictEqual(value(listRecords("limit=101")), {
      path: "limit",
      message: "must not be greater than 100"
    })
  })

  it("parseParams rejects a boolean that is neither true nor false", () => {
    assert.deepStrictEqual(value(listRecords("reverse=1")), {
      path: "reverse",
      message: "must be a boolean"
    })
  })

  it("parseParams rejects a repeated single parameter", () => {
    assert.deepStrictEqual(value(listRecords("limit=1&limit=2")), {
      path: "limit",
      message: "must be given once"
    })
  })

  it("parseParams rejects a missing required parameter or an invalid format", () => {
    const nsid = "com.atproto.identity.resolveHandle"
    assert.deepStrictEqual(value(parse(nsid, "")), { path: "handle", message: "is required" })
    assert.deepStrictEqual(value(parse(nsid, "handle=nodots")), {
      path: "handle",
      message: "must be a valid handle"
    })
  })

  it("parseParams accepts repeated list parameters, and checks each element", () => {
    const nsid = "com.atproto.admin.getAccountInfos"
    assert.deepStrictEqual(value(parse(nsid, "dids=did:web:a.example&dids=did:web:b.example")), {
      dids: ["did:web:a.example", "did:web:b.example"]
    })
    assert.deepStrictEqual(value(parse(nsid, "dids=did:web:a.example&dids=b")), {
      path: "dids[1]",
      message: "must be a valid did"
    })
    assert.deepStrictEqual(value(parse(nsid, "dids=did:web:a.example")), {
      dids: ["did:web:a.example"]
    })
  })

  it("parseParams treats an empty value as absent, whatever the parameter's type", () => {
    const plain = value(listRecords(""))
    for (const query of ["cursor=", "limit=", "reverse=", "cursor=&limit=&reverse=&cursor="]) {
      assert.deepStrictEqual(value(listRecords(query)), plain, query)
    }
    assert.deepInclude(value(listRecords("limit=&limit=5")), { limit: 5 })
    assert.deepStrictEqual(value(parse("com.atproto.identity.resolveHandle", "handle=")), {
      path: "handle",
      message: "is required"
    })
    const dids = (query: string) => value(parse("com.atproto.admin.getAccountInfos", query))
    assert.deepStrictEqual(dids("dids=&dids=did:web:a.example"), { dids: ["did:web:a.example"] })
    assert.deepStrictEqual(dids("dids=&dids="), { path: "dids", message: "is required" })
  })

  it("parseParams reads list parameters with brackets, with or without an index", () => {
    const nsid = "com.atproto.admin.getAccountInfos"
    const both = { dids: ["did:web:a.example", "did:web:b.example"] }
    for (const query of [
      "dids[]=did:web:a.example&dids[]=did:web:b.example",
      "dids[0]=did:web:a.example&dids[1]=did:web:b.example",
      "dids%5B%5D=did:web:a.example&dids=did:web:b.example"
    ]) {
      assert.deepStrictEqual(value(parse(nsid, query)), both, query)
    }
    assert.isTrue(Result.isFailure(parse(nsid, "dids[x]=did:web:a.example")))
    assert.deepInclude(value(listRecords("limit[]=7")), { limit: 50 })
  })

  it("parseParams ignores unknown parameters", () => {
    assert.deepStrictEqual(
      value(parse("com.atproto.identity.resolveHandle", "handle=a.example&__proto__=x&foo=1")),
      { handle: "a.example" }
    )
  })

  it("parseParams rejects the parameters of an unknown method", () => {
    assert.isTrue(Result.isFailure(parse("com.example.nothing", "")))
    assert.isTrue(Result.isFailure(parse("app.bsky.feed.post", "")))
  })
})
