import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAlarm } from "../../../src/services/accounts/onAlarm.ts"
import { formatDidKey, publicKeyOf } from "../../../src/core/identity/didKey.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { continueMigration } from "../../../src/services/accounts/PendingMigration.ts"
import { BlobIndex } from "../../../src/services/blobs/BlobIndex.ts"
import { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import { basic, bearer, origin } from "../../support/http/httpHost.ts"
import { makeMover, type Mover } from "../../support/http/httpMover.ts"
import {
  ok,
  outcomeOf,
  startWorld,
  takeDown,
  upload,
  type World
} from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const hour = 3_600_000
const day = 24 * hour
const createAccount = "com.atproto.server.createAccount"
const rotation = formatDidKey(publicKeyOf("k256", new Uint8Array(32).fill(0x42)))

let world: World
let seed = 60
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

/** An account in the middle of moving in: never active, with an upload. */
const arriving = async () => {
  const mover = await makeMover(world, (seed += 1))
  const name = `mover${seed}`
  const code = ok(
    await world.call("com.atproto.server.createInviteCode", {
      auth: basic(),
      input: { useCount: 1 }
    })
  )["code"]
  const input = {
    did: mover.did,
    handle: `${name}.test`,
    email: `${name}@mail.example.com`,
    password: "a good password",
    inviteCode: code
  }
  const token = bearer(await mover.token(createAccount))
  const { accessJwt } = ok(await world.call(createAccount, { auth: token, input }))
  const auth = bearer(accessJwt)
  await upload(world, auth, new TextEncoder().encode(`bytes of ${name}`))
  return { ...mover, ...input, auth }
}

const statusOf = async (did: string) =>
  outcomeOf(await world.call("com.atproto.sync.getRepoStatus", { params: { did } }))
const gone = "400 RepoNotFound"
const isHere = "ok"

const ringOf = (did: string) => world.inside(did, onAlarm)

const eventsOf = async (did: string) => {
  const frames = world.subscribe(0)
  await world.delivered()
  return frames
    .map(decodeFrame)
    .filter(({ body }) => (body.did ?? body.repo) === did)
    .map(({ type }) => type)
}

const infoOf = async (did: string) =>
  ok(await world.call("com.atproto.admin.getAccountInfo", { auth: basic(), params: { did } }))

const activate = (auth: string) =>
  world.call("com.atproto.server.activateAccount", { auth, method: "POST" })

const moveHere = async ({ auth, pointHere }: Mover & { readonly auth: string }) => {
  const credentials = await world.call("com.atproto.identity.getRecommendedDidCredentials", {
    auth
  })
  await pointHere({ signing: ok(credentials)["verificationMethods"].atproto, rotation })
}

describe("an account that has moved in but was never active", () => {
  it("a pending account is deleted 14 days after its owner's last call, with names, invite and blobs, and without an event", async () => {
    const who = await arriving()
    const keys = await world.inside(
      who.did,
      Effect.map(BlobIndex, (index) => index.keys({ limit: 10 }).items)
    )
    world.advance(14 * day - hour)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), isHere)
    world.advance(hour)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), gone)
    const sizes = Effect.flatMap(BlobStore, (store) =>
      Effect.forEach(keys, (key) => store.head(key))
    )
    assert.deepStrictEqual(await world.beneath(sizes), [undefined])
    assert.deepStrictEqual(await eventsOf(who.did), [])
    const token = bearer(await who.token(createAccount))
    const { did, handle, email, password, inviteCode } = who
    const again = { did, handle, email, password, inviteCode }
    ok(await world.call(createAccount, { auth: token, input: again }))
  })

  it("a pending account is kept as long as its owner is active, and the administrator sees until when", async () => {
    const who = await arriving()
    const first = Date.parse((await infoOf(who.did))["deleteAfter"])
    assert.approximately(first - world.now(), 14 * day, hour)
    for (let week = 1; week <= 4; week++) {
      world.advance(7 * day)
      const session = await world.call("com.atproto.server.createSession", {
        input: { identifier: who.did, password: who.password }
      })
      const auth = bearer(ok(session)["accessJwt"])
      ok(await world.call("com.atproto.server.checkAccountStatus", { auth }))
      await ringOf(who.did)
    }
    assert.strictEqual(await statusOf(who.did), isHere)
    const last = Date.parse((await infoOf(who.did))["deleteAfter"])
    assert.approximately(last - world.now(), 14 * day, hour)
  })

  it("a pending account is kept while its DID points here, and can be activated", async () => {
    const who = await arriving()
    await moveHere(who)
    for (let month = 1; month <= 2; month++) {
      world.advance(30 * day)
      await ringOf(who.did)
    }
    assert.strictEqual(await statusOf(who.did), isHere)
    const session = await world.call("com.atproto.server.createSession", {
      input: { identifier: who.did, password: who.password }
    })
    ok(await activate(bearer(ok(session)["accessJwt"])))
    assert.isUndefined((await infoOf(who.did))["deleteAfter"])
  })

  it("a pending account is kept while its DID can't be resolved, and checked again", async () => {
    const who = await arriving()
    world.advance(15 * day)
    world.network.cut(true)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), isHere)
    world.network.cut(false)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), isHere)
    world.advance(day)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), gone)
  })

  it("a pending account is kept while its DID points nowhere, or here under a variant address", async () => {
    const type = "AtprotoPersonalDataServer"
    const endpoints = [
      `${origin.toUpperCase()}/`,
      `${origin}/xrpc`,
      origin.replace("http:", "https:")
    ]
    const places = endpoints.map((endpoint) => ({ atproto_pds: { type, endpoint } }))
    for (const services of [{}, ...places]) {
      const who = await arriving()
      await who.change({ services })
      world.advance(15 * day)
      await ringOf(who.did)
      assert.strictEqual(await statusOf(who.did), isHere, JSON.stringify(services))
    }
  })

  it("a pending account is kept when its owner returns during the look-up of its DID", async () => {
    const who = await arriving()
    world.advance(15 * day)
    const rung = ringOf(who.did)
    await world.inside(who.did, continueMigration)
    await rung
    assert.strictEqual(await statusOf(who.did), isHere)
  })

  it("the server keeps an active account, however much of the wait is left", async () => {
    const who = await arriving()
    await world.inside(
      who.did,
      Effect.flatMap(AccountStore, (store) => store.update({ deactivatedAt: undefined }))
    )
    world.advance(15 * day)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), isHere)
    assert.isUndefined((await infoOf(who.did))["deleteAfter"])
  })

  it("a pending account is kept while its DID has ended, or it is taken down", async () => {
    const ended = await arriving()
    await ended.tombstone()
    const down = await arriving()
    await takeDown(world, down.did, "takendown")
    for (const { did } of [ended, down]) {
      world.advance(15 * day)
      await ringOf(did)
      assert.strictEqual(await statusOf(did), isHere)
    }
  })

  it("a pending account is deleted at its owner's request, also without an event", async () => {
    const who = await arriving()
    const deleted = await world.call("com.atproto.admin.deleteAccount", {
      auth: basic(),
      input: { did: who.did }
    })
    ok(deleted)
    assert.strictEqual(await statusOf(who.did), gone)
    assert.deepStrictEqual(await eventsOf(who.did), [])
  })

  it("an account that was active stays, however long it is deactivated", async () => {
    const who = await arriving()
    await moveHere(who)
    ok(await activate(who.auth))
    ok(await world.call("com.atproto.server.deactivateAccount", { auth: who.auth, input: {} }))
    world.advance(100 * day)
    await ringOf(who.did)
    assert.strictEqual(await statusOf(who.did), isHere)
  })
})
