import { afterEach, assert, describe, it } from "@effect/vitest"
import * as BackupTargetDrill from "../../src/layers/backups/BackupTargetDrill.ts"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import { drill } from "../../src/services/backups/drill/drill.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { newestActs } from "../support/http/consolePages.ts"
import { ok, outcomeOf, post, signUp } from "../support/http/httpWorld.ts"
import { backUp, startBackedUp } from "./backupWorld.ts"

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

const start = async () => {
  const world = await startBackedUp()
  open.push(world.host)
  return world
}

const startDrill = async (objects: ReadonlyMap<string, Uint8Array>) => {
  const from = BackupTargetMemory.make(new Map(objects))
  const host = await startHost({}, { backups: BackupTargetDrill.make(from) })
  open.push(host)
  return host
}

/** Writes posts, in batches of the size that a request may have. */
const writePosts = async (host: Host, did: string, auth: string, posts: number) => {
  for (let left = posts; left > 0; left -= 200) {
    const writes = Array.from({ length: Math.min(200, left) }, (_, n) => ({
      $type: "com.atproto.repo.applyWrites#create",
      collection: "app.bsky.feed.post",
      value: post(`${n} of ${left}`)
    }))
    const input = { repo: did, writes }
    ok(await host.call("com.atproto.repo.applyWrites", { auth, input }))
  }
}

/** An account with 1,000 posts, which is created faster than one with a picture. */
const signUpFast = async (host: Host, name: string) => {
  const handle = `${name}.test`
  const password = `${name}'s own password`
  const input = { handle, password, email: `${name}@mail.example.com`, did: `did:web:${handle}` }
  const made = ok(await host.call("com.atproto.server.createAccount", { input, auth: basic() }))
  await writePosts(host, input.did, bearer(made["accessJwt"]), 1000)
  return { handle, password }
}

describe("a drill", () => {
  it("a drill restores 20 accounts with 20,000 records from their backups, and each can sign in", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
    const putting = { auth: alice.auth, input: { preferences } }
    ok(await host.call("app.bsky.actor.putPreferences", putting))
    await writePosts(host, alice.did, alice.auth, 1000 - 2)
    const people = [{ handle: alice.handle, password: alice.password }]
    for (let n = 1; n < 20; n++) people.push(await signUpFast(host, `person${n}`))
    await backUp(host)
    const before = [...objects.keys()]
    const drilled = await startDrill(objects)
    const { accounts, records, blobs, faults } = await drilled.beneath(drill())
    assert.deepStrictEqual(
      { accounts, records, blobs, faults },
      { accounts: 20, records: 20_000, blobs: 1, faults: [] }
    )
    for (const { handle: identifier, password } of people) {
      const input = { identifier, password }
      const signedIn = await drilled.call("com.atproto.server.createSession", { input })
      assert.strictEqual(outcomeOf(signedIn), "ok")
    }
    assert.deepStrictEqual([...objects.keys()], before)
  })

  it("a reported drill is kept in place of the one before, with a line in the audit log, and only an administrator reports one", async () => {
    const { host } = await start()
    const alice = await signUp(host, "alice")
    const send = (input: object, auth: string | undefined = basic()) =>
      host.ask("/admin/backups/drill", { method: "POST", auth, input })
    const counts = { accounts: 1, records: 2, blobs: 3 }
    const good = { outcome: "good", run: "20260101T030000Z", ...counts, faulty: 0, problems: [] }
    assert.strictEqual((await send(good, alice.auth)).status, 401)
    for (const odd of [
      { ...good, outcome: "fine" },
      { ...good, accounts: -1 },
      { ...good, problems: ["x".repeat(501)] },
      { ...good, problems: Array(11).fill("x") }
    ]) {
      assert.strictEqual((await send(odd)).status, 400)
    }
    const kept = async () => (await host.ask("/admin/backups", { auth: basic() })).body["drill"]
    assert.isUndefined(await kept())
    assert.strictEqual((await send({ ...good, outcome: "different", faulty: 1 })).status, 200)
    host.advance(1000)
    assert.strictEqual((await send(good)).status, 200)
    const { at, ...report } = await kept()
    assert.isAtMost(at, host.now())
    assert.deepStrictEqual(report, good)
    const { backup } = (await host.ask("/ready")).body
    assert.deepStrictEqual(backup.drill, { at, outcome: "good" })
    const acts = await newestActs(host, 10)
    const act = acts.find((one) => one.act === "/admin/backups/drill")
    assert.deepInclude(act, { act: "/admin/backups/drill", after: { outcome: "good", faulty: 0 } })
  })

  it("a drill reports a missing blob", async () => {
    const { host, objects } = await start()
    const { did, avatar } = await signUp(host, "alice")
    await backUp(host)
    const key = `accounts/${did}/blobs/${avatar}`
    objects.delete(key)
    const { faults } = await (await startDrill(objects)).beneath(drill())
    assert.deepInclude(faults[0], { did, key })
    assert.include(faults[1]?.problem, avatar)
  })
})
