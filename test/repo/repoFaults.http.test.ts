import { verifyRepoCar } from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Asked } from "../support/http/httpHost.ts"
import {
  firstRkey,
  ok,
  outcomeOf,
  type Person,
  post,
  signUp,
  startWorld,
  tidOf,
  type World
} from "../support/http/httpWorld.ts"

const collection = "app.bsky.feed.post"

describe("faults that other servers had", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const write = (nsid: string, who: Person, input: object) =>
    world.call(`com.atproto.repo.${nsid}`, { auth: who.auth, input: { repo: who.did, ...input } })

  const read = async (nsid: string, params: Asked["params"]) =>
    ok(await world.call(nsid, { params: params! }))

  const records = ({ did }: Person, params: object = {}) =>
    read("com.atproto.repo.listRecords", { repo: did, collection, ...params })

  const keyOf = async ({ did }: Person): Promise<string> => {
    const { didDoc } = await read("com.atproto.repo.describeRepo", { repo: did })
    return `did:key:${didDoc.verificationMethod[0].publicKeyMultibase}`
  }

  /** The export's records by path, verified by the reference library. */
  const exported = async (who: Person, bytes?: Uint8Array): Promise<Map<string, string>> => {
    const car =
      bytes ?? (await world.call("com.atproto.sync.getRepo", { params: { did: who.did } })).bytes
    const { creates } = await verifyRepoCar(
      car as Uint8Array<ArrayBuffer>,
      who.did,
      await keyOf(who)
    )
    return new Map(
      creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, String(cid)])
    )
  }

  const newcomer = (name: string) => signUp(world, `${name}${world.next()}`)

  it("listRecords pages lose and repeat nothing at any size, in both directions, during writes", async () => {
    const who = await newcomer("pages")
    const there: Array<string> = []
    for (let batch = 0; batch < 2; batch++) {
      const writes = Array.from({ length: 120 }, (_, at) => {
        const rkey = tidOf(1000 + (batch * 120 + at) * 10)
        there.push(rkey)
        return { $type: "com.atproto.repo.applyWrites#create", collection, rkey, value: post(rkey) }
      })
      ok(await write("applyWrites", who, { writes }))
    }
    there.push(firstRkey)
    there.sort()
    for (const reverse of [true, false]) {
      for (const limit of [1, 2, 3, 7, 100]) {
        const seen: Array<string> = []
        let cursor: string | undefined
        do {
          const page = await records(who, {
            limit,
            reverse: String(reverse),
            ...(cursor && { cursor })
          })
          assert.isAtMost(page["records"].length, limit)
          for (const { uri } of page["records"]) seen.push(uri.split("/").at(-1))
          cursor = page["cursor"]
          if (seen.length % 40 === 0) {
            // New keys at both ends, and between pages already read and not yet read.
            const rkey = tidOf(1001 + (seen.length % 240) * 10)
            ok(await write("putRecord", who, { collection, rkey, record: post(`${world.next()}`) }))
          }
        } while (cursor !== undefined)
        assert.strictEqual(new Set(seen).size, seen.length, "a record came twice")
        const sorted = seen.toSorted()
        assert.deepStrictEqual(seen, reverse ? sorted : sorted.toReversed())
        assert.deepStrictEqual(
          there.filter((rkey) => !seen.includes(rkey)),
          []
        )
      }
    }
  })

  it("one of two records with the same content can be deleted, and the repo stays complete", async () => {
    const who = await newcomer("twins")
    const record = post("the same")
    const one = ok(await write("createRecord", who, { collection, record }))
    const other = ok(await write("createRecord", who, { collection, record }))
    assert.strictEqual(one["cid"], other["cid"])
    const rkey = one["uri"].split("/").at(-1)
    ok(await write("deleteRecord", who, { collection, rkey }))
    const left = [...(await exported(who))].filter(([, cid]) => cid === one["cid"])
    assert.lengthOf(left, 1)
    const params = { did: who.did, cids: [other["cid"]] }
    assert.strictEqual((await world.call("com.atproto.sync.getBlocks", { params })).status, 200)
  })

  it("the rev increases although the clock steps back", async () => {
    const who = await newcomer("clock")
    let last = (await read("com.atproto.sync.getLatestCommit", { did: who.did }))["rev"]
    for (const shift of [-60_000, -3_600_000, 0, 60_000, 3_600_000, -1]) {
      world.advance(shift)
      for (let time = 0; time < 5; time++) {
        const { commit, uri } = ok(await write("createRecord", who, { collection, record: post() }))
        assert.isAbove(commit.rev.localeCompare(last), 0)
        assert.isAbove(uri.split("/").at(-1).localeCompare(last), 0)
        last = commit.rev
      }
    }
    await exported(who)
  })

  it("an export during writes is complete and of a single rev", async () => {
    const who = await newcomer("export")
    for (let batch = 0; batch < 3; batch++) {
      const writes = Array.from({ length: 200 }, (_, at) => ({
        $type: "com.atproto.repo.applyWrites#create",
        collection,
        rkey: tidOf(2000 + batch * 200 + at),
        value: post("x".repeat(250))
      }))
      ok(await write("applyWrites", who, { writes }))
    }
    const before = await exported(who)
    const response = await world.handler(
      new Request(`http://localhost:8787/xrpc/com.atproto.sync.getRepo?did=${who.did}`)
    )
    const chunks: Array<Uint8Array> = []
    let at = 0
    for await (const chunk of response.body!) {
      chunks.push(chunk)
      const rkey = tidOf(2000 + ((at += 37) % 600))
      ok(await write("putRecord", who, { collection, rkey, record: post(`changed ${at}`) }))
      ok(await write("deleteRecord", who, { collection, rkey: tidOf(2000 + ((at * 7) % 600)) }))
    }
    assert.isAbove(chunks.length, 1)
    assert.deepStrictEqual(await exported(who, Buffer.concat(chunks)), before)
    assert.notDeepEqual(await exported(who), before)
  })

  it("reading an unknown account doesn't create it", async () => {
    const did = "did:web:later.test"
    for (const nsid of ["getRepo", "getLatestCommit", "getHead", "getRepoStatus", "listBlobs"]) {
      const answer = await world.call(`com.atproto.sync.${nsid}`, { params: { did } })
      assert.strictEqual(outcomeOf(answer), "400 RepoNotFound")
    }
    const { repos } = await read("com.atproto.sync.listRepos", { limit: 1000 })
    assert.notInclude(JSON.stringify(repos), did)
    assert.strictEqual((await signUp(world, "later")).did, did)
  })

  it("swapCommit and swapRecord reject the second of two editors with the same state", async () => {
    const who = await newcomer("swap")
    const seen = (await read("com.atproto.sync.getLatestCommit", { did: who.did }))["cid"]
    const swap = { collection, swapCommit: seen }
    const first = ok(await write("createRecord", who, { ...swap, record: post("one") }))
    for (const [nsid, input] of [
      ["createRecord", { ...swap, record: post("two") }],
      ["putRecord", { ...swap, rkey: firstRkey, record: post("two") }],
      ["deleteRecord", { ...swap, rkey: firstRkey }],
      [
        "applyWrites",
        {
          swapCommit: seen,
          writes: [{ $type: "com.atproto.repo.applyWrites#delete", collection, rkey: firstRkey }]
        }
      ]
    ] as const) {
      assert.strictEqual(outcomeOf(await write(nsid, who, input)), "400 InvalidSwap", nsid)
    }
    const wrong = { collection, rkey: firstRkey, swapRecord: first["cid"] }
    assert.strictEqual(
      outcomeOf(await write("putRecord", who, { ...wrong, record: post("three") })),
      "400 InvalidSwap"
    )
    assert.strictEqual(outcomeOf(await write("deleteRecord", who, wrong)), "400 InvalidSwap")
    const absent = { ...wrong, swapRecord: null, record: post("four") }
    assert.strictEqual(outcomeOf(await write("putRecord", who, absent)), "400 InvalidSwap")
    assert.strictEqual((await exported(who)).get(`${collection}/${firstRkey}`), who.post)
    ok(await write("putRecord", who, { ...wrong, swapRecord: who.post, record: post("five") }))
    ok(await write("putRecord", who, { ...absent, rkey: tidOf(9) }))
  })

  it("a handle names the repo as its DID does, in reads and writes, in any case", async () => {
    const { handle } = world.alice
    for (const repo of [handle, handle.toUpperCase()]) {
      const made = await world.call("com.atproto.repo.createRecord", {
        auth: world.alice.auth,
        input: { repo, collection, record: post() }
      })
      assert.strictEqual(outcomeOf(made), "ok")
      assert.strictEqual(
        (await read("com.atproto.repo.describeRepo", { repo }))["did"],
        world.alice.did
      )
      const uri = (await read("com.atproto.repo.getRecord", { repo, collection, rkey: firstRkey }))[
        "uri"
      ]
      assert.include(uri, world.alice.did)
    }
  })

  it("a parameter that the method doesn't have can't select another account", async () => {
    const { alice, bob } = world
    const params = { repo: alice.did, did: bob.did, collection, rkey: firstRkey }
    assert.include((await read("com.atproto.repo.getRecord", params))["uri"], alice.did)
    const status = await read("com.atproto.sync.getRepoStatus", { repo: bob.did, did: alice.did })
    assert.strictEqual(status["did"], alice.did)
  })

  it("a profile with an avatar can be edited, and links and bytes survive", async () => {
    const who = await newcomer("profile")
    const profile = { repo: who.did, collection: "app.bsky.actor.profile", rkey: "self" }
    for (const displayName of ["first", "second"]) {
      const { value, cid } = await read("com.atproto.repo.getRecord", profile)
      const record = { ...value, displayName }
      ok(await write("putRecord", who, { ...profile, record, swapRecord: cid }))
    }
    const { value } = await read("com.atproto.repo.getRecord", profile)
    assert.strictEqual(value.displayName, "second")
    assert.strictEqual(value.avatar.ref.$link, who.avatar)
    const odd = {
      $type: "com.example.odd",
      bytes: { $bytes: "AAEC/w" },
      link: { $link: who.post },
      deep: [{ bytes: { $bytes: "" } }]
    }
    ok(await write("putRecord", who, { collection: odd.$type, rkey: "odd", record: odd }))
    const kept = await read("com.atproto.repo.getRecord", {
      repo: who.did,
      collection: odd.$type,
      rkey: "odd"
    })
    assert.deepStrictEqual(kept["value"], odd)
  })

  it("one batch may create and delete one key, and move a record", async () => {
    const who = await newcomer("batch")
    const rkey = tidOf(77)
    const write_ = (action: string, rkey: string, value?: object) => ({
      $type: `com.atproto.repo.applyWrites#${action}`,
      collection,
      rkey,
      ...(value && { value })
    })
    const none = [write_("create", rkey, post()), write_("delete", rkey)]
    const both = ok(await write("applyWrites", who, { writes: none }))
    assert.lengthOf(both["results"], 2)
    const again = [write_("delete", firstRkey), write_("create", firstRkey, post("again"))]
    ok(await write("applyWrites", who, { writes: again }))
    assert.deepStrictEqual(
      [...(await exported(who)).keys()].filter((path) => path.startsWith(collection)),
      [`${collection}/${firstRkey}`]
    )
  })

  it("all write methods accept the same depth of nesting, and no more", async () => {
    const who = await newcomer("deep")
    const nested = (levels: number): unknown =>
      Array.from({ length: levels }).reduce((inner) => ({ inner }), 1)
    const outcomes = async (levels: number) => {
      const [value, collection] = [nested(levels), "com.example.deep"]
      const create = { $type: "com.atproto.repo.applyWrites#create", collection, value }
      return [
        outcomeOf(await write("createRecord", who, { collection, record: value })),
        outcomeOf(await write("putRecord", who, { collection, rkey: "put", record: value })),
        outcomeOf(await write("applyWrites", who, { writes: [create] }))
      ]
    }
    assert.deepStrictEqual(await outcomes(32), ["ok", "ok", "ok"])
    assert.deepStrictEqual(new Set(await outcomes(33)), new Set(["400 InvalidRequest"]))
    assert.deepStrictEqual(new Set(await outcomes(50)), new Set(["400 InvalidRequest"]))
  })

  it("a second like, repost, follow or block of the same subject replaces the first", async () => {
    const who = await newcomer("twice")
    const subject = {
      uri: `at://${world.alice.did}/${collection}/${firstRkey}`,
      cid: world.alice.post
    }
    const createdAt = "2026-01-01T00:00:00.000Z"
    for (const [type, value] of [
      ["app.bsky.feed.like", subject],
      ["app.bsky.feed.repost", subject],
      ["app.bsky.graph.follow", world.alice.did],
      ["app.bsky.graph.block", world.bob.did]
    ] as const) {
      const record = { $type: type, subject: value, createdAt }
      ok(await write("createRecord", who, { collection: type, record }))
      const { uri } = ok(await write("createRecord", who, { collection: type, record }))
      const page = await records(who, { collection: type })
      assert.deepStrictEqual(
        page["records"].map(({ uri }: { uri: string }) => uri),
        [uri]
      )
    }
  })
})
