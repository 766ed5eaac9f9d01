import { verifyRepoCar } from "@atproto/repo"
import { afterAll, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  post,
  settled,
  session,
  signUp
} from "../support/http/httpWorld.ts"
import { decodeFrame } from "../support/server/serverFrames.ts"

let host: Host
beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

let made = 0
let who: Person
const count = 300
beforeEach(async () => {
  who = await signUp(host, `repaired${(made += 1)}`)
  const like = (index: number) => ({
    $type: "app.bsky.feed.like",
    subject: { uri: `at://did:plc:other/app.bsky.feed.post/${index}`, cid: who.post },
    createdAt: "2026-01-01T00:00:00.000Z"
  })
  for (let from = 0; from < count; from += 100) {
    const writes = Array.from({ length: 100 }, (_, at) => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection: at % 4 === 0 ? "app.bsky.feed.like" : "app.bsky.feed.post",
      rkey: `key${String(from + at).padStart(4, "0")}`,
      value: at % 4 === 0 ? like(from + at) : post(`number ${from + at}`)
    }))
    ok(
      await host.call("com.atproto.repo.applyWrites", {
        auth: who.auth,
        input: { repo: who.did, validate: false, writes }
      })
    )
  }
})

interface Examined {
  readonly found: number
  readonly problems: ReadonlyArray<string>
  readonly dropped: ReadonlyArray<string>
  readonly damaged: ReadonlyArray<string>
}

const examine = async (): Promise<Examined> =>
  ok(await host.ask(`/admin/repair?account=${who.did}`, { auth: basic() }))["examined"]

const repair = (query = "") =>
  host.ask(`/admin/repair?account=${who.did}${query}`, { method: "POST", auth: basic() })

const check = async (): Promise<ReadonlyArray<string>> =>
  ok(await host.ask(`/admin/check?account=${who.did}`, { auth: basic() }))["problems"]

/** Changes the account's rows without the server's knowledge. */
const spoil = (...statements: ReadonlyArray<string>) =>
  host.inside(
    who.did,
    Effect.map(SqlStorage, (sql) => {
      for (const statement of statements) sql.exec(statement)
    })
  )

const parsed = async () => {
  const { didKey } = (
    await host.inside(
      who.did,
      Effect.flatMap(AccountStore, (accounts) => accounts.get)
    )
  ).signingKey
  const car = await host.call("com.atproto.sync.getRepo", { params: { did: who.did } })
  assert.strictEqual(car.status, 200)
  return verifyRepoCar(car.bytes, who.did, didKey)
}

/** Repairs, and checks what must hold after every repair. */
const assertRepaired = async (query = ""): Promise<Examined> => {
  const before = ok(
    await host.call("com.atproto.sync.getLatestCommit", { params: { did: who.did } })
  )["rev"]
  assert.isNotEmpty(await check())
  const frames = host.subscribe()
  const { examined, rev } = ok(await repair(query)) as {
    readonly examined: Examined
    readonly rev: string
  }
  assert.isTrue(rev > before)
  assert.deepStrictEqual(await check(), [])
  await settled(host, who.did)
  await host.delivered()
  const events = frames.map(decodeFrame).filter(({ body }) => (body.did ?? body.repo) === who.did)
  assert.deepStrictEqual(
    events.map(({ type, body }) => [type, body.rev]),
    [["#sync", rev]]
  )
  await parsed()
  // Writes work on the new tree.
  const input = { repo: who.did, collection: "app.bsky.feed.post", record: post("afterwards") }
  const auth = bearer((await session(host, who.did, "full")).accessJwt)
  const written = await host.call("com.atproto.repo.createRecord", { auth, input })
  assert.strictEqual(outcomeOf(written), "ok")
  assert.deepStrictEqual(await check(), [])
  return examined
}

const cluster = "(SELECT id FROM cluster WHERE id <> 0 ORDER BY length(bytes) DESC LIMIT 1)"

