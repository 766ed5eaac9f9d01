import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import type { LocalPost } from "../../../src/core/proxy/local.ts"
import { postsIn, postView } from "../../../src/core/proxy/views.ts"
import { answered, questionsFor } from "../../../src/core/proxy/questions.ts"
import {
  alice,
  assertValid,
  blob,
  blobOfCid,
  bob,
  cid,
  localOf,
  own,
  profileView,
  ref,
  shown,
  uriOf,
  viewingOf
} from "./fixture.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into views of every shape
type Seen = Record<string, any>

const view = (
  post: LocalPost,
  others: ReadonlyArray<LocalPost> = [],
  known: ReadonlyArray<JsonObject> = []
): Seen => {
  const viewing = viewingOf(localOf([post, ...others]))
  const byUri = new Map(known.map((each) => [each["uri"] as string, each]))
  const made = postView(post, { ...viewing, known: byUri })
  assertValid("app.bsky.feed.getPosts", { posts: [made] })
  return made
}

const withEmbed = (embed: JsonObject): LocalPost => own(1, { embed })

const quoteOf = (uri: string): JsonObject => ({ $type: "app.bsky.embed.record", record: ref(uri) })

const url = `https://pds.example.com/blob/${blobOfCid}`
const aspectRatio = { width: 2, height: 1 }

describe("the view of a new post", () => {
  it("the view has the record with facets, its author and zero counts", () => {
    const facets = [
      {
        index: { byteStart: 0, byteEnd: 4 },
        features: [{ $type: "app.bsky.richtext.facet#tag", tag: "post" }]
      }
    ]
    const post = own(1, { facets, langs: ["en"] })
    const made = view(post)
    assert.deepStrictEqual(made["record"], post.record)
    assert.deepStrictEqual(made["author"], profileView(alice))
    const { likeCount, replyCount, repostCount, quoteCount } = made
    assert.deepStrictEqual([likeCount, replyCount, repostCount, quoteCount], [0, 0, 0, 0])
    assert.deepStrictEqual([made["viewer"], made["labels"]], [{}, []])
  })

  it("the view has the author's own labels", () => {
    const labels = { $type: "com.atproto.label.defs#selfLabels", values: [{ val: "nudity" }] }
    const [label] = view(own(1, { labels }))["labels"]
    assert.deepStrictEqual([label.src, label.uri, label.val], [alice, uriOf(1), "nudity"])
  })

  it("the view shows pictures from the server that has them", () => {
    const images = [{ image: blob(), alt: "a cloud", aspectRatio }]
    const { embed } = view(withEmbed({ $type: "app.bsky.embed.images", images }))
    assert.deepStrictEqual(embed, {
      $type: "app.bsky.embed.images#view",
      images: [{ thumb: url, fullsize: url, alt: "a cloud", aspectRatio }]
    })
  })

  it("the view shows a gallery", () => {
    const $type = "app.bsky.embed.gallery#image"
    const items = [{ $type, image: blob(), alt: "a cloud", aspectRatio }]
    const { embed } = view(withEmbed({ $type: "app.bsky.embed.gallery", items }))
    assert.strictEqual(embed.$type, "app.bsky.embed.gallery#view")
    assert.deepStrictEqual(embed.items[0].thumbnail, url)
  })

  it("the view shows a video from the video service", () => {
    const video = {
      $type: "app.bsky.embed.video",
      video: blob("video/mp4"),
      alt: "rain",
      aspectRatio
    }
    const { embed } = view(withEmbed(video))
    assert.strictEqual(embed.$type, "app.bsky.embed.video#view")
    assert.strictEqual(embed.cid, blobOfCid)
    const folder = `https://video.bsky.app/watch/${encodeURIComponent(alice)}/${blobOfCid}`
    assert.strictEqual(embed.playlist, `${folder}/playlist.m3u8`)
    assert.strictEqual(embed.alt, "rain")
  })

  it("the view shows a link card, with or without a picture", () => {
    const card = { uri: "https://example.com/", title: "Example", description: "A page" }
    const $type = "app.bsky.embed.external"
    const { embed } = view(withEmbed({ $type, external: { ...card, thumb: blob() } }))
    assert.deepStrictEqual(embed.external, { ...card, thumb: url })
    const bare = view(withEmbed({ $type, external: card }))
    assert.deepStrictEqual(JSON.parse(JSON.stringify(bare["embed"].external)), card)
  })

  it("the view shows a quoted post as the AppView knows it", () => {
    const quoted = shown(50)
    const { record } = view(withEmbed(quoteOf(uriOf(50, bob))), [], [quoted])["embed"]
    assert.strictEqual(record.$type, "app.bsky.embed.record#viewRecord")
    assert.deepStrictEqual(record.value, quoted["record"])
    assert.strictEqual(record.author.did, bob)
  })

  it("the view shows a quoted new post", () => {
    const quoted = own(2)
    const { record } = view(withEmbed(quoteOf(quoted.uri)), [quoted])["embed"]
    assert.strictEqual(record.$type, "app.bsky.embed.record#viewRecord")
    assert.strictEqual(record.value.text, "post 2")
  })

  it("the view says if a quoted record is unavailable", () => {
    const uri = uriOf(50, bob)
    const { record } = view(withEmbed(quoteOf(uri)))["embed"]
    assert.deepStrictEqual(record, {
      $type: "app.bsky.embed.record#viewNotFound",
      uri,
      notFound: true
    })
  })

  it("the view shows a quote and a picture together", () => {
    const images = { $type: "app.bsky.embed.images", images: [{ image: blob(), alt: "" }] }
    const record = quoteOf(uriOf(50, bob))
    const $type = "app.bsky.embed.recordWithMedia"
    const { embed } = view(withEmbed({ $type, record, media: images }), [], [shown(50)])
    assert.strictEqual(embed.$type, "app.bsky.embed.recordWithMedia#view")
    assert.strictEqual(embed.media.images[0].thumb, url)
    assert.strictEqual(embed.record.record.value.text, "shown 50")
  })

  it("the view stops where posts quote each other in a circle", () => {
    const first = own(1, { embed: quoteOf(uriOf(2)) })
    const second = own(2, { embed: quoteOf(uriOf(1)) })
    const outer = view(first, [second])["embed"].record
    assert.strictEqual(outer.uri, second.uri)
    assert.strictEqual(outer.embeds[0].record.uri, first.uri)
    assert.deepStrictEqual(outer.embeds[0].record.embeds, [])
  })

  it("the view omits unknown embeds", () => {
    const odd: ReadonlyArray<JsonObject> = [
      { $type: "com.example.embed" },
      { $type: "app.bsky.embed.video", video: "none" },
      { $type: "app.bsky.embed.record", record: 7 },
      { $type: "app.bsky.embed.recordWithMedia" }
    ]
    for (const embed of odd) assert.isUndefined(view(withEmbed(embed))["embed"])
  })

  it("the view supports blobs of the old form", () => {
    const images = [{ image: { cid: blobOfCid, mimeType: "image/png" }, alt: "" }]
    const { embed } = view(withEmbed({ $type: "app.bsky.embed.images", images }))
    assert.strictEqual(embed.images[0].thumb, url)
  })
})

