import * as Package from "@atproto/syntax"
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { CID } from "multiformats/cid"
import * as Syntax from "../../src/core/lexicon/syntax.ts"

/**
 * Texts near the limits of each format: valid ones, with one character changed, added or removed.
 */
const near = (texts: ReadonlyArray<string>) => {
  const characters = "aZ059+-.:/#?T~%é \n"
  return texts.flatMap((text) => [
    text,
    ...Array.from(text).flatMap((_, i) => [
      text.slice(0, i) + text.slice(i + 1),
      ...Array.from(characters).flatMap((character) => [
        text.slice(0, i) + character + text.slice(i + 1),
        text.slice(0, i) + character + text.slice(i)
      ])
    ])
  ])
}

const disagreements = (
  texts: ReadonlyArray<string>,
  own: (text: string) => boolean,
  other: (text: string) => boolean
) => near(texts).filter((text) => own(text) !== other(text))

const readable = (text: string): boolean => {
  try {
    return CID.parse(text).version === 1
  } catch {
    return false
  }
}

const strictAtUri = (text: string): boolean => Package.isAtUriString(text)
const strictLanguage = (text: string): boolean => Package.parseLanguageString(text) !== null

describe("syntax", () => {
  it("isDatetime agrees with @atproto/syntax", () => {
    const texts = [
      "2026-11-20T12:00:00.000Z",
      "2024-02-29T23:59:59.123456+09:00",
      "2023-02-28T00:00:00Z",
      "0000-01-01T00:00:00.000Z"
    ]
    assert.deepStrictEqual(disagreements(texts, Syntax.isDatetime, Package.isDatetimeString), [])
  })

  it("isAtUri agrees with @atproto/syntax", () => {
    const texts = [
      "at://did:plc:ewvi7nxzyoun6zhxrhs64oiz/app.bsky.feed.post/3jzfcijpj2z2a",
      "at://a.example/com.example.record/self#/frag",
      "at://a.example"
    ]
    assert.deepStrictEqual(disagreements(texts, Syntax.isAtUri, strictAtUri), [])
  })

  it("isLanguage agrees with @atproto/syntax", () => {
    const texts = ["en", "pt-BR", "zh-Hant-TW", "en-u-co-phonebk-x-private", "i-klingon"]
    assert.deepStrictEqual(disagreements(texts, Syntax.isLanguage, strictLanguage), [])
  })

  it("isCid agrees with multiformats about CIDv1", () => {
    const texts = [
      "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
      "bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4",
      "zdj7WWeQ43G6JJvLWQWZpyHuAMq6uYWRjkBXFad11vE2LHhQ7"
    ]
    assert.deepStrictEqual(disagreements(texts, Syntax.isCid, readable), [])
    assert.isFalse(Syntax.isCid("QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR"))
    assert.isFalse(Syntax.isCidText(`b${"a".repeat(200)}`))
  })

  it("parseAtUri splits an AT URI into its parts", () => {
    const { parseAtUri } = Syntax
    assert.deepStrictEqual(parseAtUri("at://a.example"), { authority: "a.example" })
    assert.deepStrictEqual(parseAtUri("at://did:web:a.example/com.example.record/x#/frag"), {
      authority: "did:web:a.example",
      collection: "com.example.record",
      rkey: "x"
    })
    for (const text of [
      "at://a.example/",
      "at://nodots",
      "at://a.example/x/y",
      "https://a.example"
    ]) {
      assert.isUndefined(parseAtUri(text), text)
    }
    assert.isUndefined(parseAtUri(`at://a.example/com.example.record/x#/${"a".repeat(9000)}`))
  })

  it("isHandle accepts punycode and any case, which normalizeHandle lower-cases", () => {
    assert.isTrue(Syntax.isHandle("xn--ls8h.Example.com"))
    assert.strictEqual(Syntax.normalizeHandle("Alice.Example.COM"), "alice.example.com")
    assert.isFalse(Syntax.isHandle("alice"))
    assert.isFalse(Syntax.isHandle("alice.example.com\n"))
  })

  it.prop("no format check throws for any text", [Schema.String], ([text]) => {
    for (const check of Object.values(Syntax.formats)) assert.isBoolean(check(text))
    Syntax.parseAtUri(`at://${text}`)
    assert.isFalse(Syntax.isUri(`https://example.com/ ${text}`))
  })

  it("every format check stays fast on long hostile texts", () => {
    // Not timed: a regular expression with unbounded backtracking would never return.
    for (const check of Object.values(Syntax.formats)) {
      for (const unit of ["a", "a-", "a.", "-a", "1", "did:", "en-a-"]) {
        assert.isBoolean(check(unit.repeat(200_000)))
      }
    }
  })
})
