import { verifyRepoCar } from "@atproto/repo"
import { afterEach, assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runJobs } from "../../src/services/host/jobs.ts"
import { withAuthenticator, withPasskey } from "../support/http/accountPages.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  png,
  post,
  session,
  settled,
  signUp
} from "../support/http/httpWorld.ts"
import { decodeFrame } from "../support/server/serverFrames.ts"
import { backUp, faultyTarget, restoreServer, startBackedUp, verify } from "./backupWorld.ts"

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

const start = async (env: Readonly<Record<string, string>> = {}) => {
  const world = await startBackedUp(env)
  open.push(world.host)
  return world
}

/** An empty deployment with the same secrets and the same backup store. */
const startEmpty = async (
  objects: Map<string, Uint8Array>,
  env: Readonly<Record<string, string>> = {}
) => {
  const store = faultyTarget(new Map(objects))
  const host = await startHost(env, { backups: store.target })
  open.push(host)
  return { host, ...store }
}

const repoOf = async (host: Host, did: string) => {
  const { bytes, status, text } = await host.call("com.atproto.sync.getRepo", { params: { did } })
  if (status !== 200) throw new Error(text)
  const { did: _, ...document } = ok(
    await host.call("com.atproto.sync.getLatestCommit", { params: { did } })
  )
  const { creates, commit } = await verifyRepoCar(bytes, did)
  assert.strictEqual(document["rev"], commit.rev)
  const records = creates.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`)
  return { rev: commit.rev, records: records.toSorted() }
}

const signIn = (host: Host, { handle }: Person, password: string, code?: string) =>
  host.call("com.atproto.server.createSession", {
    input: {
      identifier: handle,
      password,
      ...(code === undefined ? {} : { authFactorToken: code })
    }
  })

const preferencesOf = async (host: Host, did: string) => {
  const auth = bearer((await session(host, did, "full")).accessJwt)
  return ok(await host.call("app.bsky.actor.getPreferences", { auth }))["preferences"]
}

const seqsOf = (frames: ReadonlyArray<Uint8Array>) =>
  // SAFETY: every event has a number.
  frames.map((frame) => (decodeFrame(frame).body as unknown as { readonly seq: number }).seq)

describe("a server that burnt down", () => {
  it("a restore brings back records, blobs, preferences and all credentials from the backup and the secrets", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    const bob = await signUp(first, "bob")
    const dora = await signUp(first, "dora")
    const preferences = [{ $type: "app.bsky.actor.defs#adultContentPref", enabled: true }]
    ok(
      await first.call("app.bsky.actor.putPreferences", {
        auth: alice.auth,
        input: { preferences }
      })
    )
    const app = ok(
      await first.call("com.atproto.server.createAppPassword", {
        auth: alice.auth,
        input: { name: "phone" }
      })
    )
    const { totp } = await withAuthenticator(first, bob.did)
    const passkey = await withPasskey(first, bob.did)
    ok(
      await first.call("com.atproto.admin.updateSubjectStatus", {
        auth: basic(),
        input: {
          subject: {
            $type: "com.atproto.admin.defs#repoBlobRef",
            did: bob.did,
            cid: bob.avatar
          },
          takedown: { applied: true, ref: "case 7" }
        }
      })
    )
    ok(await first.call("com.atproto.server.deactivateAccount", { auth: dora.auth, input: {} }))
    const limited = { account: bob.did, bytes: 5e6 }
    ok(await first.ask("/admin/accounts/quota", { auth: basic(), input: limited }))
    const { codes } = ok(
      await first.ask("/admin/invites", {
        auth: basic(),
        input: { uses: 3, note: "Friends", expires: "3000-01-01" }
      })
    )
    const before = { alice: await repoOf(first, alice.did), bob: await repoOf(first, bob.did) }
    const logged = first.subscribe(0)
    await first.delivered()
    const lastSeq = Math.max(...seqsOf(logged), 0)
    await backUp(first)

    const { host } = await startEmpty(objects)
    const events = host.subscribe()
    const { restored, faults } = await restoreServer(host)
    assert.deepStrictEqual(faults, [])
    assert.sameMembers(
      restored.map(({ did, kind }) => `${kind} ${did}`),
      [alice, bob, dora].map(({ did }) => `created ${did}`)
    )

    for (const [who, was] of [
      [alice, before.alice],
      [bob, before.bob]
    ] as const) {
      const now = await repoOf(host, who.did)
      assert.deepStrictEqual(now.records, was.records)
      assert.isAbove(now.rev.localeCompare(was.rev), 0, "the rev rises")
    }
    const blob = { params: { did: alice.did, cid: alice.avatar } }
    assert.deepEqual((await host.call("com.atproto.sync.getBlob", blob)).bytes, png("alice"))
    const taken = { params: { did: bob.did, cid: bob.avatar } }
    assert.strictEqual(
      outcomeOf(await host.call("com.atproto.sync.getBlob", taken)),
      "400 BlobNotFound"
    )
    assert.deepStrictEqual(await preferencesOf(host, alice.did), preferences)

    assert.strictEqual(outcomeOf(await signIn(host, alice, alice.password)), "ok")
    assert.strictEqual(outcomeOf(await signIn(host, alice, app["password"])), "ok")
    assert.strictEqual(
      outcomeOf(await signIn(host, alice, "another password")),
      "401 AuthenticationRequired"
    )
    assert.strictEqual(
      outcomeOf(await signIn(host, bob, bob.password)),
      "401 AuthFactorTokenRequired"
    )
    host.advance(60_000)
    const code = totp.generate({ timestamp: host.now() })
    assert.strictEqual(outcomeOf(await signIn(host, bob, bob.password, code)), "ok")
    const passkeys = await host.ask(`/manage/passkeys?account=${bob.handle}`, { auth: basic() })
    assert.include(passkeys.text, passkey.id)
    const resolved = await host.call("com.atproto.identity.resolveHandle", {
      params: { handle: alice.handle }
    })
    assert.deepInclude(ok(resolved), { did: alice.did })
    const away = await host.call("com.atproto.sync.getRepoStatus", { params: { did: dora.did } })
    assert.deepInclude(ok(away), { active: false, status: "deactivated" })
    const invites = ok(await host.call("com.atproto.admin.getInviteCodes", { auth: basic() }))
    const storage = await host.ask(`/admin/accounts/quota?account=${bob.did}`, { auth: basic() })
    assert.deepInclude(ok(storage), { quota: 5e6, isOwn: true })
    assert.lengthOf(invites["codes"], 1)
    assert.deepInclude(invites["codes"][0], {
      code: codes[0],
      available: 3,
      note: "Friends",
      expiresAt: "3000-01-02T00:00:00.000Z"
    })

    await settled(host, alice.did)
    await host.delivered()
    const frames = events.map(decodeFrame)
    const ofAlice = frames.filter(
      ({ body }) => (body as unknown as { readonly did?: string }).did === alice.did
    )
    assert.includeMembers(
      ofAlice.map(({ type }) => type),
      ["#identity", "#account", "#sync"]
    )
    for (const seq of seqsOf(events)) assert.isAbove(seq, lastSeq)

    // The server is used, and the next night's backup includes the changes.
    const tokens = ok(await signIn(host, alice, alice.password))
    ok(
      await host.call("com.atproto.repo.createRecord", {
        auth: bearer(tokens["accessJwt"]),
        input: { repo: alice.did, collection: "app.bsky.feed.post", record: post("back again") }
      })
    )
    assert.deepInclude(await backUp(host), { outcome: "good", accounts: 3 })
  })

  it("a restore completes although any one operation of the store fails", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    await backUp(first)
    const { host: sound, state: counted } = await startEmpty(objects)
    await restoreServer(sound)
    const { records } = await repoOf(sound, alice.did)
    assert.isAbove(counted.operations, 7)
    for (let at = 0; at < counted.operations; at++) {
      const { host, state } = await startEmpty(objects)
      state.failAt = at
      const { faults } = await restoreServer(host)
      assert.deepStrictEqual(faults, [], `operation ${at}`)
      assert.deepStrictEqual((await repoOf(host, alice.did)).records, records)
      const params = { did: alice.did, cid: alice.avatar }
      const blob = await host.call("com.atproto.sync.getBlob", { params })
      assert.strictEqual(blob.status, 200, `operation ${at}`)
      await open.pop()?.close()
    }
  })

  it("a restore reports a damaged backup of an account, and restores the previous one", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    await backUp(first)
    const { records } = await repoOf(first, alice.did)
    ok(
      await first.call("com.atproto.repo.createRecord", {
        auth: alice.auth,
        input: { repo: alice.did, collection: "app.bsky.feed.post", record: post("lost") }
      })
    )
    first.advance(86_400_000)
    const { run } = await backUp(first)
    const key = `accounts/${alice.did}/${run}/repo.car`
    const car = objects.get(key)!.slice()
    car[car.length >> 1]! ^= 1
    objects.set(key, car)
    const { host } = await startEmpty(objects)
    const { restored, faults } = await restoreServer(host)
    assert.lengthOf(restored, 1)
    assert.deepStrictEqual(
      faults.map((fault) => fault.key),
      [key]
    )
    assert.deepStrictEqual((await repoOf(host, alice.did)).records, records)
  })

  it("an empty server backs up nothing into the store of the lost one before its restore", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    const { run } = await backUp(first)
    first.advance(86_400_000)
    const { host, objects: store } = await startEmpty(objects)
    host.advance(86_400_000)
    const keys = [...store.keys()]
    // The cron trigger comes first, and somebody signs up before anything is restored.
    await host.beneath(runJobs)
    await signUp(host, "eager")
    await host.beneath(runJobs)
    const refused = await host.ask("/admin/backups", { method: "POST", auth: basic() })
    assert.strictEqual(refused.status, 409)
    assert.strictEqual(refused.body["error"], "RestoreFirst")
    assert.include(refused.body["message"], `1 accounts in backup ${run}`)
    assert.deepStrictEqual([...store.keys()], keys)
    const { restored } = await restoreServer(host)
    assert.deepInclude(restored[0], { did: alice.did, kind: "created" })
    assert.deepInclude(await backUp(host), { outcome: "good", accounts: 2 })
  })

  it("an empty server backs up nothing into a store that has lost its mark, and a restore writes a new one", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    await backUp(first)
    objects.delete("nacre-backup.json")
    const { host, objects: store } = await startEmpty(objects)
    host.advance(1000)
    const keys = [...store.keys()]
    await host.beneath(runJobs)
    const refused = await host.ask("/admin/backups", { method: "POST", auth: basic() })
    assert.strictEqual(outcomeOf(refused), "409 RestoreFirst")
    assert.deepStrictEqual([...store.keys()], keys)
    const { restored } = await restoreServer(host)
    assert.deepInclude(restored[0], { did: alice.did, kind: "created" })
    assert.isTrue(store.has("nacre-backup.json"))
    assert.deepInclude(await backUp(host), { outcome: "good", accounts: 1 })
  })

  it("a restore skips a run with a damaged manifest, names it and uses the run before", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    const older = (await backUp(first)).run
    first.advance(86_400_000)
    const key = `runs/${(await backUp(first)).run}/run.json`
    objects.set(key, objects.get(key)!.slice(1))
    const { host } = await startEmpty(objects)
    const { restored, faults, run: backup } = await restoreServer(host)
    assert.deepInclude(restored[0], { did: alice.did, kind: "created" })
    assert.strictEqual(backup, older)
    assert.deepStrictEqual(
      faults.map((fault) => fault.key),
      [key]
    )
  })

  it("a store with accounts but without a complete run is refused, for a restore and for a backup", async () => {
    const { host: first, objects } = await start()
    await backUp(first)
    first.advance(1000)
    const alice = await signUp(first, "alice")
    objects.delete(`runs/${(await backUp(first)).run}/run.json`)
    const { host, objects: store } = await startEmpty(objects)
    const keys = [...store.keys()]
    await host.beneath(runJobs)
    for (const path of ["/admin/backups", "/admin/backups/restore-server"]) {
      const refused = await host.ask(path, { method: "POST", auth: basic() })
      assert.strictEqual(outcomeOf(refused), "500 BackupDamaged")
      assert.include(refused.text, "Restore each account by its DID")
    }
    assert.deepStrictEqual([...store.keys()], keys)
    const path = `/admin/backups/restore?account=${alice.did}`
    assert.deepInclude(ok(await host.ask(path, { method: "POST", auth: basic() })), {
      kind: "created"
    })
  })

  it("an unknown backup is refused by its name, for an account and for a server", async () => {
    const { host } = await start()
    const alice = await signUp(host, "alice")
    await backUp(host)
    for (const path of [
      `restore?account=${alice.did}&backup=20200101T000000Z`,
      "restore-server?backup=20200101T000000Z"
    ]) {
      const refused = await host.ask(`/admin/backups/${path}`, { method: "POST", auth: basic() })
      assert.strictEqual(outcomeOf(refused), "400 InvalidRequest")
      assert.include(refused.body["message"], "There is no backup 20200101T000000Z")
    }
  })

  it("a changed manifest isn't handed out", async () => {
    const { host, objects } = await start()
    const { did } = await signUp(host, "alice")
    const { run } = await backUp(host)
    const key = `accounts/${did}/${run}/account.json`
    const read = () => host.ask(`/admin/backups/object?key=${key}`, { auth: basic() })
    assert.strictEqual((await read()).status, 200)
    const changed = objects.get(key)!.slice()
    changed[20] = changed[20]! ^ 1
    objects.set(key, changed)
    assert.strictEqual(outcomeOf(await read()), "500 BackupDamaged")
  })

  it("a connection to the store that breaks in an object isn't damage, and the restore continues afterwards", async () => {
    const { host: first, objects } = await start()
    const alice = await signUp(first, "alice")
    await backUp(first)
    for (const part of ["/repo.car", "/blobs/"]) {
      const { target } = faultyTarget(new Map(objects))
      // The first copy and the reading back after it.
      let cuts = 2
      const host = await startHost(
        {},
        {
          backups: {
            ...target,
            get: (key) =>
              Effect.map(target.get(key), (found) => {
                if (found === undefined || !key.includes(part) || cuts === 0) return found
                cuts -= 1
                const body = new ReadableStream<Uint8Array>({
                  pull: (controller) => controller.error(new Error("the connection broke"))
                })
                return { ...found, body }
              })
          }
        }
      )
      open.push(host)
      const asked = { method: "POST", auth: basic() }
      const broken = await host.ask("/admin/backups/restore-server", asked)
      assert.strictEqual(broken.status, 503, broken.text)
      assert.include(broken.text, "the connection broke")
      const { restored, faults } = await restoreServer(host)
      assert.deepInclude(restored[0], { did: alice.did, kind: "created" })
      assert.deepStrictEqual(faults, [])
    }
  })

  it("a server without a backup of its own lists those in its store", async () => {
    const { host: first, objects } = await start()
    await signUp(first, "alice")
    const { run } = await backUp(first)
    const { host } = await startEmpty(objects)
    const { body } = await host.ask("/admin/backups", { auth: basic() })
    assert.deepStrictEqual([body["runs"], body["stored"]], [[], [run]])
  })

  it("a restore uses the newest backup that has accounts", async () => {
    const { host: empty, objects } = await start()
    await backUp(empty)
    empty.advance(86_400_000)
    const alice = await signUp(empty, "alice")
    const { run } = await backUp(empty)
    ok(
      await empty.call("com.atproto.admin.deleteAccount", {
        auth: basic(),
        input: { did: alice.did }
      })
    )
    empty.advance(86_400_000)
    assert.deepInclude(await backUp(empty), { outcome: "good", accounts: 0 })
    const { host } = await startEmpty(objects)
    const { restored } = await restoreServer(host)
    assert.deepStrictEqual(
      restored.map(({ did, kind }) => `${kind} ${did}`),
      [`created ${alice.did}`]
    )
    assert.isTrue(objects.has(`accounts/${alice.did}/${run}/account.json`))
  })

  it("a restore doesn't change existing accounts", async () => {
    const { host } = await start()
    await signUp(host, "alice")
    await backUp(host)
    const { restored } = await restoreServer(host)
    assert.deepStrictEqual(
      restored.map(({ kind }) => kind),
      ["exists"]
    )
  })

  it("a restore fails with another MASTER_KEY, and changes nothing", async () => {
    const { host: first, objects } = await start()
    await signUp(first, "alice")
    await backUp(first)
    const env = { MASTER_KEY: Buffer.alloc(32, 9).toString("base64url") }
    const { host } = await startEmpty(objects, env)
    const refused = await host.ask("/admin/backups/restore-server", {
      method: "POST",
      auth: basic()
    })
    assert.strictEqual(refused.body["error"], "BackupDamaged")
    assert.include(refused.body["message"], "another MASTER_KEY")
    assert.deepStrictEqual((await host.call("com.atproto.sync.listRepos")).body["repos"], [])
  })
})

describe("the restore of one account", () => {
  const restore = (host: Host, query: Readonly<Record<string, string>>) =>
    host.ask(`/admin/backups/restore?${new URLSearchParams(query)}`, {
      method: "POST",
      auth: basic()
    })

  it("a restore recovers lost records, and keeps the current password", async () => {
    const { host } = await start()
    const alice = await signUp(host, "alice")
    const { run } = await backUp(host)
    const before = await repoOf(host, alice.did)
    ok(
      await host.call("com.atproto.repo.deleteRecord", {
        auth: alice.auth,
        input: { repo: alice.did, collection: "app.bsky.feed.post", rkey: "3kaaaaaaaaa22" }
      })
    )
    const password = "a password of later days"
    ok(
      await host.call("com.atproto.admin.updateAccountPassword", {
        auth: basic(),
        input: { did: alice.did, password }
      })
    )
    const spoiled = await repoOf(host, alice.did)
    assert.notDeepEqual(spoiled.records, before.records)
    assert.strictEqual(
      outcomeOf(await restore(host, { account: alice.handle })),
      "400 AlreadyExists"
    )
    await settled(host, alice.did)
    const events = host.subscribe()
    const restored = ok(
      await restore(host, { account: alice.handle, backup: run, replace: "true" })
    )
    assert.deepInclude(restored, { kind: "replaced", records: 2, version: run })
    const now = await repoOf(host, alice.did)
    assert.deepStrictEqual(now.records, before.records)
    assert.isAbove(now.rev.localeCompare(spoiled.rev), 0)
    await settled(host, alice.did)
    await host.delivered()
    assert.deepStrictEqual(
      events.map((frame) => decodeFrame(frame).type),
      ["#sync"]
    )
    assert.strictEqual(outcomeOf(await signIn(host, alice, password)), "ok")
    assert.strictEqual(
      outcomeOf(await signIn(host, alice, alice.password)),
      "401 AuthenticationRequired"
    )
  })

  it("a restore recovers a deleted account", async () => {
    const { host } = await start()
    const alice = await signUp(host, "alice")
    await backUp(host)
    const { records } = await repoOf(host, alice.did)
    ok(
      await host.call("com.atproto.admin.deleteAccount", {
        auth: basic(),
        input: { did: alice.did }
      })
    )
    assert.strictEqual((await restore(host, { account: alice.handle })).status, 400)
    assert.deepInclude(ok(await restore(host, { account: alice.did })), { kind: "created" })
    assert.deepStrictEqual((await repoOf(host, alice.did)).records, records)
    assert.strictEqual(outcomeOf(await signIn(host, alice, alice.password)), "ok")
    assert.deepInclude(await verify(host), { faults: [] })
  })

  it("only the administrator can list an account's backups and read their objects", async () => {
    const { host, objects } = await start()
    const alice = await signUp(host, "alice")
    const { run } = await backUp(host)
    const path = `/admin/backups/account?account=${alice.handle}`
    assert.deepInclude(ok(await host.ask(path, { auth: basic() })), { backups: [run] })
    const key = `accounts/${alice.did}/${run}/repo.car`
    const object = `/admin/backups/object?key=${encodeURIComponent(key)}`
    assert.deepEqual((await host.ask(object, { auth: basic() })).bytes, objects.get(key))
    for (const [method, route] of [
      ["GET", path],
      ["GET", object],
      ["POST", `/admin/backups/restore?account=${alice.did}&replace=true`],
      ["POST", "/admin/backups/restore-server"]
    ] as const) {
      assert.strictEqual((await host.ask(route, { method, auth: alice.auth })).status, 401, route)
    }
  })
})
