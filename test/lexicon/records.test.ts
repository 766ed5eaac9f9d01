import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { Catalog } from "../../src/core/lexicon/Catalog.ts"
import { builtIn, findLegacyBlobs, isLegacyBlob } from "../../src/core/lexicon/Lexicons.ts"
import { official } from "../support/lexicons.ts"
import type { Definitions, Schema } from "../../src/core/lexicon/schema.ts"
import { fromJson } from "../../src/core/repo/json.ts"
import { image, postWithImage, samples } from "./samples.ts"

const blob = (fields: object = {}) => ({ ...image, ...fields })
const check = (record: Record<string, unknown>) =>
  builtIn.checkRecord(String(record["$type"]), fromJson(record))
const refs = (collection: string, record: unknown) =>
  builtIn.blobRefs(collection, fromJson(record)).map(({ cid, ...use }) => ({
    ...use,
    cid: cid.toString()
  }))

/** Checks a value against a record type whose only property has this schema. */
const checkProperty = (schema: Schema, value: unknown, extra: Definitions = {}) => {
  const record = { type: "object", properties: { it: schema } } as const
  const main = { type: "record", key: "any", record } as const
  const catalog = new Catalog({ "com.example.thing": { ...extra, main } })
  const data = { $type: "com.example.thing", it: value }
  const result = catalog.checkRecord("com.example.thing", data)
  return Result.isFailure(result) ? result.failure : undefined
}

describe("records", () => {
  it("checkRecord returns unknown for an unknown type or a definition that isn't a record", () => {
    assert.deepEqual(
      builtIn.checkRecord("com.example.other", { $type: "x" }),
      Result.succeed("unknown")
    )
    assert.deepEqual(builtIn.checkRecord("app.bsky.richtext.facet", {}), Result.succeed("unknown"))
    assert.deepEqual(builtIn.checkRecord("constructor", {}), Result.succeed("unknown"))
    assert.isUndefined(builtIn.recordKeyType("com.example.other"))
  })

  it("checkRecord requires the collection as $type", () => {
    const result = builtIn.checkRecord("app.bsky.feed.like", {
      ...(fromJson(samples[8]) as object),
      $type: "app.bsky.feed.repost"
    })
    assert.deepEqual(result, Result.fail({ path: "$type", message: "must be app.bsky.feed.like" }))
  })

  it("checkRecord returns the place and the reason of an error", () => {
    const broken = structuredClone(postWithImage) as unknown as {
      embed: { images: Array<{ aspectRatio: { width: unknown } }> }
    } & Record<string, unknown>
    broken.embed.images[0]!.aspectRatio.width = 0
    assert.deepEqual(
      check(broken),
      Result.fail({ path: "embed.images[0].aspectRatio.width", message: "must not be less than 1" })
    )
    assert.deepEqual(
      check({ ...postWithImage, text: "x".repeat(301) }),
      Result.fail({ path: "text", message: "must not be longer than 300 graphemes" })
    )
  })

  it("checkRecord counts graphemes, not UTF-16 units", () => {
    const text = "🏳️‍🌈".repeat(150)
    assert.isAbove(text.length, 300)
    assert.deepEqual(check({ ...postWithImage, text }), Result.succeed("valid"))
    const accented = "e\u0301"
    assert.deepEqual(
      check({ ...postWithImage, text: accented.repeat(300) }),
      Result.succeed("valid")
    )
    assert.deepEqual(
      check({ ...postWithImage, text: accented.repeat(301) }),
      Result.fail({ path: "text", message: "must not be longer than 300 graphemes" })
    )
  })

  it("recordKeyType returns a collection's record key type", () => {
    assert.strictEqual(builtIn.recordKeyType("app.bsky.feed.post"), "tid")
    assert.strictEqual(builtIn.recordKeyType("app.bsky.actor.profile"), "literal:self")
    assert.strictEqual(builtIn.recordKeyType("com.atproto.lexicon.schema"), "nsid")
    assert.isUndefined(builtIn.recordKeyType("com.atproto.repo.getRecord"))
  })
})