describe("a repair of an account", () => {
  it("an examination finds nothing in a sound account, and a repair changes nothing", async () => {
    const change = (writes: ReadonlyArray<object>) =>
      host.call("com.atproto.repo.applyWrites", {
        auth: who.auth,
        input: { repo: who.did, validate: false, writes }
      })
    const keyOf = (at: number) => ({
      collection: at % 4 === 0 ? "app.bsky.feed.like" : "app.bsky.feed.post",
      rkey: `key${String(at).padStart(4, "0")}`
    })
    const updates = Array.from({ length: 50 }, (_, at) => ({
      $type: "com.atproto.repo.applyWrites#update",
      ...keyOf(2 * at),
      value: { ...post(`again ${at}`), $type: keyOf(2 * at).collection }
    }))
    const deletes = Array.from({ length: 150 }, (_, at) => ({
      $type: "com.atproto.repo.applyWrites#delete",
      ...keyOf(100 + at)
    }))
    ok(await change(updates))
    ok(await change(deletes))
    assert.deepInclude(await examine(), { found: 0, problems: [], dropped: [], damaged: [] })
    assert.deepStrictEqual(await check(), [])
    const { commit } = await parsed()
    assert.notProperty(ok(await repair()), "rev")
    assert.strictEqual((await parsed()).commit.rev, commit.rev)
  })

  for (const [what, statement, problem] of [
    [
      "a missing tree node",
      `DELETE FROM cluster WHERE id = ${cluster}`,
      /tree node .* can't be read/
    ],
    ["the missing root", "DELETE FROM cluster WHERE id = 0", /tree node .* can't be read/],
    [
      "a changed byte in a tree node",
      `UPDATE cluster SET bytes = CAST(substr(bytes, 1, 60) || x'7f' || substr(bytes, 62) AS BLOB) WHERE id = ${cluster}`,
      /tree node .* can't be read/
    ],
    [
      "a record that the tree lacks",
      "INSERT INTO record SELECT 'app.bsky.feed.post/extra', cid, rev, value FROM record WHERE path = 'app.bsky.feed.post/key0001'",
      /app\.bsky\.feed\.post\/extra is missing in the tree/
    ],
    [
      "lost references to blobs",
      "DELETE FROM blob_ref",
      /the reference to the blob .* in app\.bsky\.actor\.profile\/self is lost/
    ],
    [
      "a reference of no record",
      "INSERT INTO blob_ref VALUES ('app.bsky.feed.post/zzz', 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')",
      /names app\.bsky\.feed\.post\/zzz/
    ],
    ["wrong counts of references", "UPDATE blob SET refs = 7", /wrong number of references/],
    ["a wrong total of blobs", "UPDATE blob_usage SET bytes = 1", /total size/],
    ["lost index entries", "DELETE FROM backlink", /75 entries of the index/],
    [
      "an index entry of no record",
      "INSERT INTO backlink VALUES ('app.bsky.feed.like', 'at://x', 'app.bsky.feed.like/none')",
      /1 entries of the index/
    ],
    ["a wrong number of records", "UPDATE head SET records = 5", /the head counts 5 records/],
    ["a wrong number of nodes", "UPDATE head SET nodes = 5", /the head counts 5 nodes/],
    [
      "a commit with another signature",
      "UPDATE head SET block = CAST(substr(block, 1, 180) || x'00' || substr(block, 182) AS BLOB)",
      /the signed commit is damaged/
    ],
    [
      "a head with another rev than its commit",
      "UPDATE head SET rev = '3aaaaaaaaaa22'",
      /the signed commit is damaged: it isn't the one that the head names/
    ],
    [
      "a head that names another tree",
      "UPDATE head SET root = (SELECT cid FROM record LIMIT 1)",
      /tree node .* can't be read/
    ],
    [
      "a head that names another commit",
      "UPDATE head SET cid = (SELECT cid FROM record LIMIT 1)",
      /the signed commit is damaged: its bytes don't match its CID/
    ],
    [
      "rows of no tree",
      "INSERT INTO cluster SELECT 9999, cid, rev, below, bytes FROM cluster WHERE id = 0",
      /belong to no tree/
    ],
    [
      "a record under a wrong CID",
      "UPDATE record SET cid = (SELECT cid FROM record WHERE path = 'app.bsky.feed.post/key0002') WHERE path = 'app.bsky.feed.post/key0001'",
      /key0001 is stored under a wrong CID/
    ]
  ] as const) {
    it(`an account with ${what} is whole after a repair`, async () => {
      await spoil(statement)
      const before = await examine()
      assert.match(before.problems.join("\n"), problem)
      assert.deepStrictEqual(await examine(), before, "an examination changes nothing")
      const examined = await assertRepaired()
      assert.deepStrictEqual(examined.problems, before.problems)
    })
  }

  it("a tree entry without a record is named and removed from the tree", async () => {
    await spoil("DELETE FROM record WHERE path = 'app.bsky.feed.post/key0005'")
    const { dropped } = await assertRepaired()
    assert.deepStrictEqual(dropped, ["app.bsky.feed.post/key0005"])
    const { creates } = await parsed()
    assert.lengthOf(creates, count + 2, "the profile, the first post, and one written since")
  })

  it("a damaged record is named, and removed only with the operator's word", async () => {
    const path = "app.bsky.feed.post/key0007"
    await spoil(`UPDATE record SET value = x'a16161f5' WHERE path = '${path}'`)
    assert.deepInclude(await examine(), { damaged: [path] })
    const refused = await repair()
    assert.strictEqual(outcomeOf(refused), "400 RepairRefused")
    assert.include(refused.text, path)
    const { damaged } = await assertRepaired("&drop=true")
    assert.deepStrictEqual(damaged, [path])
  })

  it("writes during a repair are kept", async () => {
    await spoil("DELETE FROM cluster WHERE id <> 0", "UPDATE head SET nodes = 3")
    const texts = ["one", "two", "three", "four"]
    const writing = (async () => {
      for (const text of texts) {
        ok(
          await host.call("com.atproto.repo.createRecord", {
            auth: who.auth,
            input: { repo: who.did, collection: "app.bsky.feed.post", record: post(text) }
          })
        )
      }
    })()
    const repaired = repair()
    await writing.catch(() => {})
    await repaired
    ok(await repair())
    assert.deepStrictEqual(await check(), [])
    const { creates } = await parsed()
    const found = creates.map(({ cid }) => cid.toString())
    const list = await host.call("com.atproto.repo.listRecords", {
      params: { repo: who.did, collection: "app.bsky.feed.post", limit: 100 }
    })
    for (const { cid } of ok(list)["records"]) assert.include(found, cid)
  })

  it("a repair is only for the administrator, and the owner's history names it", async () => {
    await spoil("UPDATE head SET nodes = 3")
    for (const method of ["GET", "POST"]) {
      const asked = { method, auth: who.auth }
      const { status } = await host.ask(`/admin/repair?account=${who.did}`, asked)
      assert.strictEqual(status, 401)
    }
    ok(await repair())
    const { entries } = ok(
      await host.ask(`/admin/accounts/history?account=${who.did}`, { auth: basic() })
    )
    assert.deepInclude(entries[0], { kind: "repaired", by: "operator" })
    const audit = ok(await host.ask("/admin/audit", { auth: basic() }))
    assert.include(JSON.stringify(audit), "/admin/repair")
  })
})
