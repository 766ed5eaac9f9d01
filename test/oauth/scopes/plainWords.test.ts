import { assert, describe, it } from "@effect/vitest"
import { inPlainWords, type PermissionGroup } from "../../../src/core/oauth/plainWords.ts"
import { createPosts, fullChat, lexiconOf, setOf } from "./sets.ts"
import { readPermissionSet } from "../../../src/core/oauth/permissionSet.ts"

const none = new Map<string, never>()
const titles = (scope: string): ReadonlyArray<string> =>
  inPlainWords(scope, none).map(({ title }) => title)
const only = (scope: string): PermissionGroup => {
  const groups = inPlainWords(scope, none)
  assert.lengthOf(groups, 1)
  return groups[0]!
}

const bluesky = "did:web:api.bsky.app%23bsky_appview"
const chat = "did:web:api.bsky.chat%23bsky_chat"

describe("an app's permissions in plain words", () => {
  it("each independent value has one line", () => {
    const table = [
      ["atproto", "Know who you are"],
      ["transition:generic", "Use your account almost like you"],
      ["transition:chat.bsky", "Read and send your chat messages"],
      ["transition:email", "See your email address"],
      ["account:email", "See your email address"],
      ["account:email?action=manage", "See and change your email address"],
      ["account:repo", "See the state of your repository"],
      ["account:repo?action=manage", "Replace all of your data"],
      ["account:status", "See whether your account is active"],
      ["account:status?action=manage", "Deactivate your account"],
      ["identity:handle", "Change your handle"],
      ["identity:*", "Take control of your identity"],
      ["repo:app.bsky.feed.post", "Create, edit and delete posts"],
      ["repo:app.bsky.feed.post?action=delete&action=create", "Create and delete posts"],
      ["repo:app.bsky.feed.like?action=create", "Create likes"],
      ["repo:app.bsky.actor.profile?action=update", "Edit your profile"],
      ["repo:com.example.thing", "Create, edit and delete records of other apps"],
      ["repo:*", "Create, edit and delete anything in your repository"],
      ["repo:*?action=create", "Create anything in your repository"],
      ["blob:*/*", "Upload files of any kind"],
      ["blob:image/*", "Upload images"],
      ["blob?accept=image/*&accept=video/*", "Upload images and videos"],
      ["blob?accept=image/*&accept=*/*", "Upload files of any kind"],
      ["blob:application/pdf", "Upload application/pdf"],
      [`rpc:app.bsky.feed.getTimeline?aud=${bluesky}`, "Use Bluesky as you"],
      ["rpc:com.example.get?aud=did:web:example.com%23x", "Use example.com as you"],
      ["rpc:com.example.get?aud=*", "Use any service as you"],
      [`rpc:*?aud=${chat}`, "Read and send your chat messages"],
      ["rpc:chat.bsky.convo.getLog?aud=*", "Read and send your chat messages"],
      [`rpc:app.bsky.actor.getPreferences?aud=${bluesky}`, "See your preferences"],
      [`rpc:app.bsky.actor.putPreferences?aud=${bluesky}`, "Change your preferences"]
    ] as const
    for (const [scope, title] of table) assert.deepStrictEqual(titles(scope), [title], scope)
  })

  it("values about one subject are joined, and listed where they differ", () => {
    const likes = only(
      "repo:app.bsky.feed.like?action=create repo:app.bsky.feed.like?action=delete"
    )
    assert.strictEqual(likes.title, "Create and delete likes")
    assert.lengthOf(likes.scopes, 2)

    const both = only("repo?collection=app.bsky.feed.like&collection=app.bsky.feed.repost")
    assert.strictEqual(both.title, "Create, edit and delete likes and reposts")

    const differing = only("repo:app.bsky.feed.like repo:app.bsky.feed.repost?action=create")
    assert.strictEqual(differing.title, "Change likes and reposts")
    assert.deepStrictEqual(differing.items, ["likes: create, edit and delete", "reposts: create"])

    const methods = only(
      `rpc:app.bsky.feed.getTimeline?aud=${bluesky} rpc:app.bsky.feed.getFeed?aud=${bluesky}`
    )
    assert.deepStrictEqual(methods.items, ["app.bsky.feed.getTimeline", "app.bsky.feed.getFeed"])
    assert.deepStrictEqual(titles("transition:email account:email?action=manage"), [
      "See and change your email address"
    ])
  })

  it("collections of other apps are listed by name", () => {
    const { items } = only("repo:com.example.thing repo:org.example.other?action=create")
    assert.deepStrictEqual(items, [
      "com.example.thing: create, edit and delete",
      "org.example.other: create"
    ])
  })

  it("the order doesn't depend on the request's", () => {
    const values = [
      "atproto",
      "transition:email",
      "identity:*",
      "repo:app.bsky.feed.post",
      "repo:com.example.thing",
      "blob:image/*",
      `rpc:app.bsky.feed.getTimeline?aud=${bluesky}`
    ]
    assert.deepStrictEqual(titles(values.join(" ")), titles(values.toReversed().join(" ")))
    assert.strictEqual(titles(values.toReversed().join(" "))[0], "Know who you are")
  })

  it("only what is hard to undo has a warning", () => {
    const dangerous = [
      "transition:generic",
      "transition:chat.bsky",
      "identity:handle",
      "identity:*",
      "account:email?action=manage",
      "account:repo?action=manage",
      "account:status?action=manage",
      "repo:*",
      "rpc:*?aud=did:web:example.com%23x"
    ]
    const harmless = [
      "atproto",
      "transition:email",
      "account:email",
      "repo:app.bsky.feed.post",
      "repo:com.example.thing",
      "blob:*/*",
      `rpc:app.bsky.feed.getTimeline?aud=${bluesky}`
    ]
    for (const scope of dangerous) assert.isTrue(only(scope).danger, scope)
    for (const scope of harmless) assert.isFalse(only(scope).danger, scope)
  })

  it("every known value is covered, and unknown ones are not", () => {
    const scope = `atproto transition:email account:repo identity:handle repo:app.bsky.feed.post repo?collection=app.bsky.graph.block&collection=com.example.x blob:image/* rpc:chat.bsky.convo.getLog?aud=${chat} rpc?lxm=app.bsky.feed.getFeed&lxm=app.bsky.actor.getPreferences&aud=${bluesky}`
    const explained = inPlainWords(`${scope} nonsense repo:% space:x`, none).flatMap(
      ({ scopes }) => scopes
    )
    assert.deepStrictEqual([...new Set(explained)].toSorted(), scope.split(" ").toSorted())
  })
})