describe("schemas", () => {
  it("an object schema allows unknown properties", () => {
    assert.deepEqual(check({ ...postWithImage, extra: { anything: [1] } }), Result.succeed("valid"))
  })

  it("a nullable property may be null, but not otherwise invalid", () => {
    const inner = {
      type: "object",
      properties: { a: { type: "integer" } },
      nullable: ["a"]
    } as const
    assert.isUndefined(checkProperty(inner, { a: null }))
    assert.deepStrictEqual(checkProperty(inner, { a: "x" })?.path, "it.a")
    assert.deepStrictEqual(checkProperty({ ...inner, nullable: [] }, { a: null })?.path, "it.a")
    assert.isUndefined(checkProperty({ ...inner, required: ["a"] }, { a: null }))
    assert.deepStrictEqual(checkProperty({ ...inner, required: ["a"] }, {}), {
      path: "it.a",
      message: "is required"
    })
  })

  it("an object schema ignores properties of the prototype", () => {
    const properties = { constructor: { type: "string" }, toString: { type: "string" } } as const
    assert.isUndefined(checkProperty({ type: "object", properties }, {}))
    const required = ["constructor"]
    assert.isDefined(checkProperty({ type: "object", properties, required }, {}))
  })

  it("an integer schema only accepts 53-bit integers", () => {
    assert.isUndefined(checkProperty({ type: "integer" }, Number.MAX_SAFE_INTEGER))
    for (const value of [2 ** 53, 1.5, Number.NaN, "1", 1n, null]) {
      assert.isDefined(checkProperty({ type: "integer" }, value))
    }
  })

  it("a string schema measures length in bytes", () => {
    const schema = { type: "string", minLength: 3, maxLength: 4 } as const
    assert.isUndefined(checkProperty(schema, "éé"))
    assert.isUndefined(checkProperty(schema, "日"))
    assert.isUndefined(checkProperty(schema, "🏳"))
    assert.deepInclude(checkProperty(schema, "é"), { message: "must not be shorter than 3 bytes" })
    assert.deepInclude(checkProperty(schema, "日é"), { message: "must not be longer than 4 bytes" })
    assert.deepInclude(checkProperty(schema, "abcde"), {
      message: "must not be longer than 4 bytes"
    })
  })

  it("a circular ref is followed as deep as the data", () => {
    const tree: Definitions = {
      tree: { type: "object", properties: { child: { type: "ref", ref: "#tree" } } }
    }
    const ref = { type: "ref", ref: "#tree" } as const
    assert.isUndefined(checkProperty(ref, { child: { child: { child: {} } } }, tree))
    assert.deepStrictEqual(
      checkProperty(ref, { child: { child: { child: 1 } } }, tree)?.path,
      "it.child.child.child"
    )
  })

  it("an unresolvable ref rejects data, but an open union accepts it", () => {
    assert.deepInclude(checkProperty({ type: "ref", ref: "com.example.none" }, {}), {
      message: "has a type that is not known here: com.example.none"
    })
    const refs = ["com.example.none"]
    assert.isUndefined(checkProperty({ type: "union", refs }, { $type: "com.example.none" }))
    assert.isUndefined(checkProperty({ type: "union", refs }, { $type: "com.example.more" }))
    assert.isDefined(
      checkProperty({ type: "union", refs, closed: true }, { $type: "com.example.more" })
    )
  })

  it("an object schema rejects lists, bytes, links and blobs", () => {
    const link = fromJson({ $link: image.ref.$link })
    for (const value of [[], new Uint8Array(), link, null, "x"]) {
      assert.isDefined(checkProperty({ type: "unknown" }, value))
      assert.isDefined(checkProperty({ type: "object" }, value))
      assert.isDefined(checkProperty({ type: "union", refs: [] }, value))
    }
    assert.isDefined(checkProperty({ type: "unknown" }, fromJson(image)))
    assert.isUndefined(checkProperty({ type: "blob" }, fromJson(image)))
    assert.isUndefined(checkProperty({ type: "cid-link" }, link))
    assert.isDefined(checkProperty({ type: "cid-link" }, image.ref.$link))
    assert.isUndefined(checkProperty({ type: "bytes", maxLength: 2 }, new Uint8Array(2)))
    assert.isDefined(checkProperty({ type: "bytes", maxLength: 2 }, new Uint8Array(3)))
  })

  it("a token schema requires the token's full name", () => {
    const extra: Definitions = { on: { type: "token" } }
    const ref = { type: "ref", ref: "#on" } as const
    assert.isUndefined(checkProperty(ref, "com.example.thing#on", extra))
    assert.isDefined(checkProperty(ref, "com.example.thing#off", extra))
  })
})

