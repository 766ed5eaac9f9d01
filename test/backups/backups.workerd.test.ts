import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { failures } from "../../src/http/errors.ts"
import * as BackupTargetR2 from "../../src/layers/backups/BackupTargetR2.ts"
import * as PointInTimeDurable from "../../src/layers/host/PointInTimeDurable.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import { backUpAccount } from "../../src/services/backups/backUpAccount.ts"
import { Budget } from "../../src/services/backups/Budget.ts"
import { restoreAccount } from "../../src/services/backups/restoreAccount.ts"
import { sampleAccount } from "../../src/services/backups/sampleBackups.ts"
import {
  bindings,
  fetchWorker,
  newPerson,
  objectOf,
  procedure,
  query
} from "../host/workerdWorld.ts"
import { backupTargetContract } from "./backupTarget.contract.ts"

// SAFETY: wrangler.toml binds it.
const bucket = bindings["BACKUPS"] as R2Bucket

backupTargetContract("R2", async () => BackupTargetR2.make(bucket))

describe("a backup in the Workers runtime", () => {
  it("a backup contains a complete account with its blobs, and is readable", async () => {
    const { did, authorization, createRecord } = await newPerson()
    await createRecord("kept")
    const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
      method: "POST",
      headers: { authorization, "content-type": "image/png" },
      body: new Uint8Array(100_000).fill(7)
    })
    assert.strictEqual(uploaded.status, 200)
    const run = "20260101T000000Z"
    const account = { did, listed: "", backed: undefined }
    const budget = new Budget({ operations: 1000, until: Infinity })
    const { written, again, sample } = await Effect.gen(function* () {
      const made = yield* backUpAccount(run, account, budget)
      if (made.kind !== "written") return assert.fail(made.kind)
      return {
        written: made,
        again: yield* backUpAccount(run, { ...account, backed: made.backed }, budget),
        sample: yield* sampleAccount(did, made.backed, "all", budget)
      }
    }).pipe(Effect.provide(Cloudflare.host(bindings, failures)), Effect.runPromise)
    assert.deepInclude(written, { blobs: 1, faults: [] })
    assert.strictEqual(again.kind, "unchanged")
    assert.deepStrictEqual(sample, { sampled: 5, faults: [], isSound: true })
    const { objects } = await bucket.list({ prefix: `accounts/${did}/` })
    assert.lengthOf(objects, 5)
  })

  it("a deleted account comes back with its records, its blob and its password", async () => {
    const { did, handle, authorization, createRecord } = await newPerson()
    const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
      method: "POST",
      headers: { authorization, "content-type": "image/png" },
      body: new Uint8Array(50_000).fill(3)
    })
    const { blob } = await uploaded.json<{
      readonly blob: { readonly ref: { readonly $link: string } }
    }>()
    await procedure("com.atproto.repo.putRecord", authorization, {
      repo: did,
      collection: "app.bsky.actor.profile",
      rkey: "self",
      record: { $type: "app.bsky.actor.profile", avatar: blob }
    })
    for (let n = 0; n < 30; n++) await createRecord(`post ${n}`)
    const commitOf = async () =>
      (await query("com.atproto.sync.getLatestCommit", { did })) as { readonly rev: string }
    const before = await commitOf()
    const version = "20260102T000000Z"
    const host = Cloudflare.host(bindings, failures)
    const budget = new Budget({ operations: 1000, until: Infinity })
    const listed = { did, listed: "", backed: undefined }
    const admin = `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`
    await Effect.runPromise(Effect.provide(backUpAccount(version, listed, budget), host))
    await fetchWorker("/xrpc/com.atproto.admin.deleteAccount", {
      method: "POST",
      headers: { authorization: admin, "content-type": "application/json" },
      body: JSON.stringify({ did })
    })
    const gone = await fetchWorker(`/xrpc/com.atproto.sync.getLatestCommit?did=${did}`)
    assert.strictEqual(gone.status, 400)
    await gone.body?.cancel()
    const restored = await Effect.runPromise(
      Effect.provide(restoreAccount(did, version, { replace: false, budget }), host)
    )
    assert.deepInclude(restored, { kind: "created", records: 31, blobs: 1, faults: [] })
    assert.isAbove((await commitOf()).rev.localeCompare(before.rev), 0)
    const { records } = (await query("com.atproto.repo.listRecords", {
      repo: did,
      collection: "app.bsky.feed.post",
      limit: "100"
    })) as { readonly records: ReadonlyArray<unknown> }
    assert.lengthOf(records, 30)
    const served = await fetchWorker(
      `/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${blob.ref.$link}`
    )
    assert.lengthOf(new Uint8Array(await served.arrayBuffer()), 50_000)
    const session = await procedure("com.atproto.server.createSession", "", {
      identifier: handle,
      password: "a long password"
    })
    assert.strictEqual(session["did"], did)
  })

  it("a repair in the Workers runtime makes a damaged account whole again", async () => {
    const { did, createRecord } = await newPerson()
    for (let n = 0; n < 5; n++) await createRecord(`post ${n}`)
    const headers = { authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}` }
    const ask = async (path: string, method = "GET") => {
      const response = await fetchWorker(`${path}?account=${did}`, { method, headers })
      assert.strictEqual(response.status, 200)
      return response.json<Record<string, unknown>>()
    }
    await runInDurableObject(objectOf(did), (_, { storage }) => {
      storage.sql.exec("DELETE FROM cluster")
      storage.sql.exec("UPDATE head SET nodes = 9")
    })
    assert.isNotEmpty((await ask("/admin/check"))["problems"])
    assert.isString((await ask("/admin/repair", "POST"))["rev"])
    assert.deepStrictEqual((await ask("/admin/check"))["problems"], [])
    await createRecord("afterwards")
    assert.deepInclude(await ask("/admin/check"), { records: 6, problems: [] })
  })
})

describe("a return to a point in time in the Workers runtime", () => {
  it("a platform without earlier states is named, and nothing changes", async () => {
    const { did, createRecord } = await newPerson()
    await createRecord("kept")
    const rev = async () =>
      ((await query("com.atproto.sync.getLatestCommit", { did })) as { readonly rev: string }).rev
    const before = await rev()
    const at = new Date(Date.now() - 1).toISOString()
    const asked = new URLSearchParams({ account: did, at })
    const refused = await fetchWorker(`/admin/backups/restore-at?${asked}`, {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}` }
    })
    assert.strictEqual(refused.status, 400)
    assert.deepInclude(await refused.json<object>(), { error: "PointInTimeOff" })
    assert.strictEqual(await rev(), before)
  })

  it("an object's mark outlives its restart, and its storage is asked by the platform's names", async () => {
    const { did, createRecord } = await newPerson()
    await createRecord("kept")
    const asked: Array<string> = []
    const standIn = <A>(name: string, answer: A) => {
      return async (given?: unknown) => {
        asked.push(`${name} ${given}`)
        return answer
      }
    }
    await runInDurableObject(objectOf(did), async (_object, { storage }) => {
      let abort = () => {}
      const aborted = new Promise<void>((resolve) => (abort = resolve))
      const point = PointInTimeDurable.make({
        storage: {
          getBookmarkForTime: standIn("getBookmarkForTime", "then"),
          getCurrentBookmark: standIn("getCurrentBookmark", "now"),
          onNextSessionRestoreBookmark: standIn("onNextSessionRestoreBookmark", "undo"),
          sync: () => storage.sync(),
          kv: storage.kv
        },
        abort
      })
      point.setMark("go there")
      assert.strictEqual(point.mark(), "go there")
      assert.strictEqual(await Effect.runPromise(point.bookmarkAt(1000)), "then")
      assert.strictEqual(await Effect.runPromise(point.now), "now")
      const going = Effect.runFork(point.goTo("then"))
      await aborted
      await Effect.runPromise(Fiber.interrupt(going))
    })
    assert.deepStrictEqual(asked, [
      "getBookmarkForTime 1000",
      "getCurrentBookmark undefined",
      "onNextSessionRestoreBookmark then"
    ])
    // The object really restarts, and keeps what it has stored.
    await runInDurableObject(objectOf(did), async (_object, state) => state.abort("restart")).catch(
      () => {}
    )
    await runInDurableObject(objectOf(did), (_object, { storage }) => {
      const state = { storage, abort: () => {} }
      assert.strictEqual(PointInTimeDurable.make(state).mark(), "go there")
    })
  })
})
