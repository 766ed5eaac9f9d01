import { jsonToLex, Lexicons } from "@atproto/lexicon"
import { schemas } from "@atproto/api"
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { builtIn } from "../../src/core/lexicon/Lexicons.ts"
import { fromJson } from "../../src/core/repo/json.ts"
import { image, postWithImage, samples } from "./samples.ts"

const lexicons = new Lexicons(schemas)

const theirs = (record: Record<string, unknown>, collection: string): boolean => {
  try {
    lexicons.assertValidRecord(collection, jsonToLex(record as never))
    return true
  } catch {
    return false
  }
}

const ours = (record: Record<string, unknown>, collection: string) =>
  builtIn.checkRecord(collection, fromJson(record))

/** A small seeded generator (mulberry32); a failure names the seed to repeat it. */
const generator = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { pick: <T>(from: ReadonlyArray<T>): T => from[Math.floor(next() * from.length)] as T }
}

type Holder = Record<string | number, unknown>

/** Every place in a record that a mutation may change: its holder and key. */
const places = (root: unknown): Array<readonly [Holder, string | number]> => {
  if (typeof root !== "object" || root === null) return []
  const holder = root as Holder
  // The inside of a link or a blob belongs to the data model, not to the lexicon.
  if ("$link" in holder || "$bytes" in holder || holder["$type"] === "blob") return []
  const keys = Array.isArray(root) ? [...root.keys()] : Object.keys(root)
  return keys.flatMap((key) => [[holder, key] as const, ...places(holder[key])])
}

const replacements: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  1,
  -1,
  2 ** 40,
  "",
  "x",
  "no word",
  "x".repeat(257),
  "x".repeat(5_000),
  "é".repeat(301),
  "é".repeat(2_000),
  "👩‍👩‍👦‍👦".repeat(65),
  "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
  "did:",
  "did:web:example.com:",
  "a.example",
  "-a.example",
  "at://did:web:a.example/app.bsky.feed.post/self",
  "at://did:web:a.example/app.bsky.feed.post/self/more",
  "at://did:web:a.example/app.bsky.feed.post/",
  "at://did:web:a.example/nodots/self",
  "at://a.example",
  "https://example.com/é",
  "https://",
  "example.com",
  "2026-11-20T12:00:00Z",
  "2024-02-29T23:59:59.123456+09:00",
  "2026-02-30T25:00:00Z",
  "2026-11-20T12:00:00-00:00",
  "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq",
  "bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4",
  "zdj7WWeQ43G6JJvLWQWZpyHuAMq6uYWRjkBXFad11vE2LHhQ7",
  "QmbWqxBEKC3P8tqsKc98xmWNzrzDtRLMiMPL8wBuTGsMnR".slice(0, 20),
  "bafyreiclp443",
  "en",
  "zh-Hant",
  "en-",
  "app.bsky.feed.threadgate#mentionRule",
  "app.bsky.embed.images",
  "app.bsky.embed.images#main",
  "app.bsky.embed.images#image",
  {},
  { $type: "com.example.other" },
  { $type: "app.bsky.embed.images", images: [] },
  { $type: "app.bsky.embed.images#main", images: [{ alt: "no image" }] },
  { uri: "at://a.example/app.bsky.feed.post/self" },
  { byteStart: 5, byteEnd: 1 },
  { byteStart: -5, byteEnd: 1 },
  image,
  { $link: image.ref.$link },
  { $bytes: "AAEC" }
]

const types = [
  "app.bsky.feed.post",
  "app.bsky.feed.threadgate#mentionRule",
  "app.bsky.embed.images",
  "app.bsky.embed.images#main",
  "app.bsky.embed.images#image",
  "app.bsky.richtext.facet#tag",
  "com.example.other",
  "x"
]

