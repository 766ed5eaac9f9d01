/** The part of an account that a permission affects: one heading each, in display order. */
export const subjects = [
  "who",
  "everything",
  "reading",
  "set",
  "identity",
  "handle",
  "account",
  "email",
  "repo",
  "posts",
  "reactions",
  "follows",
  "profile",
  "lists",
  "blocks",
  "feeds",
  "settings",
  "records",
  "uploads",
  "messages",
  "preferences",
  "services"
] as const

export type Subject = (typeof subjects)[number]

/** The collections with a plain name, and the subject of each. */
export const collectionNames: ReadonlyMap<
  string,
  { readonly subject: Subject; readonly name: string }
> = new Map([
  ["app.bsky.feed.post", { subject: "posts", name: "posts" }],
  ["app.bsky.feed.threadgate", { subject: "posts", name: "reply rules" }],
  ["app.bsky.feed.postgate", { subject: "posts", name: "quote rules" }],
  ["app.bsky.feed.like", { subject: "reactions", name: "likes" }],
  ["app.bsky.feed.repost", { subject: "reactions", name: "reposts" }],
  ["app.bsky.graph.follow", { subject: "follows", name: "follows" }],
  ["app.bsky.actor.profile", { subject: "profile", name: "your profile" }],
  ["app.bsky.actor.status", { subject: "profile", name: "your status" }],
  ["app.bsky.graph.list", { subject: "lists", name: "lists" }],
  ["app.bsky.graph.listitem", { subject: "lists", name: "list members" }],
  ["app.bsky.graph.starterpack", { subject: "lists", name: "starter packs" }],
  ["app.bsky.graph.block", { subject: "blocks", name: "blocks" }],
  ["app.bsky.graph.listblock", { subject: "blocks", name: "list blocks" }],
  ["app.bsky.feed.generator", { subject: "feeds", name: "feeds you publish" }],
  ["app.bsky.labeler.service", { subject: "feeds", name: "your labeling service" }],
  ["app.bsky.graph.verification", { subject: "profile", name: "verifications of other accounts" }],
  [
    "app.bsky.notification.declaration",
    { subject: "settings", name: "your activity notification setting" }
  ],
  ["chat.bsky.actor.declaration", { subject: "settings", name: "your chat request setting" }]
])

const serviceNames: ReadonlyMap<string, string> = new Map([
  ["did:web:api.bsky.app#bsky_appview", "Bluesky"],
  ["did:web:api.bsky.chat#bsky_chat", "Bluesky's chat"],
  ["did:web:video.bsky.app#bsky_video", "Bluesky's video service"],
  ["did:plc:ar7c4by46qjdydhdevvrndac#atproto_labeler", "Bluesky's moderation"]
])

/** The name of an audience: a known name, the host, or the DID itself. */
export const serviceName = (aud: string): string => {
  if (aud === "*") return "any service"
  const did = aud.split("#", 1)[0] ?? aud
  return serviceNames.get(aud) ?? (did.startsWith("did:web:") ? did.slice(8) : did)
}

const actionWords = { create: "create", update: "edit", delete: "delete" } as const

/** Actions as verbs, in their order: “create, edit and delete”. */
export const verbs = (actions: Iterable<keyof typeof actionWords>): string => {
  const wanted = new Set(actions)
  return listed(
    (["create", "update", "delete"] as const)
      .filter((action) => wanted.has(action))
      .map((action) => actionWords[action])
  )
}

const mediaNames: ReadonlyMap<string, string> = new Map([
  ["*/*", "files of any kind"],
  ["image/*", "images"],
  ["video/*", "videos"],
  ["audio/*", "audio"]
])

/** The plain name of a media type. */
export const mediaName = (accept: string): string => mediaNames.get(accept) ?? accept

/** A list in words: “a, b and c”. */
export const listed = (words: ReadonlyArray<string>): string =>
  words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`

/** Capitalizes the first letter. */
export const sentence = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1)
