import { verifyRepoCar } from "@atproto/repo"
import { afterEach, assert, describe, it } from "@effect/vitest"
import { tidToMicros } from "../../src/core/repo/tid.ts"
import { runJobs } from "../../src/services/host/jobs.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  png,
  post,
  session,
  settled,
  signUp,
  upload
} from "../support/http/httpWorld.ts"
import { decodeFrame } from "../support/server/serverFrames.ts"
import { backUp, faultyTarget } from "./backupWorld.ts"
import { earlierStates } from "./earlierStates.ts"

const day = 86_400_000

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

/** A host on a platform that keeps earlier states. */
const start = async ({ isBackedUp = false } = {}) => {
  const store = faultyTarget()
  let host: Host | undefined
  const states = earlierStates(() => host?.now() ?? Date.now())
  host = await startHost(
    {},
    { wayBack: states.wayBack, ...(isBackedUp ? { backups: store.target } : {}) }
  )
  open.push(host)
  return { host, ...states }
}

const iso = (millis: number) => new Date(millis).toISOString()

const goBack = (host: Host, account: string, at: number, auth = basic()) =>
  host.ask(`/admin/backups/restore-at?${new URLSearchParams({ account, at: iso(at) })}`, {
    method: "POST",
    auth
  })

const repoOf = async (host: Host, did: string) => {
  const { bytes } = await host.call("com.atproto.sync.getRepo", { params: { did } })
  const { creates, commit } = await verifyRepoCar(bytes, did)
  const paths = creates.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`)
  return { rev: commit.rev, paths: paths.toSorted() }
}

const write = async (host: Host, { did }: Person, record: object) => {
  const auth = bearer((await session(host, did, "full")).accessJwt)
  const input = { repo: did, collection: "app.bsky.feed.post", record }
  return ok(await host.call("com.atproto.repo.createRecord", { auth, input }))
}

const withPicture = async (host: Host, person: Person, name: string) => {
  const auth = bearer((await session(host, person.did, "full")).accessJwt)
  const image = await upload(host, auth, png(name))
  const embed = { $type: "app.bsky.embed.images", images: [{ alt: "", image }] }
  const { uri } = await write(host, person, { ...post(name), embed })
  // SAFETY: uploadBlob returns this.
  return { uri, cid: (image as { readonly ref: { readonly $link: string } }).ref.$link }
}

const remove = async (host: Host, { did }: Person, uri: string) => {
  const auth = bearer((await session(host, did, "full")).accessJwt)
  const [, , , collection, rkey] = uri.split("/")
  const input = { repo: did, collection, rkey }
  ok(await host.call("com.atproto.repo.deleteRecord", { auth, input }))
}

/** Lets the sweep delete what no record has referred to for days. */
const sweep = async (host: Host, did: string) => {
  host.advance(8 * day)
  const { onAlarm } = await import("../../src/services/accounts/onAlarm.ts")
  await host.inside(did, onAlarm)
}

const signIn = (host: Host, identifier: string, password: string) =>
  host.call("com.atproto.server.createSession", { input: { identifier, password } })

describe("a return to a point in time", () => {
  it("a return brings back the records of the time, and keeps the password, handle and moderation of today", async () => {
    const { host, take } = await start()
    const alice = await signUp(host, "alice")
    const earlier = await repoOf(host, alice.did)
    take(alice.did)
    const at = host.now()
    host.advance(1000)
    await remove(host, alice, `at://${alice.did}/app.bsky.feed.post/3kaaaaaaaaa22`)
    const { uri } = await write(host, alice, post("later"))
    const password = "a password of later days"
    ok(
      await host.call("com.atproto.admin.updateAccountPassword", {
        auth: basic(),
        input: { did: alice.did, password }
      })
    )
    const later = ok(await signIn(host, alice.handle, password))
    await settled(host, alice.did)
    const spoiled = await repoOf(host, alice.did)
    assert.notDeepEqual(spoiled.paths, earlier.paths)
    const logged = host.subscribe(0)
    await host.delivered()
    const seqs = (frames: ReadonlyArray<Uint8Array>) =>
      frames.map((frame) => (decodeFrame(frame).body as unknown as { readonly seq: number }).seq)
    const lastSeq = Math.max(...seqs(logged))
    const events = host.subscribe()

    const returned = ok(await goBack(host, alice.handle, at))
    assert.deepInclude(returned, { did: alice.did, at: iso(at), records: 2, gone: [] })
    const now = await repoOf(host, alice.did)
    assert.deepStrictEqual(now.paths, earlier.paths)
    assert.notInclude(now.paths.join(), uri.split("/").at(-1))
    assert.isTrue(now.rev > spoiled.rev)
    assert.strictEqual(now.rev, returned["rev"])

    // Ways in are today's; every session has ended.
    const refused = await host.call("com.atproto.server.getSession", {
      auth: bearer(later["accessJwt"])
    })
    assert.strictEqual(refused.status, 400)
    assert.strictEqual(outcomeOf(await signIn(host, alice.handle, password)), "ok")
    assert.strictEqual(
      outcomeOf(await signIn(host, alice.handle, alice.password)),
      "401 AuthenticationRequired"
    )

    await settled(host, alice.did)
    await host.delivered()
    const kinds = events.map((frame) => decodeFrame(frame).type)
    assert.includeMembers(kinds, ["#identity", "#account", "#sync"])
    for (const seq of seqs(events)) assert.isAbove(seq, lastSeq)
    const sync = events.map(decodeFrame).findLast(({ type }) => type === "#sync")
    assert.deepInclude(sync?.body, { did: alice.did, rev: now.rev })

    // A later write is above everything before.
    const { commit } = await write(host, alice, post("after"))
    assert.isTrue(commit.rev > now.rev)
    const history = ok(
      await host.ask(`/admin/accounts/history?account=${alice.did}`, { auth: basic() })
    )
    assert.deepInclude(
      history["entries"].find(({ kind }: { readonly kind: string }) => kind === "data-restored"),
      { by: "operator", after: iso(at) }
    )
    assert.include(JSON.stringify(history["entries"]), "password")
    const audit = ok(await host.ask("/admin/audit", { auth: basic() }))
    assert.deepInclude(
      audit["entries"].find(({ act }: { readonly act: string }) => act.includes("restore-at")),
      { subject: alice.did }
    )
  })

  it("revs rise above those of undone writes although the clock stepped back", async () => {
    const { host, take } = await start()
    const alice = await signUp(host, "alice")
    take(alice.did)
    const at = host.now()
    host.advance(3_600_000)
    await write(host, alice, post("from the future"))
    const spoiled = await repoOf(host, alice.did)
    host.advance(-3_600_000 + 1000)
    const returned = ok(await goBack(host, alice.handle, at))
    assert.isTrue(returned["rev"] > spoiled.rev)
    const { commit } = await write(host, alice, post("after"))
    assert.isTrue(commit.rev > returned["rev"])
    assert.isAbove(tidToMicros(commit.rev), tidToMicros(spoiled.rev))
  })

  it("a blob that was deleted since is named, and comes from a backup if one has it", async () => {
    for (const isBackedUp of [false, true]) {
      const { host, take } = await start({ isBackedUp })
      const alice = await signUp(host, "alice")
      const { uri, cid } = await withPicture(host, alice, "lost")
      take(alice.did)
      const at = host.now()
      if (isBackedUp) await backUp(host)
      host.advance(1000)
      await remove(host, alice, uri)
      const later = await withPicture(host, alice, "later")
      await sweep(host, alice.did)
      const served = (one: string) =>
        host.call("com.atproto.sync.getBlob", { params: { did: alice.did, cid: one } })
      assert.strictEqual((await served(cid)).status, 400)

      const returned = ok(await goBack(host, alice.handle, at))
      const expected = isBackedUp
        ? { blobs: 1, gone: [], goneCount: 0 }
        : { blobs: 0, gone: [cid], goneCount: 1 }
      assert.deepInclude(returned, expected)
      assert.strictEqual((await served(cid)).status, isBackedUp ? 200 : 400)
      assert.strictEqual((await served(alice.avatar)).status, 200)
      // The later picture has no record any more, and goes with the next sweep.
      assert.strictEqual((await served(later.cid)).status, 400)
      const check = ok(await host.ask(`/admin/check?account=${alice.did}`, { auth: basic() }))
      assert.deepStrictEqual(check["problems"], [])
    }
  })

  it("an interrupted return is completed, wherever the restarts fail", async () => {
    for (const lost of [1, 2]) {
      const { host, take, failing } = await start()
      const alice = await signUp(host, "alice")
      const earlier = await repoOf(host, alice.did)
      take(alice.did)
      const at = host.now()
      host.advance(1000)
      await write(host, alice, post("later"))
      failing.goTo = lost
      assert.deepInclude(ok(await goBack(host, alice.handle, at)), { records: 2 })
      assert.deepStrictEqual((await repoOf(host, alice.did)).paths, earlier.paths)
    }
  })

  it("the cron handler completes a return that its command gave up", async () => {
    const { host, take, failing } = await start()
    const alice = await signUp(host, "alice")
    const earlier = await repoOf(host, alice.did)
    take(alice.did)
    const at = host.now()
    host.advance(1000)
    await write(host, alice, post("later"))
    failing.goTo = Infinity
    assert.strictEqual((await goBack(host, alice.handle, at)).status, 503)
    failing.goTo = 0
    host.advance(300_000)
    await host.beneath(runJobs)
    assert.deepStrictEqual((await repoOf(host, alice.did)).paths, earlier.paths)
    await host.beneath(runJobs)
    const { rev } = await repoOf(host, alice.did)
    await host.beneath(runJobs)
    assert.strictEqual((await repoOf(host, alice.did)).rev, rev)
  })

  it("a return refuses other times, and accounts that were leaving then", async () => {
    const { host, take } = await start()
    const before = host.now()
    host.advance(1000)
    const alice = await signUp(host, "alice")
    take(alice.did)
    const auth = bearer((await session(host, alice.did, "full")).accessJwt)
    ok(await host.call("com.atproto.server.deactivateAccount", { auth, input: {} }))
    host.advance(1000)
    const away = host.now()
    host.advance(1000)
    ok(await host.call("com.atproto.server.activateAccount", { auth, method: "POST" }))
    for (const [at, message] of [
      [before, "after the account's creation"],
      [host.now() + 60_000, "in the past"],
      [away, "deactivated"]
    ] as const) {
      const { status, text } = await goBack(host, alice.handle, at)
      assert.strictEqual(status, 400)
      assert.include(text, message)
    }
    assert.strictEqual((await goBack(host, alice.handle, away, alice.auth)).status, 401)
  })

  it("a server whose platform keeps no earlier states says so and changes nothing", async () => {
    const host = await startHost()
    open.push(host)
    const alice = await signUp(host, "alice")
    const { rev } = await repoOf(host, alice.did)
    host.advance(1000)
    const refused = await goBack(host, alice.handle, host.now() - 500)
    assert.deepInclude(refused.body, { error: "PointInTimeOff" })
    assert.include(refused.body["message"], "Restore from a backup instead")
    assert.strictEqual((await repoOf(host, alice.did)).rev, rev)
  })
})
