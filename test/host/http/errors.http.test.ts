import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { builtIn } from "../../../src/core/lexicon/Lexicons.ts"
import type { Asked } from "../../support/http/httpHost.ts"
import { allMethods } from "../../support/http/httpMethods.ts"
import {
  firstRkey,
  outcomeOf,
  png,
  post,
  startWorld,
  tidOf,
  type World
} from "../../support/http/httpWorld.ts"

const collection = "app.bsky.feed.post"

/** A raw and a DAG-CBOR block that don't exist. */
const noBlob = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
const noBlock = "bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

/** Calls that violate a rule of their method, with the error's name. */
const failures = ({
  alice,
  bob
}: World): ReadonlyArray<readonly [nsid: string, outcome: string, asked: Asked]> => {
  const { did, auth } = alice
  const input = (more: object) => ({ auth, input: { repo: did, collection, ...more } })
  const write = (name: string, more: object) =>
    input({ writes: [{ $type: `com.atproto.repo.applyWrites#${name}`, collection, ...more }] })
  const create = (more: object) =>
    ["com.atproto.repo.createRecord", "400 InvalidRequest", input(more)] as const
  const batch = (outcome: string, asked: Asked) =>
    ["com.atproto.repo.applyWrites", outcome, asked] as const
  const params = (more: Record<string, string | ReadonlyArray<string>>) => ({
    params: { did, ...more }
  })
  return [
    [
      "com.atproto.repo.getRecord",
      "400 RecordNotFound",
      { params: { repo: did, collection, rkey: "nope" } }
    ],
    [
      "com.atproto.repo.getRecord",
      "400 RecordNotFound",
      { params: { repo: did, collection, rkey: firstRkey, cid: noBlock } }
    ],
    create({ record: post(), rkey: firstRkey }),
    create({ record: { ...post(), $type: "app.bsky.feed.like" } }),
    create({ record: { $type: collection, text: 1 } }),
    create({
      record: { $type: collection, text: "x".repeat(3001), createdAt: "2026-01-01T00:00:00Z" }
    }),
    create({ record: { ...post(), big: "x".repeat(1_000_001) }, validate: false }),
    create({ record: { ...post(), float: 1.5 } }),
    create({
      record: { ...post(), avatar: { cid: noBlob, mimeType: "image/png" } },
      validate: false
    }),
    create({ record: post(), rkey: "not a tid" }),
    create({ record: post(), rkey: "self" }),
    create({ collection: "com.example.unknown", record: {}, validate: true }),
    create({
      collection: "app.bsky.actor.profile",
      record: { $type: "app.bsky.actor.profile" },
      rkey: "other"
    }),
    [
      "com.atproto.repo.createRecord",
      "401 AuthenticationRequired",
      input({ repo: bob.did, record: post() })
    ],
    [
      "com.atproto.repo.createRecord",
      "401 AuthenticationRequired",
      input({ repo: "nobody.test", record: post() })
    ],
    [
      "com.atproto.repo.createRecord",
      "400 InvalidSwap",
      input({ record: post(), swapCommit: noBlock })
    ],
    [
      "com.atproto.repo.putRecord",
      "400 InvalidSwap",
      input({ record: post("x"), rkey: firstRkey, swapRecord: noBlock })
    ],
    [
      "com.atproto.repo.deleteRecord",
      "400 InvalidSwap",
      input({ rkey: firstRkey, swapRecord: noBlock })
    ],
    batch("400 InvalidRequest", write("update", { rkey: "nope", value: post() })),
    batch("400 InvalidRequest", write("delete", { rkey: "nope" })),
    batch("400 InvalidRequest", write("create", { rkey: firstRkey, value: post() })),
    batch("400 InvalidRequest", write("move", { rkey: firstRkey })),
    batch("400 InvalidRequest", {
      auth,
      input: {
        repo: did,
        writes: Array.from({ length: 201 }, (_, at) => ({
          $type: "com.atproto.repo.applyWrites#create",
          collection,
          rkey: tidOf(at + 900),
          value: post()
        }))
      }
    }),
    ["com.atproto.sync.getBlocks", "400 BlockNotFound", params({ cids: [alice.post, noBlock] })],
    ["com.atproto.sync.getBlocks", "400 BlockNotFound", params({ cids: [bob.post] })],
    ["com.atproto.sync.getBlob", "400 BlobNotFound", params({ cid: noBlob })],
    ["com.atproto.sync.getBlob", "400 BlobNotFound", params({ cid: bob.avatar })],
    [
      "com.atproto.identity.resolveHandle",
      "400 HandleNotFound",
      { params: { handle: "nobody.test" } }
    ],
    [
      "com.atproto.identity.resolveIdentity",
      "400 HandleNotFound",
      { params: { identifier: "nobody.test" } }
    ],
    [
      "com.atproto.identity.refreshIdentity",
      "400 HandleNotFound",
      { input: { identifier: "nobody.test" } }
    ],
    [
      "com.atproto.identity.resolveDid",
      "400 DidNotFound",
      { params: { did: "did:plc:ewvi7nxzyoun6zhxrhs64oiz" } }
    ],
    [
      "com.atproto.identity.resolveIdentity",
      "400 DidNotFound",
      { params: { identifier: "did:plc:ewvi7nxzyoun6zhxrhs64oiz" } }
    ],
    [
      "com.atproto.identity.refreshIdentity",
      "400 DidNotFound",
      { input: { identifier: "did:plc:ewvi7nxzyoun6zhxrhs64oiz" } }
    ],
    [
      "com.atproto.identity.resolveDid",
      "400 DidNotFound",
      { params: { did: "did:example:unknown" } }
    ],
    [
      "app.bsky.actor.putPreferences",
      "400 InvalidRequest",
      { auth, input: { preferences: [{ $type: "com.example.pref" }] } }
    ],
    ["app.bsky.actor.putPreferences", "400 InvalidRequest", { auth, input: { preferences: [{}] } }]
  ]
}

