import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { graceMillis, sweepBlobs } from "../../../src/services/blobs/BlobSweep.ts"
import { basic, bearer } from "../../support/http/httpHost.ts"
import {
  firstRkey,
  ok,
  outcomeOf,
  type Person,
  png,
  post,
  settled,
  signUp,
  startWorld,
  type World
} from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const collection = "app.bsky.feed.post"

const repoRef = ({ did }: Person) => ({ $type: "com.atproto.admin.defs#repoRef", did })
const uriOf = ({ did }: Person, rkey = firstRkey) => `at://${did}/${collection}/${rkey}`
const strongRef = (who: Person) => ({
  $type: "com.atproto.repo.strongRef",
  uri: uriOf(who),
  cid: who.post
})
const blobRef = ({ did, avatar: cid }: Person) => ({
  $type: "com.atproto.admin.defs#repoBlobRef",
  did,
  cid
})
const down = { takedown: { applied: true, ref: "case 7" } }
const up = { takedown: { applied: false } }

describe("takedowns by the administrator", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const admin = (name: string, asked: object) =>
    world.call(`com.atproto.admin.${name}`, { auth: basic(), ...asked })
  const update = (subject: object, change: object = {}) =>
    admin("updateSubjectStatus", { input: { subject, ...change } })
  const statusOf = (params: Record<string, string>) => admin("getSubjectStatus", { params })

  const someone = () => signUp(world, `subject${world.next()}`)

  /** The account's status events from now on. */
  const listen = async ({ did }: Person) => {
    await settled(world, did)
    const frames = world.subscribe()
    return async () => {
      await settled(world, did)
      await world.delivered()
      return frames
        .map(decodeFrame)
        .filter(({ body }) => (body.did ?? body.repo) === did)
        .map(({ type, body }) =>
          type === "#account" ? `${type} ${body.active} ${body.status}` : type
        )
    }
  }

  const read = (name: string, params: Record<string, string>, auth?: string) =>
    world.call(`com.atproto.${name}`, { params, auth })

  it("an account that is taken down is not served, its owner may do nothing, and a restore brings all back", async () => {
    const who = await someone()
    const { did } = who
    const heard = await listen(who)
    const subject = repoRef(who)
    assert.deepStrictEqual(ok(await update(subject, down)), { subject, ...down })
    assert.deepStrictEqual(ok(await statusOf({ did })), {
      subject,
      ...down,
      deactivated: { applied: false }
    })
    assert.strictEqual(outcomeOf(await read("sync.getRepo", { did })), "400 RepoTakendown")
    const session = () => world.call("com.atproto.server.getSession", { auth: who.auth })
    assert.strictEqual(outcomeOf(await session()), "401 AccountTakedown")
    const params = { did }
    const standing = ok(await read("sync.getRepoStatus", params))
    assert.deepStrictEqual(standing, { did, active: false, status: "takendown" })
    ok(await update(subject, up))
    assert.deepStrictEqual(ok(await statusOf({ did })), {
      subject,
      ...up,
      deactivated: { applied: false }
    })
    ok(await session())
    assert.strictEqual((await read("sync.getRepo", { did })).status, 200)
    assert.deepStrictEqual(await heard(), ["#account false takendown", "#account true undefined"])
  })

  it("a takedown without a reference uses the time as one", async () => {
    const who = await someone()
    ok(await update(repoRef(who), { takedown: { applied: true } }))
    const { takedown } = ok(await statusOf({ did: who.did }))
    assert.isTrue(takedown.applied)
    assert.isBelow(Math.abs(Date.parse(takedown.ref) - world.now()), 60_000)
  })

  it("an account may be deactivated and activated too, but not activated while it is down", async () => {
    const who = await someone()
    const subject = repoRef(who)
    const heard = await listen(who)
    const off = { deactivated: { applied: true } }
    const on = { deactivated: { applied: false } }
    ok(await update(subject, off))
    assert.isTrue(ok(await statusOf({ did: who.did }))["deactivated"].applied)
    assert.strictEqual(outcomeOf(await update(subject, { ...down, ...on })), "400 InvalidRequest")
    ok(await update(subject, down))
    assert.strictEqual(outcomeOf(await update(subject, on)), "400 InvalidRequest")
    const { did } = who
    const both = ok(await statusOf({ did }))
    assert.deepStrictEqual([both.takedown.applied, both.deactivated.applied], [true, true])
    ok(await update(subject, up))
    const status = ok(await read("sync.getRepoStatus", { did }))
    assert.strictEqual(status["status"], "deactivated")
    ok(await update(subject, on))
    // Without a change, the status is emitted again.
    ok(await update(subject))
    assert.deepStrictEqual(await heard(), [
      "#account false deactivated",
      "#account false takendown",
      "#account false deactivated",
      "#account true undefined",
      "#identity",
      "#sync",
      "#account true undefined"
    ])
  })

  it("a record that is taken down is shown only to the administrator, stays in the repo, and stays down when it is written again", async () => {
    const who = await someone()
    const { did, auth } = who
    const heard = await listen(who)
    const place = { repo: did, collection }
    const record = { ...place, rkey: firstRkey }
    const keys = async (as?: string) => {
      const listed = ok(await read("repo.listRecords", place, as))
      return listed["records"].map(({ uri }: { uri: string }) => uri.split("/").at(-1))
    }
    const write = (rkey: string) =>
      world.call("com.atproto.repo.putRecord", {
        auth,
        input: { ...place, rkey, record: post(`${world.next()}`) }
      })
    ok(await write("3kzzzzzzzzz22"))
    const subject = strongRef(who)
    ok(await update(subject, down))
    assert.deepStrictEqual(ok(await statusOf({ uri: uriOf(who) })), { subject, ...down })
    const get = (as?: string) => read("repo.getRecord", record, as)
    assert.strictEqual(outcomeOf(await get()), "400 RecordNotFound")
    assert.strictEqual(outcomeOf(await get(auth)), "400 RecordNotFound")
    ok(await get(basic()))
    assert.deepStrictEqual(await keys(), ["3kzzzzzzzzz22"])
    assert.deepStrictEqual(await keys(basic()), ["3kzzzzzzzzz22", firstRkey])
    const proof = await read("sync.getRecord", { did, collection, rkey: firstRkey })
    assert.strictEqual(proof.status, 200)
    ok(await write(firstRkey))
    assert.strictEqual(outcomeOf(await get()), "400 RecordNotFound")
    ok(await update(subject, up))
    ok(await get())
    assert.deepStrictEqual(await keys(), ["3kzzzzzzzzz22", firstRkey])
    // Takedowns of records emit no events.
    assert.deepStrictEqual(await heard(), ["#commit", "#commit"])
  })

  it("paging continues past a record that is taken down", async () => {
    const who = await someone()
    const input = (rkey: string) => ({
      repo: who.did,
      collection,
      rkey,
      record: post(rkey)
    })
    const rkeys = ["3kb2222222222", "3kb2222222223", "3kb2222222224"]
    for (const rkey of rkeys) {
      const nsid = "com.atproto.repo.putRecord"
      ok(await world.call(nsid, { auth: who.auth, input: input(rkey) }))
    }
    const uri = uriOf(who, rkeys[1])
    ok(await update({ $type: "com.atproto.repo.strongRef", uri, cid: who.post }, down))
    const seen: Array<string> = []
    let cursor: string | undefined
    do {
      const params = { repo: who.did, collection, limit: "1", ...(cursor ? { cursor } : {}) }
      const page = ok(await read("repo.listRecords", params))
      seen.push(...page["records"].map((one: { uri: string }) => one.uri.split("/").at(-1)))
      cursor = page["cursor"]
    } while (cursor !== undefined)
    assert.deepStrictEqual(seen, [rkeys[2], rkeys[0], firstRkey])
  })

  it("a blob that is taken down is neither served, listed, uploaded again nor referred to again", async () => {
    const who = await someone()
    const { did, avatar: cid, auth } = who
    const image = png(who.handle.split(".")[0]!)
    const subject = blobRef(who)
    ok(await update(subject, down))
    assert.deepStrictEqual(ok(await statusOf({ did, blob: cid })), { subject, ...down })
    assert.strictEqual(outcomeOf(await read("sync.getBlob", { did, cid })), "400 BlobNotFound")
    assert.deepStrictEqual(ok(await read("sync.listBlobs", { did }))["cids"], [])
    const uploadBlob = () =>
      world.call("com.atproto.repo.uploadBlob", {
        auth,
        body: image as Uint8Array<ArrayBuffer>,
        headers: { "content-type": "image/png" }
      })
    assert.strictEqual(outcomeOf(await uploadBlob()), "400 BlobTakendown")
    const avatar = {
      $type: "blob",
      ref: { $link: cid },
      mimeType: "image/png",
      size: image.length
    }
    const profile = () =>
      world.call("com.atproto.repo.putRecord", {
        auth,
        input: {
          repo: did,
          collection: "app.bsky.actor.profile",
          rkey: "self",
          record: { $type: "app.bsky.actor.profile", description: "again", avatar }
        }
      })
    assert.strictEqual(outcomeOf(await profile()), "400 BlobNotFound")
    ok(await update(subject, up))
    ok(await profile())
    assert.strictEqual((await read("sync.getBlob", { did, cid })).status, 200)
    ok(await uploadBlob())
  })

  it("a blob stays down after its last record is gone and the sweep has run", async () => {
    const who = await someone()
    const { did, auth } = who
    ok(await update(blobRef(who), down))
    const place = { repo: did, collection: "app.bsky.actor.profile", rkey: "self" }
    ok(await world.call("com.atproto.repo.deleteRecord", { auth, input: place }))
    world.advance(30 * 24 * 3_600_000)
    await world.inside(did, Effect.flatMap(graceMillis, sweepBlobs))
    const input = { identifier: did, password: who.password }
    const signedIn = ok(await world.call("com.atproto.server.createSession", { input }))
    const again = await world.call("com.atproto.repo.uploadBlob", {
      auth: bearer(signedIn["accessJwt"]),
      body: png(who.handle.split(".")[0]!) as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "image/png" }
    })
    assert.strictEqual(outcomeOf(again), "400 BlobTakendown")
  })

  it("an unknown subject is reported as not found", async () => {
    const { alice } = world
    const { did } = alice
    const none = "bafkreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm"
    const missing = { ...strongRef(alice), uri: uriOf(alice, "3kaaaaaaaaa23") }
    const outcomes = [
      await statusOf({ did, blob: none }),
      await statusOf({ uri: missing.uri }),
      await update(missing, down),
      await update({ ...blobRef(alice), cid: none }, down)
    ].map(outcomeOf)
    assert.deepStrictEqual(outcomes, Array(4).fill("400 NotFound"))
    const nobody = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    assert.strictEqual(outcomeOf(await statusOf({ did: nobody })), "400 NotFound")
    for (const params of [{}, { blob: none }, { uri: `at://${did}` }]) {
      assert.strictEqual(outcomeOf(await statusOf(params)), "400 InvalidRequest")
    }
    // A URI may contain a handle instead of a DID.
    const byHandle = await statusOf({ uri: uriOf({ ...alice, did: alice.handle }) })
    assert.strictEqual(ok(byHandle)["subject"].uri, uriOf(alice))
  })
})