describe("the requests for showing new posts", () => {
  const generator = `at://${bob}/app.bsky.feed.generator/news`
  const list = `at://${bob}/app.bsky.graph.list/friends`
  const pack = `at://${bob}/app.bsky.graph.starterpack/start`
  const labeler = `at://${bob}/app.bsky.labeler.service/self`

  it("questionsFor asks once for each kind, with each URI once", () => {
    const uris = [uriOf(1, bob), generator, list, pack, labeler, uriOf(2, bob), uriOf(1, bob)]
    const asked = questionsFor(uris).map(({ lxm, params }) => [lxm, ...params.flat()])
    assert.deepStrictEqual(asked, [
      ["app.bsky.feed.getPosts", "uris", uriOf(1, bob), "uris", uriOf(2, bob)],
      ["app.bsky.feed.getFeedGenerators", "feeds", generator],
      ["app.bsky.graph.getList", "list", list, "limit", "1"],
      ["app.bsky.graph.getStarterPacks", "uris", pack],
      ["app.bsky.labeler.getServices", "dids", bob]
    ])
  })

  it("questionsFor limits the URIs of a request and the number of requests", () => {
    const posts = questionsFor(Array.from({ length: 40 }, (_, i) => `${uriOf(1, bob)}${i}`))
    assert.deepStrictEqual(
      posts.map(({ params }) => params.length),
      [25, 15]
    )
    const lists = questionsFor(Array.from({ length: 40 }, (_, i) => `${list}${i}`))
    assert.isAtMost(lists.length, 6)
  })

  it("questionsFor ignores what no AppView shows", () => {
    const uris = [
      "",
      "at://",
      "nonsense",
      `at://${bob}/com.example.thing/1`,
      `at://${bob}/toString/1`
    ]
    assert.deepStrictEqual(questionsFor(uris), [])
  })

  it("answered returns views that a quote can contain", () => {
    const creator = profileView(bob)
    const common = { cid, creator, indexedAt: "2026-05-01T00:00:00.000Z" }
    const found: ReadonlyArray<readonly [string, unknown]> = [
      [
        generator,
        { feeds: [{ uri: generator, did: "did:web:feeds.test", displayName: "News", ...common }] }
      ],
      [
        list,
        {
          list: { uri: list, name: "Friends", purpose: "app.bsky.graph.defs#curatelist", ...common }
        }
      ],
      [pack, { starterPacks: [{ uri: pack, record: {}, ...common }] }],
      [labeler, { views: [{ uri: labeler, ...common }] }]
    ]
    for (const [uri, answer] of found) {
      const [question] = questionsFor([uri])
      const known = answered(question!, answer).map(([, each]) => each)
      const { record } = view(withEmbed(quoteOf(uri)), [], known)["embed"]
      assert.strictEqual(record.uri, uri)
      assert.notMatch(record.$type, /NotFound/)
    }
  })

  it("answered ignores a response of another shape", () => {
    for (const uri of [uriOf(1, bob), generator, list, pack, labeler]) {
      const [question] = questionsFor([uri])
      for (const answer of [
        undefined,
        null,
        7,
        [],
        {},
        { posts: 1, list: [] },
        { posts: [7, {}] }
      ]) {
        assert.deepStrictEqual(answered(question!, answer), [])
      }
    }
  })
})

describe("the posts that a response shows", () => {
  it("postsIn finds posts at any depth, but not inside records", () => {
    const hidden = { $type: "com.example.record", post: shown(3) }
    const parent = shown(2)
    const found = postsIn({ feed: [{ post: { ...shown(1), debug: hidden }, reply: { parent } }] })
    assert.deepStrictEqual([...found.keys()], [uriOf(1, bob), uriOf(2, bob)])
  })
})