describe("blobs", () => {
  const cid = image.ref.$link
  const found = { cid, mimeType: "image/jpeg", size: 123_456 }

  it("blobRefs returns blobs with their constraints", () => {
    assert.deepEqual(refs("app.bsky.feed.post", postWithImage), [
      { ...found, path: "embed.images[0].image", accept: ["image/*"], maxSize: 2_000_000 }
    ])
    assert.deepEqual(refs("app.bsky.actor.profile", samples[7]), [
      { ...found, path: "avatar", accept: ["image/png", "image/jpeg"], maxSize: 1_000_000 },
      {
        ...found,
        mimeType: "image/png",
        path: "banner",
        accept: ["image/png", "image/jpeg"],
        maxSize: 1_000_000
      }
    ])
  })

  it("blobRefs follows nested refs and unions", () => {
    assert.deepEqual(
      refs("app.bsky.feed.post", samples[4]).map(({ path, maxSize }) => ({ path, maxSize })),
      [{ path: "embed.media.images[0].image", maxSize: 2_000_000 }]
    )
  })

  it("blobRefs finds blobs at any depth without a lexicon, without constraints", () => {
    const deep = { a: [{ b: [[{ c: blob() }]] }], d: blob({ size: 1 }) }
    assert.deepEqual(refs("com.example.other", deep), [
      { ...found, path: "a[0].b[0][0].c" },
      { ...found, size: 1, path: "d" }
    ])
    const open = { ...postWithImage, embed: { $type: "com.example.embed", file: blob() } }
    assert.deepEqual(refs("app.bsky.feed.post", open), [{ ...found, path: "embed.file" }])
    const extra = { ...postWithImage, embed: undefined, thumb: blob() }
    const json: unknown = JSON.parse(JSON.stringify(extra))
    assert.deepEqual(refs("app.bsky.feed.post", json), [{ ...found, path: "thumb" }])
  })

  it("checkRecord rejects a blob with the wrong type or size", () => {
    const avatar = (fields: object) =>
      check({ $type: "app.bsky.actor.profile", avatar: blob(fields) })
    assert.deepEqual(avatar({ mimeType: "image/jpeg" }), Result.succeed("valid"))
    assert.deepEqual(
      avatar({ mimeType: "image/webp" }),
      Result.fail({
        path: "avatar",
        message: "must be a blob of type image/png, image/jpeg, not image/webp"
      })
    )
    assert.deepEqual(
      avatar({ size: 1_000_001 }),
      Result.fail({ path: "avatar", message: "must not be a blob larger than 1000000 bytes" })
    )
    assert.isUndefined(
      checkProperty({ type: "blob", accept: ["*/*"] }, fromJson(blob({ mimeType: "a/b" })))
    )
    assert.isDefined(
      checkProperty({ type: "blob", accept: ["image/*"] }, fromJson(blob({ mimeType: "images/b" })))
    )
  })

  it("findLegacyBlobs finds legacy references at any depth, and nothing else", () => {
    const legacy = { cid, mimeType: "image/jpeg" }
    assert.deepStrictEqual(findLegacyBlobs({ a: [1, legacy], b: { c: legacy } }), ["a[1]", "b.c"])
    assert.isTrue(isLegacyBlob(legacy))
    assert.isFalse(isLegacyBlob({ ...legacy, size: 1 }))
    assert.isFalse(isLegacyBlob({ ...legacy, cid: "no cid" }))
    assert.deepStrictEqual(findLegacyBlobs(fromJson(postWithImage)), [])
    assert.isTrue(Result.isFailure(check({ $type: "app.bsky.actor.profile", avatar: legacy })))
  })
})

describe("methods", () => {
  it("method returns a method's schema, and nothing for a record", () => {
    const { input, output, errors } = official.method("com.atproto.sync.getRepo") ?? {}
    assert.isUndefined(input)
    assert.strictEqual(output?.encoding, "application/vnd.ipld.car")
    assert.isTrue(errors?.some(({ name }) => name === "RepoNotFound"))
    assert.strictEqual(builtIn.method("com.atproto.repo.uploadBlob")?.input?.encoding, "*/*")
    assert.isUndefined(builtIn.method("app.bsky.feed.post"))
  })

  it("checkInput checks a method's input", () => {
    const nsid = "com.atproto.repo.applyWrites"
    const write = { $type: `${nsid}#delete`, collection: "app.bsky.feed.post", rkey: "x" }
    const input = { repo: "a.example", writes: [write] }
    assert.deepEqual(builtIn.checkInput(nsid, input), Result.succeed(input))
    assert.deepEqual(
      builtIn.checkInput(nsid, { ...input, writes: [{ ...write, $type: `${nsid}#other` }] }),
      Result.fail({
        path: "writes[0].$type",
        message: `must be one of ${nsid}#create, ${nsid}#update, ${nsid}#delete`
      })
    )
    assert.isTrue(Result.isFailure(builtIn.checkInput(nsid, null)))
    assert.isTrue(Result.isFailure(builtIn.checkInput("com.example.none", {})))
  })

  it("checkInput applies defaults without changing the given input", () => {
    const input: Record<string, unknown> = Object.freeze({ useCount: 1 })
    assert.deepEqual(
      builtIn.checkInput("com.atproto.server.createInviteCodes", input),
      Result.succeed({ useCount: 1, codeCount: 1 })
    )
  })

  it("checkOutput checks a method's output", () => {
    const nsid = "com.atproto.identity.resolveHandle"
    assert.isTrue(Result.isSuccess(official.checkOutput(nsid, { did: "did:web:a.example" })))
    assert.isTrue(Result.isFailure(official.checkOutput(nsid, { did: "a.example" })))
  })
})