describe("a permission set in plain words", () => {
  it("a permission set has its publisher's title, and lists its contents", () => {
    const value = "include:app.bsky.authCreatePosts?aud=did:web:api.bsky.app%23bsky_appview"
    const groups = inPlainWords(`atproto ${value}`, new Map([[createPosts.nsid, createPosts]]))
    assert.deepStrictEqual(groups[1], {
      subject: "set",
      title: "Create Bluesky Posts",
      detail: "Can not update or delete posts.",
      items: ["Create posts, quote rules and reply rules", "Use Bluesky as you"],
      danger: false,
      scopes: [value],
      set: "app.bsky.authCreatePosts"
    })
  })

  it("a permission set uses the user's language if its publisher does", () => {
    const set = readPermissionSet(
      "com.example.authFull",
      lexiconOf("com.example.authFull", {
        title: "Full access",
        "title:lang": { de: "Voller Zugriff" },
        detail: "All of it.",
        permissions: []
      })
    )!
    const groups = inPlainWords("include:com.example.authFull", new Map([[set.nsid, set]]), [
      "fr",
      "de-CH"
    ])
    assert.strictEqual(groups[0]?.title, "Voller Zugriff")
    assert.strictEqual(groups[0]?.detail, "All of it.")
  })

  it("a permission set has a warning if its contents do, whatever its title says", () => {
    const value = `include:chat.bsky.authFullChatClient?aud=${chat}`
    assert.isTrue(inPlainWords(value, new Map([[fullChat.nsid, fullChat]]))[0]?.danger)
  })

  it("a permission set without text, or a missing one, has only its name", () => {
    const nsid = "com.example.authFull"
    for (const sets of [none, new Map([[nsid, setOf(nsid)]])]) {
      assert.deepStrictEqual(inPlainWords(`include:${nsid}`, sets), [
        {
          subject: "set",
          title: nsid,
          items: [],
          danger: false,
          scopes: [`include:${nsid}`],
          set: nsid
        }
      ])
    }
  })

  it("a permission set doesn't list what it may not grant", () => {
    const set = setOf(
      "com.example.authFull",
      { type: "permission", resource: "repo", collection: ["app.bsky.feed.post"] },
      { type: "permission", resource: "identity", attr: "*" }
    )
    const [group] = inPlainWords("include:com.example.authFull", new Map([[set.nsid, set]]))
    assert.deepStrictEqual(group?.items, [])
    assert.isFalse(group?.danger)
  })
})
