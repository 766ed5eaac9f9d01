import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAlarm } from "../../../src/services/accounts/onAlarm.ts"
import { AccountStore } from "../../../src/services/accounts/AccountStore.ts"
import { BlobIndex } from "../../../src/services/blobs/BlobIndex.ts"
import { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import { Devices } from "../../../src/services/oauth/Devices.ts"
import { PasskeyOwners } from "../../../src/services/factors/PasskeyOwners.ts"
import { credentialScopes } from "../../../src/core/oauth/credentialScope.ts"
import { codeFor, newcomer, waitingCodes } from "../../support/http/httpCodes.ts"
import { basic, bearer, requestOf } from "../../support/http/httpHost.ts"
import { ownToken, scopedSession } from "../../support/http/httpScoped.ts"
import {
  ok,
  outcomeOf,
  type Person,
  post,
  session,
  settled,
  signUp,
  startWorld,
  type World
} from "../../support/http/httpWorld.ts"
import { decodeFrame } from "../../support/server/serverFrames.ts"

const hour = 3_600_000
const day = 24 * hour

describe("the deletion of an account", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const someone = () => signUp(world, `ended${world.next()}`)
  const server = (name: string, input: object, auth?: string) =>
    world.call(`com.atproto.server.${name}`, { input, auth })
  const deleteAccount = (
    { did, password }: Pick<Person, "did" | "password">,
    token: string,
    change: object = {}
  ) => server("deleteAccount", { did, password, token, ...change })
  const statusOf = async ({ did }: { readonly did: string }) =>
    outcomeOf(await world.call("com.atproto.sync.getRepoStatus", { params: { did } }))

  const keysOf = ({ did }: Person) =>
    world.inside(
      did,
      Effect.map(BlobIndex, (index) => index.keys({ limit: 100 }).items)
    )

  const stored = (keys: ReadonlyArray<string>) =>
    world.beneath(
      Effect.flatMap(BlobStore, (store) => Effect.forEach(keys, (key) => store.head(key)))
    )

  const eventsOf = async ({ did }: { readonly did: string }, frames: ReadonlyArray<Uint8Array>) => {
    await world.delivered()
    return frames
      .map(decodeFrame)
      .filter(({ body }) => (body.did ?? body.repo) === did)
      .map(({ type, body: { active, status } }) => [type, active, status])
  }

  const deletion = ["#account", false, "deleted"]

  it("deletion with password and mailed code leaves nothing: repo, blobs, names, sessions, passkeys, browsers", async () => {
    const who = await someone()
    const keys = await keysOf(who)
    assert.deepStrictEqual(
      (await stored(keys)).map((size) => size !== undefined),
      [true]
    )
    const signedIn = Effect.gen(function* () {
      const devices = yield* Devices
      const { device } = yield* devices.create({ userAgent: undefined, address: "192.0.2.1" })
      yield* devices.signIn(device.id, { did: who.did, remembered: true })
      yield* (yield* PasskeyOwners).add(`passkey of ${who.did}`, who.did)
    })
    await world.beneath(signedIn)
    const asked = { auth: who.auth, method: "POST" }
    ok(await world.call("com.atproto.server.requestAccountDelete", asked))
    const { delete_account: token = "" } = await waitingCodes(world, who.did)
    ok(await deleteAccount(who, token))
    assert.strictEqual(await statusOf(who), "400 RepoNotFound")
    assert.deepStrictEqual(await stored(keys), [undefined])
    const left = Effect.gen(function* () {
      const owner = yield* (yield* PasskeyOwners).ownerOf(`passkey of ${who.did}`)
      return [owner, (yield* (yield* Devices).ofAccount(who.did)).length]
    })
    assert.deepStrictEqual(await world.beneath(left), [undefined, 0])
    for (const [nsid, params] of [
      ["com.atproto.sync.getRepo", { did: who.did }],
      ["com.atproto.sync.getBlob", { did: who.did, cid: who.avatar }],
      ["com.atproto.repo.describeRepo", { repo: who.handle }],
      ["com.atproto.identity.resolveHandle", { handle: who.handle }]
    ] as const) {
      assert.match(outcomeOf(await world.call(nsid, { params })), /^400 \w+NotFound$/, nsid)
    }
    const session = await world.call("com.atproto.server.getSession", { auth: who.auth })
    assert.notStrictEqual(session.status, 200)
    const signIn = await server("createSession", { identifier: who.did, password: who.password })
    assert.strictEqual(outcomeOf(signIn), "401 AuthenticationRequired")
  })

  it("the deletion is the only event of the account in a replay, and the last one live", async () => {
    const who = await someone()
    await settled(world, who.did)
    const live = world.subscribe()
    ok(await deleteAccount(who, await codeFor(world, who.did, "delete_account")))
    assert.deepStrictEqual(await eventsOf(who, live), [deletion])
    assert.deepStrictEqual(await eventsOf(who, world.subscribe(0)), [deletion])
    const { repos } = ok(
      await world.call("com.atproto.sync.listRepos", { params: { limit: 1000 } })
    )
    const repo = repos.find(({ did }: Person) => did === who.did)
    assert.isTrue(repo === undefined || (repo.active === false && repo.status === "deleted"))
  })

  it("deletion frees the names, and the same DID may sign up again", async () => {
    const who = await newcomer(world, `again${world.next()}`)
    ok(await deleteAccount(who, await codeFor(world, who.did, "delete_account")))
    const { did, handle, email, password } = who
    const back = ok(await server("createAccount", { did, handle, email, password }, basic()))
    const auth = bearer(back["accessJwt"])
    const input = { repo: did, collection: "app.bsky.feed.post", record: post("back") }
    ok(await world.call("com.atproto.repo.createRecord", { auth, input }))
    await settled(world, did)
    const events = await eventsOf(who, world.subscribe(0))
    assert.deepStrictEqual(
      events.map(([type]) => type),
      ["#account", "#identity", "#account", "#commit", "#sync", "#commit"]
    )
  })

  it("no credential of a deleted account opens a new one with its DID, whatever was in memory", async () => {
    const who = await newcomer(world, `again${world.next()}`)
    const { did, handle, email, password } = who
    const reader = { name: "reader", scope: credentialScopes.read }
    const appSession = await scopedSession(world, did, { ...reader, name: "app" })
    const credentials = [
      who.auth,
      bearer((await session(world, did, "standard")).accessJwt),
      bearer(appSession.accessJwt),
      bearer(await ownToken(world, did, reader))
    ]
    const outcomes = () =>
      Promise.all(
        credentials.map(async (auth) =>
          outcomeOf(await world.call("com.atproto.server.getSession", { auth }))
        )
      )
    await outcomes()
    // The first use of a token has written its row; this one leaves it in memory.
    assert.deepStrictEqual(await outcomes(), ["ok", "ok", "ok", "ok"])
    // An export that nobody reads keeps the account's object awake.
    const unread = await world.handler(requestOf(`/xrpc/com.atproto.sync.getRepo?did=${did}`))
    ok(await deleteAccount(who, await codeFor(world, did, "delete_account")))
    const gone = "403 AccountNotFound"
    assert.deepStrictEqual(await outcomes(), [gone, gone, gone, gone])
    ok(await server("createAccount", { did, handle, email, password }, basic()))
    assert.notInclude(await outcomes(), "ok")
    await unread.body?.cancel()
  })

  it("deletion rejects a wrong password, code or DID without saying which", async () => {
    const who = await someone()
    const token = await codeFor(world, who.did, "delete_account")
    const attempts = [
      [{ password: "wrong" }, "401 AuthenticationRequired"],
      [{ did: "did:web:nobody.test" }, "401 AuthenticationRequired"],
      [{ did: world.bob.did }, "401 AuthenticationRequired"],
      [{ token: "AAAAA-AAAAA" }, "400 InvalidToken"],
      [{ token: await codeFor(world, who.did, "reset_password") }, "400 InvalidToken"]
    ] as const
    for (const [change, outcome] of attempts) {
      assert.strictEqual(outcomeOf(await deleteAccount(who, token, change)), outcome)
    }
    const app = await server("createAppPassword", { name: "app" }, who.auth)
    const byApp = await deleteAccount(who, token, { password: ok(app)["password"] })
    assert.strictEqual(outcomeOf(byApp), "401 AuthenticationRequired")
    world.advance(15 * 60_000)
    assert.strictEqual(outcomeOf(await deleteAccount(who, token)), "400 ExpiredToken")
    world.advance(-15 * 60_000)
    assert.strictEqual(await statusOf(who), "ok")
  })

  it("deletion leaves nothing of a running upload or import", async () => {
    for (const [nsid, type] of [
      ["com.atproto.repo.uploadBlob", "image/png"],
      ["com.atproto.repo.importRepo", "application/vnd.ipld.car"]
    ] as const) {
      const who = await someone()
      let upload: ReadableStreamDefaultController<Uint8Array> | undefined
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => void (upload = controller)
      })
      const before = await keysOf(who)
      const answering = world.call(nsid, {
        auth: who.auth,
        body,
        headers: { "content-type": type }
      })
      upload?.enqueue(new Uint8Array(1000))
      const noted = async () => (await keysOf(who)).filter((key) => !before.includes(key))
      while ((await noted()).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      const keys = await noted()
      ok(await deleteAccount(who, await codeFor(world, who.did, "delete_account")))
      upload?.close()
      assert.strictEqual(outcomeOf(await answering), "400 RepoNotFound", nsid)
      assert.deepStrictEqual(await stored(keys), [undefined], nsid)
    }
  })

  it("concurrent deletions take effect once", async () => {
    const who = await someone()
    await settled(world, who.did)
    const live = world.subscribe()
    const token = await codeFor(world, who.did, "delete_account")
    const answers = await Promise.all([1, 2, 3].map(() => deleteAccount(who, token)))
    assert.lengthOf(
      answers.filter(({ status }) => status === 200),
      1
    )
    assert.deepStrictEqual(await eventsOf(who, live), [deletion])
    assert.strictEqual(await statusOf(who), "400 RepoNotFound")
  })

  describe("requested by a deactivation", () => {
    const wish = (days: number) => new Date(world.now() + days * day).toISOString()
    const deactivate = ({ auth }: Person, days: number) =>
      server("deactivateAccount", { deleteAfter: wish(days) }, auth)
    const activate = ({ auth }: Person) =>
      world.call("com.atproto.server.activateAccount", { auth, method: "POST" })
    const rings = ({ did }: Person) => world.inside(did, onAlarm)
    const isHere = async (who: Person) => (await statusOf(who)) === "ok"

    it("the alarm deletes the account on its day, and not before", async () => {
      const who = await someone()
      const keys = await keysOf(who)
      ok(await deactivate(who, 10))
      await settled(world, who.did)
      const live = world.subscribe()
      world.advance(10 * day - 1000)
      await rings(who)
      assert.isTrue(await isHere(who))
      world.advance(2000)
      await rings(who)
      assert.isFalse(await isHere(who))
      assert.deepStrictEqual(await stored(keys), [undefined])
      assert.deepStrictEqual(await eventsOf(who, live), [deletion])
      world.advance(-10 * day - 1000)
    })

    it("deletion waits at least three days, in which a move away can be undone", async () => {
      const who = await someone()
      for (const days of [-1, 0, 2]) ok(await deactivate(who, days))
      world.advance(3 * day - 60_000)
      await rings(who)
      assert.isTrue(await isHere(who))
      world.advance(60_000)
      await rings(who)
      assert.isFalse(await isHere(who))
      world.advance(-3 * day)
    })

    it("an account that is active again, or deactivated without a date, is not deleted", async () => {
      const who = await someone()
      ok(await deactivate(who, 4))
      ok(await activate(who))
      world.advance(5 * day)
      await rings(who)
      assert.isTrue(await isHere(who))
      world.advance(-5 * day)
      ok(await deactivate(who, 4))
      ok(await server("deactivateAccount", {}, who.auth))
      world.advance(5 * day)
      await rings(who)
      assert.isTrue(await isHere(who))
      world.advance(-5 * day)
    })

    it("deletion can't be cancelled once it is due", async () => {
      const who = await someone()
      const past = new Date(world.now() - 1000).toISOString()
      const due = Effect.flatMap(AccountStore, (accounts) =>
        accounts.update({ deactivatedAt: past, deleteAfter: past })
      )
      await world.inside(who.did, due)
      assert.strictEqual(outcomeOf(await activate(who)), "400 InvalidRequest")
      assert.strictEqual(outcomeOf(await deactivate(who, 9)), "400 InvalidRequest")
      await rings(who)
      assert.isFalse(await isHere(who))
    })
  })
})
