import { afterEach, assert, describe, it } from "@effect/vitest"
import { basic, bearer, type Host } from "../support/http/httpHost.ts"
import { ok, png, post, session, signUp, upload } from "../support/http/httpWorld.ts"
import { backUp, startBackedUp, verify } from "./backupWorld.ts"

const day = 86_400_000

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

const start = async (env: Readonly<Record<string, string>> = {}) => {
  const world = await startBackedUp(env)
  open.push(world.host)
  return world
}

/** Starts a new session, since days pass in these tests. */
const bearerOf = async (host: Host, did: string) =>
  bearer((await session(host, did, "full")).accessJwt)

const write = async (host: Host, did: string, text: string) => {
  const auth = await bearerOf(host, did)
  ok(
    await host.call("com.atproto.repo.createRecord", {
      auth,
      input: { repo: did, collection: "app.bsky.feed.post", record: post(text) }
    })
  )
}

/** The objects of a run, without its id. */
const namesOf = (objects: ReadonlyMap<string, unknown>, run: string) =>
  [...objects.keys()]
    .filter((key) => key.includes(run))
    .map((key) => key.replace(run, "run"))
    .toSorted()

describe("a backup of the server", () => {
  it("a run contains every account with its blobs, and writes nothing for an unchanged one", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const bob = await signUp(host, "bob")
    const first = await backUp(host)
    assert.deepInclude(first, { outcome: "good", accounts: 2, changed: 2, blobs: 2, faulty: 0 })
    for (const { did, avatar } of [alice, bob]) {
      assert.isTrue(objects.has(`accounts/${did}/blobs/${avatar}`))
      for (const name of ["account.json", "repo.car", "private.sealed"]) {
        assert.isTrue(objects.has(`accounts/${did}/${first.run}/${name}`), name)
      }
    }
    assert.isTrue(objects.has(`runs/${first.run}/run.json`))

    host.advance(day)
    await write(host, alice.did, "another day")
    const second = await backUp(host)
    assert.deepInclude(second, { outcome: "good", accounts: 2, changed: 1, blobs: 0 })
    assert.isTrue(objects.has(`accounts/${alice.did}/${second.run}/repo.car`))
    assert.isFalse(objects.has(`accounts/${bob.did}/${second.run}/account.json`))
  })

  it("a backup contains no readable password, key or preference", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: false }]
    ok(
      await host.call("app.bsky.actor.putPreferences", {
        auth: alice.auth,
        input: { preferences }
      })
    )
    await backUp(host)
    for (const [key, bytes] of objects) {
      const text = Buffer.from(bytes).toString("latin1")
      for (const secret of ["scrypt", "adultContentPref", alice.email]) {
        assert.notInclude(text, secret, key)
      }
    }
  })

  it("verification reports a missing object, and the next run writes the account again", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const { run } = await backUp(host)
    objects.delete(`accounts/${alice.did}/${run}/repo.car`)
    const { faults } = await verify(host)
    assert.include(faults[0]?.problem, "missing")
    host.advance(day)
    assert.deepInclude(await backUp(host), { outcome: "good", changed: 1 })
    assert.deepInclude(await verify(host), { faults: [] })
  })

  it("a run repairs a damaged copy of a blob while the server still has the blob", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    await backUp(host)
    objects.delete(`accounts/${alice.did}/blobs/${alice.avatar}`)
    assert.lengthOf((await verify(host)).faults, 1)
    assert.lengthOf((await verify(host)).faults, 0)
  })

  it("a run completes with the same objects although any one operation of the store fails", async () => {
    const { host, objects, state } = await start()
    await signUp(host, "alice")
    // The first run of a database looks for backups of an earlier one, too.
    await backUp(host)
    objects.clear()
    host.advance(1000)
    state.operations = 0
    const expected = namesOf(objects, (await backUp(host)).run)
    const { operations } = state
    assert.isAbove(operations, 15)
    for (let at = 0; at < operations; at++) {
      objects.clear()
      host.advance(1000)
      Object.assign(state, { operations: 0, failAt: at })
      const run = await backUp(host)
      assert.strictEqual(run.outcome, "good", `operation ${at}`)
      assert.deepStrictEqual(namesOf(objects, run.run), expected, `operation ${at}`)
    }
    assert.deepInclude(await verify(host), { accounts: 1, faults: [] })
  })

  it("a run completes with the same objects although the isolate ends in any operation", async () => {
    const { host, objects, state } = await start()
    await signUp(host, "alice")
    // The first run of a database looks for backups of an earlier one, too.
    await backUp(host)
    objects.clear()
    host.advance(1000)
    state.operations = 0
    const expected = namesOf(objects, (await backUp(host)).run)
    const { operations } = state
    for (let at = 0; at < operations; at++) {
      objects.clear()
      host.advance(1000)
      Object.assign(state, { operations: 0, hangAt: at })
      const ended = new Promise<void>((resolve) => (state.onHang = resolve))
      void host.ask("/admin/backups", { method: "POST", auth: basic() })
      await ended
      // An ended isolate doesn't release its lease.
      host.advance(121_000)
      const run = await backUp(host)
      assert.strictEqual(run.outcome, "good", `operation ${at}`)
      assert.deepStrictEqual(namesOf(objects, run.run), expected, `operation ${at}`)
    }
    assert.deepInclude(await verify(host), { accounts: 1, faults: [] })
  })

  it("a request learns when the lease of another caller ends, and takes the run over then", async () => {
    const { host, state } = await start()
    await signUp(host, "alice")
    const ended = new Promise<void>((resolve) => {
      Object.assign(state, { hangAt: 5, onHang: resolve })
    })
    void host.ask("/admin/backups", { method: "POST", auth: basic() })
    await ended
    const { body } = await host.ask("/admin/backups", { method: "POST", auth: basic() })
    assert.isUndefined(body["run"].outcome)
    const left = body["heldUntil"] - host.now()
    assert.isTrue(left > 0 && left <= 120_000, `${left} ms`)
    host.advance(left)
    const path = `/admin/backups?run=${body["run"].run}`
    const taken = await host.ask(path, { method: "POST", auth: basic() })
    assert.notProperty(taken.body, "heldUntil")
    assert.strictEqual(taken.body["run"].outcome, "good")
  })

  it("a run reports an account that can't be stored, and still backs up the others", async () => {
    const { host, objects, state } = await start()
    const alice = await signUp(host, "alice")
    const bob = await signUp(host, "bob")
    state.failFor = alice.did
    const run = await backUp(host)
    assert.deepInclude(run, {
      outcome: "incomplete",
      accounts: 2,
      failed: 1,
      changed: 1,
      faulty: 1
    })
    assert.deepInclude((await host.ask("/ready")).body["backup"], { faulty: 1 })
    assert.strictEqual(run.faults[0]?.did, alice.did)
    assert.include(run.faults[0]?.problem, "the disk is full")
    assert.isTrue(objects.has(`accounts/${bob.did}/${run.run}/account.json`))
    state.failFor = ""
    host.advance(day)
    assert.deepInclude(await backUp(host), { outcome: "good", changed: 1, failed: 0 })
  })

  it("a second run in the same second gets a name of its own and contains what changed", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const first = await backUp(host)
    const bob = await signUp(host, "bob")
    const second = await backUp(host)
    const third = await backUp(host)
    assert.isTrue(first.run < second.run && second.run < third.run)
    assert.deepInclude(second, { outcome: "good", accounts: 2, changed: 1 })
    assert.isTrue(objects.has(`accounts/${bob.did}/${second.run}/account.json`))
    assert.isFalse(objects.has(`accounts/${alice.did}/${second.run}/account.json`))
    assert.isTrue(objects.has(`runs/${third.run}/run.json`))
  })

  it("a run copies only missing blobs", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    await backUp(host)
    host.advance(day)
    const auth = await bearerOf(host, alice.did)
    const image = await upload(host, auth, png("another"))
    ok(
      await host.call("com.atproto.repo.createRecord", {
        auth,
        input: {
          repo: alice.did,
          collection: "app.bsky.feed.post",
          record: {
            ...post("with a picture"),
            embed: { $type: "app.bsky.embed.images", images: [{ alt: "", image }] }
          }
        }
      })
    )
    assert.deepInclude(await backUp(host), { outcome: "good", changed: 1, blobs: 1 })
    const blobs = [...objects.keys()].filter((key) => key.includes("/blobs/"))
    assert.lengthOf(blobs, 2)
  })
})

