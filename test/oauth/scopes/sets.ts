import { readPermissionSet, type PermissionSet } from "../../../src/core/oauth/permissionSet.ts"

type Entry = Readonly<Record<string, unknown>>

/** A lexicon document with a permission set. */
export const lexiconOf = (nsid: string, main: Readonly<Record<string, unknown>>): object => ({
  $type: "com.atproto.lexicon.schema",
  lexicon: 1,
  id: nsid,
  defs: { main: { type: "permission-set", ...main } }
})

const read = (nsid: string, main: Readonly<Record<string, unknown>>): PermissionSet => {
  const set = readPermissionSet(nsid, lexiconOf(nsid, main))
  if (set === undefined) throw new Error(`not a permission set: ${nsid}`)
  return set
}

/** A set with these entries. */
export const setOf = (nsid: string, ...permissions: ReadonlyArray<Entry>): PermissionSet =>
  read(nsid, { permissions })

/** The official set for apps that only post, shortened. */
export const createPosts = read("app.bsky.authCreatePosts", {
  title: "Create Bluesky Posts",
  "title:lang": {},
  detail: "Can not update or delete posts.",
  "detail:lang": {},
  permissions: [
    {
      type: "permission",
      resource: "rpc",
      inheritAud: true,
      lxm: ["app.bsky.video.uploadVideo", "app.bsky.video.getJobStatus"]
    },
    {
      type: "permission",
      resource: "repo",
      action: ["create"],
      collection: ["app.bsky.feed.post", "app.bsky.feed.postgate", "app.bsky.feed.threadgate"]
    }
  ]
})

/** The official set for chat clients, shortened. */
export const fullChat = read("chat.bsky.authFullChatClient", {
  title: "Full Chat Client (All Conversations)",
  "title:lang": {},
  detail: "Control of all chat conversations and configuration management.",
  "detail:lang": { en: "All Chat Conversations" },
  permissions: [
    {
      type: "permission",
      resource: "rpc",
      inheritAud: true,
      lxm: ["chat.bsky.convo.getMessages", "chat.bsky.convo.sendMessage"]
    },
    { type: "permission", resource: "repo", collection: ["chat.bsky.actor.declaration"] }
  ]
})