const mutated = (seed: number) => {
  const { pick } = generator(seed)
  const record = structuredClone(pick(samples))
  const collection = String(record["$type"])
  for (let left = pick([0, 1, 1, 1, 2]); left > 0; left--) {
    const [holder, key] = pick(places(record))
    const value = holder[key]
    const action = pick(["remove", "replace", "replace", "replace", "lengthen"])
    // A $type that isn't a string is rejected before any lexicon applies.
    if (key === "$type") holder[key] = pick(types)
    else if (action === "replace") holder[key] = structuredClone(pick(replacements))
    else if (action === "lengthen" && Array.isArray(value)) {
      holder[key] = Array.from({ length: pick([0, 2, 5, 9, 101]) }, () =>
        structuredClone(value[0] ?? 1)
      )
    } else if (!Array.isArray(holder)) delete holder[key]
  }
  return { collection, record }
}

const post = (fields: object) => ({ ...postWithImage, ...fields })

const unlike = /^must (be a blob of type|not be a blob larger)/

describe("checkRecord beside @atproto/lexicon", () => {
  it("checkRecord accepts every sample, as @atproto/lexicon does", () => {
    for (const record of samples) {
      const collection = String(record["$type"])
      assert.deepEqual(ours(record, collection), Result.succeed("valid"), collection)
      assert.isTrue(theirs(record, collection), collection)
    }
  })

  it("checkRecord agrees with @atproto/lexicon on thousands of mutated records", () => {
    const verdicts = { accepted: 0, refused: 0 }
    for (let seed = 1; seed <= 12_000; seed++) {
      const { collection, record } = mutated(seed)
      const own = ours(record, collection)
      const accepted = Result.isSuccess(own)
      if (accepted) assert.strictEqual(own.success, "valid")
      // @atproto/lexicon leaves a blob's type and size to its caller; see the last tests here.
      if (Result.isFailure(own) && unlike.test(own.failure.message)) continue
      verdicts[accepted ? "accepted" : "refused"]++
      assert.strictEqual(
        accepted,
        theirs(record, collection),
        `seed ${seed}: ${JSON.stringify(own)} for ${JSON.stringify(record)}`
      )
    }
    assert.isAbove(verdicts.accepted, 2_000)
    assert.isAbove(verdicts.refused, 5_000)
  })

  const facet = (uri: string) =>
    post({
      facets: [
        {
          index: { byteStart: 0, byteEnd: 1 },
          features: [{ $type: "app.bsky.richtext.facet#link", uri }]
        }
      ]
    })
  const picture = (blob: object) =>
    post({
      embed: { $type: "app.bsky.embed.images", images: [{ alt: "", image: { ...image, ...blob } }] }
    })

  const stricter: Record<string, Record<string, unknown>> = {
    "a datetime without a time zone": post({ createdAt: "2026-11-20T12:00:00" }),
    "a language with an upper-case primary subtag": post({ langs: ["JA"] }),
    "a language that repeats a variant": post({ langs: ["de-1901-1901"] }),
    "a URI whose scheme does not begin with a letter": facet("1http:example"),
    "a URI longer than 8 KiB": facet(`https://example.com/${"x".repeat(8192)}`),
    "a blob of a type its place does not accept": picture({ mimeType: "text/html" }),
    "a blob larger than its place allows": picture({ size: 2_000_001 })
  }

  const looser: Record<string, Record<string, unknown>> = {
    "a URI whose scheme has a hyphen or a dot": facet("microsoft.windows.camera:thing"),
    "a URI with an empty authority": facet("file:///etc/hosts")
  }

  for (const [name, record] of Object.entries(stricter)) {
    it(`checkRecord rejects ${name}, on purpose`, () => {
      assert.isTrue(Result.isFailure(ours(record, "app.bsky.feed.post")))
      assert.isTrue(theirs(record, "app.bsky.feed.post"))
    })
  }

  for (const [name, record] of Object.entries(looser)) {
    it(`checkRecord accepts ${name}, on purpose`, () => {
      assert.deepEqual(ours(record, "app.bsky.feed.post"), Result.succeed("valid"))
      assert.isFalse(theirs(record, "app.bsky.feed.post"))
    })
  }
})