describe("old backups", () => {
  it("retention keeps backups by days, weeks and months, and every remaining one is readable", async () => {
    const { host, objects } = await start({ BACKUP_KEEP: "2,0,0" })
    const alice = await signUp(host, "alice")
    const runs: Array<string> = []
    for (let night = 0; night < 4; night++) {
      await write(host, alice.did, `night ${night}`)
      runs.push((await backUp(host)).run)
      host.advance(day)
    }
    const kept = new Set(
      [...objects.keys()].flatMap((key) => /\/(\d{8}T\d{6}Z)\//.exec(key)?.[1] ?? [])
    )
    assert.deepStrictEqual([...kept].toSorted(), runs.slice(-2))
    assert.deepInclude(await verify(host), { faults: [] })
  })

  it("a deleted account's backups are deleted after the configured days", async () => {
    const { host, objects } = await start({ BACKUP_DELETED_DAYS: "3" })
    const alice = await signUp(host, "alice")
    await backUp(host)
    ok(
      await host.call("com.atproto.admin.deleteAccount", {
        auth: basic(),
        input: { did: alice.did }
      })
    )
    const holds = () => [...objects.keys()].some((key) => key.includes(alice.did))
    for (const left of [true, true, true, false]) {
      host.advance(day)
      await backUp(host)
      assert.strictEqual(holds(), left)
    }
  })
})

describe("the routes of backups", () => {
  it("only the administrator can use the routes", async () => {
    const { host } = await start()
    const alice = await signUp(host, "alice")
    for (const auth of [undefined, alice.auth, basic("a wrong password of some length")]) {
      for (const [method, path] of [
        ["GET", "/admin/backups"],
        ["POST", "/admin/backups"],
        ["POST", "/admin/backups/verify"]
      ] as const) {
        assert.strictEqual(
          (await host.ask(path, { method, auth })).status,
          401,
          `${method} ${path}`
        )
      }
    }
  })

  it("the list of runs starts with the newest", async () => {
    const { host } = await start()
    const first = await backUp(host)
    host.advance(1000)
    const second = await backUp(host)
    const { body } = await host.ask("/admin/backups", { auth: basic() })
    assert.strictEqual(body["store"], "faulty")
    assert.deepStrictEqual(
      body["runs"].map((run: { readonly run: string }) => run.run),
      [second.run, first.run]
    )
  })
})