describe("error responses", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  it("an error has the lexicon's name, and the repo stays the same", async () => {
    const head = () => world.call("com.atproto.sync.getHead", { params: { did: world.alice.did } })
    const before = (await head()).text
    for (const [nsid, outcome, asked] of failures(world)) {
      const answer = await world.call(nsid, asked)
      const shown = `${nsid} ${JSON.stringify(asked).slice(0, 300)} ${answer.text}`
      assert.strictEqual(outcomeOf(answer), outcome, shown)
      assert.strictEqual((await head()).text, before, shown)
    }
  })

  it("sync.getRecord returns a proof for a missing record instead of an error", async () => {
    const { did } = world.alice
    const params = { did, collection, rkey: "nope" }
    assert.strictEqual((await world.call("com.atproto.sync.getRecord", { params })).status, 200)
  })

  it("an unknown cursor returns an empty page or an error below 500", async () => {
    for (const [nsid, params] of [
      ["com.atproto.sync.listRepos", {}],
      ["com.atproto.sync.listReposByCollection", { collection }],
      ["com.atproto.sync.listBlobs", { did: world.alice.did }],
      ["com.atproto.repo.listRecords", { repo: world.alice.did, collection }],
      ["com.atproto.repo.listMissingBlobs", {}]
    ] as const) {
      for (const cursor of ["", "nonsense", "-1", "1e99", "'", "\u0000", "🦪", "9".repeat(40)]) {
        const asked = { params: { ...params, cursor }, auth: world.alice.auth }
        const { status, text } = await world.call(nsid, asked)
        assert.include([200, 400], status, `${nsid} ${cursor} ${text}`)
      }
    }
  })

  it("every error that a lexicon declares is known here, or can't happen", () => {
    const declared = allMethods.flatMap(
      (nsid) => builtIn.method(nsid)?.errors?.map(({ name }) => name) ?? []
    )
    const known = new Set(
      [
        "AccountNotFound AccountTakedown AlreadyExists AuthFactorTokenRequired BadExpiration BlobNotFound BlockNotFound",
        "ConsumerTooSlow DidDeactivated DidNotFound DuplicateCreate ExpiredToken FutureCursor",
        "HandleNotAvailable HandleNotFound HeadNotFound IncompatibleDidDoc InvalidEmail InvalidHandle",
        "InvalidInviteCode InvalidPassword InvalidSwap InvalidToken RecordNotFound RepoDeactivated",
        "RepoNotFound RepoSuspended RepoTakendown TokenRequired UnresolvableDid UnsupportedDomain"
      ]
        .join(" ")
        .split(" ")
    )
    assert.deepStrictEqual(
      declared.filter((name) => !known.has(name)),
      []
    )
  })

  it("an upload's error says what is wrong", async () => {
    const { auth } = world.alice
    const nsid = "com.atproto.repo.uploadBlob"
    const picky = await startWorld({ BLOB_MIME_TYPES: "image/*", BLOB_QUOTA: "100" })
    const upload = (body: Uint8Array, type: string) =>
      picky.call(nsid, {
        auth: picky.alice.auth,
        body: body as Uint8Array<ArrayBuffer>,
        headers: { "content-type": type }
      })
    const text = new TextEncoder().encode("plain words")
    assert.strictEqual(outcomeOf(await upload(text, "text/plain")), "400 InvalidRequest")
    assert.strictEqual(
      outcomeOf(await upload(png("x".repeat(100)), "image/png")),
      "400 BlobQuotaExceeded"
    )
    assert.strictEqual(outcomeOf(await upload(png("small"), "image/png")), "ok")
    await picky.close()
    assert.strictEqual(
      outcomeOf(await world.call(nsid, { auth, method: "POST" })),
      "400 InvalidRequest"
    )
  })
})
