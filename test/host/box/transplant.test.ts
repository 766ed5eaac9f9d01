import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { type Desk, makeDesk } from "../../cli/command.ts"
import { env, type RunningBox, signUp, startBox } from "./boxWorld.ts"

let base: string
let desk: Desk
let running: Array<RunningBox>

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "nacre-transplant-"))
  desk = makeDesk()
  running = []
})
afterEach(async () => {
  desk.remove()
  await Promise.all(running.map((box) => box.stop()))
  rmSync(base, { recursive: true, force: true })
})

/** Starts a server over a folder; all of them have the same backup store. */
const start = async (name: string) => {
  const box = await startBox(join(base, name), { backupFolder: join(base, "backups") })
  running.push(box)
  return { box, url: await box.listen() }
}

const post = (box: RunningBox, { did, auth }: { did: string; auth: string }, text: string) =>
  box.call("com.atproto.repo.createRecord", {
    auth,
    input: {
      repo: did,
      collection: "app.bsky.feed.post",
      record: { $type: "app.bsky.feed.post", text, createdAt: "2026-01-01T00:00:00.000Z" }
    }
  })

const textsOf = async (box: RunningBox, did: string): Promise<ReadonlyArray<string>> => {
  const { records } = await box.call(
    `com.atproto.repo.listRecords?repo=${did}&collection=app.bsky.feed.post`
  )
  return records.map((record: { value: { text: string } }) => record.value.text).toSorted()
}

const transplant = (from: string, to: string) =>
  desk.run(["transplant", "--from", from, "--to", to, "--json"], {
    NACRE_ADMIN_PASSWORD: env.ADMIN_PASSWORD
  })

describe("nacre transplant", () => {
  it("the command moves a whole server, and what was written since by a second run", async () => {
    const old = await start("old")
    const alice = await signUp(old.box, "alice")
    const bob = await signUp(old.box, "bob")
    await post(old.box, alice, "the first post")
    await old.box.call("com.atproto.server.deactivateAccount", { auth: bob.auth, input: {} })
    const next = await start("next")
    const appPassword = await old.box.call("com.atproto.server.createAppPassword", {
      auth: alice.auth,
      input: { name: "an app" }
    })
    const session = await old.box.call("com.atproto.server.createSession", {
      input: { identifier: alice.did, password: "a long password" }
    })
    const first = await transplant(old.url, next.url)
    assert.strictEqual(first.code, 0, first.stderr)
    assert.deepInclude(first.json, { accounts: 2, different: [], faults: [] })
    assert.deepStrictEqual(await textsOf(next.box, alice.did), ["the first post"])

    await post(old.box, alice, "a late post")
    const second = await transplant(old.url, next.url)
    assert.strictEqual(second.code, 0, second.stderr)
    assert.deepStrictEqual(await textsOf(next.box, alice.did), ["a late post", "the first post"])
    await next.box.call("com.atproto.server.createSession", {
      input: { identifier: "bob.test", password: "a long password" }
    })
    const { did } = await next.box.call("com.atproto.server.createSession", {
      input: { identifier: alice.did, password: appPassword.password }
    })
    assert.strictEqual(did, alice.did)
    // The app learns that it must sign in again.
    for (const [nsid, auth] of [
      ["com.atproto.server.refreshSession", `Bearer ${session.refreshJwt}`],
      ["com.atproto.server.getSession", alice.auth]
    ] as const) {
      const refused = await next.box
        .call(nsid, { auth, ...(nsid.endsWith("refreshSession") ? { input: {} } : {}) })
        .then(
          () => "accepted",
          (cause: Error) => cause.message
        )
      assert.include(refused, "ExpiredToken", nsid)
    }
    const { repos } = await next.box.call("com.atproto.sync.listRepos")
    assert.deepStrictEqual(
      repos.map((repo: { did: string; status?: string }) => [repo.did, repo.status]).toSorted(),
      [
        [alice.did, undefined],
        [bob.did, "deactivated"]
      ]
    )
  })

  it("the command refuses the same address twice and a server without a backup store, and changes nothing", async () => {
    const old = await start("old")
    await signUp(old.box, "alice")
    const alone = await startBox(join(base, "alone"))
    running.push(alone)
    const without = await transplant(old.url, await alone.listen())
    assert.strictEqual(without.code, 1)
    assert.include(without.stderr, "no backup store")
    const same = await transplant(old.url, old.url)
    assert.include(same.stderr, "the same address")
    const { repos } = await alone.call("com.atproto.sync.listRepos")
    assert.deepStrictEqual(repos, [])
  })
})
