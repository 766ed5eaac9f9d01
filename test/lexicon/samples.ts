/** Valid records of every shape that the tests need, in the data model's JSON form. */

const cid = "bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq"
const did = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
const createdAt = "2026-11-20T12:00:00.000Z"
const strongRef = { uri: `at://${did}/app.bsky.feed.post/3jzfcijpj2z2a`, cid }

/** An image blob in a record. */
export const image = {
  $type: "blob",
  ref: { $link: "bafkreibjfgx2gprinfvicegelk5kosd6y2frmqpqzwqkg7usac74l3t2v4" },
  mimeType: "image/jpeg",
  size: 123_456
}

const facets = [
  {
    index: { byteStart: 0, byteEnd: 5 },
    features: [
      { $type: "app.bsky.richtext.facet#mention", did },
      { $type: "app.bsky.richtext.facet#link", uri: "https://example.com/path?q=1" },
      { $type: "app.bsky.richtext.facet#tag", tag: "tag" },
      { $type: "com.example.facet#other", anything: [1, { deep: true }] }
    ]
  }
]

const images = {
  $type: "app.bsky.embed.images",
  images: [{ image, alt: "a cloud", aspectRatio: { width: 4, height: 3 } }]
}

const labels = {
  $type: "com.atproto.label.defs#selfLabels",
  values: [{ val: "!no-unauthenticated" }]
}

const post = {
  $type: "app.bsky.feed.post",
  text: "hello nacreous clouds",
  langs: ["en", "pt-BR"],
  tags: ["cloud"],
  facets,
  labels,
  createdAt
}

/** A post with facets and one image, as most posts with a picture. */
export const postWithImage = { ...post, embed: images }

/** One record of each of many types. */
export const samples: ReadonlyArray<Record<string, unknown>> = [
  post,
  postWithImage,
  { ...post, reply: { root: strongRef, parent: strongRef } },
  { ...post, embed: { $type: "app.bsky.embed.record", record: strongRef } },
  {
    ...post,
    embed: {
      $type: "app.bsky.embed.recordWithMedia",
      record: { $type: "app.bsky.embed.record", record: strongRef },
      media: images
    }
  },
  {
    ...post,
    embed: {
      $type: "app.bsky.embed.external",
      external: { uri: "https://example.com", title: "t", description: "d", thumb: image }
    }
  },
  {
    ...post,
    embed: {
      $type: "app.bsky.embed.video",
      video: { ...image, mimeType: "video/mp4" },
      captions: [{ lang: "en", file: { ...image, mimeType: "text/vtt", size: 20 } }],
      alt: "a moving cloud"
    }
  },
  {
    $type: "app.bsky.actor.profile",
    displayName: "Nacre",
    description: "mother of pearl",
    avatar: image,
    banner: { ...image, mimeType: "image/png" },
    labels,
    pinnedPost: strongRef,
    createdAt
  },
  { $type: "app.bsky.feed.like", subject: strongRef, createdAt },
  { $type: "app.bsky.feed.repost", subject: strongRef, createdAt },
  { $type: "app.bsky.graph.follow", subject: did, createdAt },
  { $type: "app.bsky.graph.block", subject: did, createdAt },
  {
    $type: "app.bsky.graph.list",
    name: "people",
    purpose: "app.bsky.graph.defs#curatelist",
    description: "some people",
    descriptionFacets: facets,
    avatar: image,
    createdAt
  },
  {
    $type: "app.bsky.graph.listitem",
    subject: did,
    list: `at://${did}/app.bsky.graph.list/3jzfcijpj2z2a`,
    createdAt
  },
  {
    $type: "app.bsky.feed.threadgate",
    post: strongRef.uri,
    allow: [
      { $type: "app.bsky.feed.threadgate#mentionRule" },
      { $type: "app.bsky.feed.threadgate#listRule", list: strongRef.uri }
    ],
    hiddenReplies: [strongRef.uri],
    createdAt
  },
  {
    $type: "app.bsky.feed.postgate",
    post: strongRef.uri,
    embeddingRules: [{ $type: "app.bsky.feed.postgate#disableRule" }],
    createdAt
  },
  {
    $type: "app.bsky.feed.generator",
    did: "did:web:feed.example.com",
    displayName: "feed",
    avatar: image,
    acceptsInteractions: true,
    createdAt
  },
  {
    $type: "app.bsky.graph.starterpack",
    name: "pack",
    list: strongRef.uri,
    feeds: [{ uri: strongRef.uri }],
    createdAt
  },
  {
    $type: "app.bsky.labeler.service",
    policies: { labelValues: ["spam"], labelValueDefinitions: [] },
    createdAt
  },
  { $type: "chat.bsky.actor.declaration", allowIncoming: "following" },
  { $type: "com.atproto.lexicon.schema", lexicon: 1, id: "com.example.thing", defs: {} }
]
