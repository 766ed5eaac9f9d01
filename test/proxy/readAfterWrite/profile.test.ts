import { assert, describe, it } from "@effect/vitest"
import type { JsonObject } from "../../../src/core/proxy/json.ts"
import { authorOf, inProfile, inProfiles, withNewProfile } from "../../../src/core/proxy/profile.ts"
import {
  alice,
  assertValid,
  blob,
  blobOfCid,
  bob,
  localOf,
  own,
  profileView,
  ref,
  shown,
  uriOf
} from "./fixture.ts"

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every shape
type Seen = Record<string, any>

const url = `https://pds.example.com/blob/${blobOfCid}`

const profile: JsonObject = {
  $type: "app.bsky.actor.profile",
  displayName: "Alice again",
  description: "Writes",
  pronouns: "she",
  website: "https://alice.example.com",
  avatar: blob(),
  banner: blob(),
  pinnedPost: ref(uriOf(1))
}

const local = localOf([], { profile, profileIsNew: true })

const detailed = (did: string): JsonObject => ({
  ...profileView(did),
  description: "of old",
  banner: "https://cdn.test/banner",
  followersCount: 12
})

describe("a profile that was just edited", () => {
  it("the profile has every field that the owner can set, and the AppView's counts", () => {
    const made = inProfile(detailed(alice), local) as Seen
    assertValid("app.bsky.actor.getProfile", made)
    assert.strictEqual(made["displayName"], "Alice again")
    assert.strictEqual(made["description"], "Writes")
    assert.deepStrictEqual([made["avatar"], made["banner"]], [url, url])
    assert.deepStrictEqual(made["pinnedPost"], ref(uriOf(1)))
    assert.strictEqual(made["website"], "https://alice.example.com")
    assert.deepStrictEqual([made["followersCount"], made["handle"]], [12, "alice.test"])
  })

  it("the profile loses the removed fields", () => {
    const bare = localOf([], { profile: { $type: "app.bsky.actor.profile" }, profileIsNew: true })
    const made = JSON.parse(JSON.stringify(inProfile(detailed(alice), bare)))
    assert.hasAllKeys(made, ["did", "handle", "labels", "viewer", "followersCount"])
  })

  it("other profiles stay the same", () => {
    assert.isUndefined(inProfile(detailed(bob), local))
    assert.isUndefined(inProfiles({ profiles: [detailed(bob)] }, local))
  })

  it("the profile is replaced among several", () => {
    const made = inProfiles({ profiles: [detailed(bob), detailed(alice)] }, local) as Seen
    assertValid("app.bsky.actor.getProfiles", made)
    assert.deepStrictEqual(made["profiles"][0], detailed(bob))
    assert.strictEqual(made["profiles"][1].displayName, "Alice again")
  })

  it("the profile is replaced in posts, replies and reposts, but not inside records", () => {
    const fake = { did: alice, handle: "alice.test", displayName: "in a record" }
    const post = { ...shown(1, alice), record: { ...own(1).record, fake } }
    const reason = {
      $type: "app.bsky.feed.defs#reasonRepost",
      by: profileView(alice),
      indexedAt: "2026-05-01T00:00:00.000Z"
    }
    const root = { $type: "app.bsky.feed.defs#postView", ...shown(2, alice) }
    const answer = { feed: [{ post, reason, reply: { root, parent: root } }, { post: shown(3) }] }
    const made = withNewProfile(answer, local) as Seen
    assertValid("app.bsky.feed.getActorLikes", made)
    const [first, second] = made["feed"]
    const names = [first.post.author, first.reason.by, first.reply.root.author].map(
      ({ displayName }) => displayName
    )
    assert.deepStrictEqual(names, ["Alice again", "Alice again", "Alice again"])
    assert.deepStrictEqual(first.post.record.fake, fake)
    assert.deepStrictEqual(second, { post: shown(3) })
  })

  it("a response stays the same object if nothing is new", () => {
    const answer = { feed: [{ post: shown(1, alice) }] }
    assert.strictEqual(withNewProfile(answer, { ...local, profileIsNew: false }), answer)
  })

  it("keys that JavaScript treats specially are kept", () => {
    const answer = JSON.parse(`{"__proto__":{"did":"x"},"constructor":1}`)
    assert.strictEqual(JSON.stringify(withNewProfile(answer, local)), JSON.stringify(answer))
  })
})

describe("the author of a new post", () => {
  it("the author is the AppView's view, with new fields", () => {
    const author = authorOf([shown(2), shown(1, alice)], local)
    assert.strictEqual(author["displayName"], "Alice again")
    assert.deepStrictEqual(author["viewer"], { muted: false })
  })

  it("the author comes from the profile record if the response doesn't show them", () => {
    const { did, handle, displayName, avatar } = authorOf([shown(2)], local)
    assert.deepStrictEqual(
      [did, handle, displayName, avatar],
      [alice, "alice.test", "Alice again", url]
    )
  })

  it("the author has only a handle without a profile", () => {
    const author = authorOf([], localOf([]))
    assertValid("app.bsky.actor.getProfile", author)
    assert.strictEqual(author["handle"], "alice.test")
  })
})
