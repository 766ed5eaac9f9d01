import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { basic, bearer } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  post,
  session,
  settled,
  signUp,
  startWorld,
  takeDown,
  type World
} from "../support/http/httpWorld.ts"

const standings = ["takendown", "suspended", "deactivated"] as const

const repoError = {
  takendown: "400 RepoTakendown",
  suspended: "400 RepoSuspended",
  deactivated: "400 RepoDeactivated"
}

describe("an account that is not active", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const server = (name: string, auth: string | undefined, asked: object = {}) =>
    world.call(`com.atproto.server.${name}`, { auth, ...asked })

  const setStanding = async (who: Person, standing: (typeof standings)[number] | "active") => {
    if (standing === "deactivated") ok(await server("deactivateAccount", who.auth, { input: {} }))
    else await takeDown(world, who.did, standing === "active" ? undefined : standing)
    if (standing === "active") ok(await server("activateAccount", who.auth, { method: "POST" }))
    await settled(world, who.did)
  }

  const signIn = ({ handle: identifier, password }: Person, more = {}) =>
    server("createSession", undefined, { input: { identifier, password, ...more } })

  const listed = async ({ did }: Person) =>
    ok(await world.call("com.atproto.sync.listRepos", { params: { limit: 1000 } }))["repos"].find(
      (repo: Person) => repo.did === did
    )

  const isListedByCollection = async ({ did }: Person) => {
    const params = { collection: "app.bsky.feed.post", limit: 2000 }
    const answer = await world.call("com.atproto.sync.listReposByCollection", { params })
    return answer.text.includes(`"${did}"`)
  }

  for (const standing of standings) {
    it(`an account (${standing}) has this status in getRepoStatus and listRepos, and is not served`, async () => {
      const who = await signUp(world, `is-${standing}`)
      await settled(world, who.did)
      assert.isTrue(await isListedByCollection(who))
      await setStanding(who, standing)
      const { did } = who
      const status = ok(await world.call("com.atproto.sync.getRepoStatus", { params: { did } }))
      assert.deepStrictEqual(status, { did, active: false, status: standing })
      const repo = await listed(who)
      assert.deepStrictEqual([repo.active, repo.status], [false, standing])
      assert.isFalse(await isListedByCollection(who))
      const record = { collection: "app.bsky.feed.post", rkey: "3kaaaaaaaaa22" }
      const reads: ReadonlyArray<readonly [string, Record<string, string>]> = [
        ["sync.getRepo", { did }],
        ["sync.getLatestCommit", { did }],
        ["sync.getHead", { did }],
        ["sync.getRecord", { did, ...record }],
        ["sync.getBlocks", { did, cids: who.post }],
        ["sync.getBlob", { did, cid: who.avatar }],
        ["sync.listBlobs", { did }],
        ["repo.getRecord", { repo: who.handle, ...record }],
        ["repo.listRecords", { repo: did, collection: record.collection }],
        ["repo.describeRepo", { repo: did }]
      ]
      for (const [name, params] of reads) {
        const answer = await world.call(`com.atproto.${name}`, { params })
        assert.strictEqual(outcomeOf(answer), repoError[standing], name)
      }
    })
  }

  it("a deactivated account may sign in, refresh and see its status, but not write", async () => {
    const who = await signUp(world, "resting")
    await setStanding(who, "deactivated")
    const signedIn = ok(await signIn(who))
    const shown = [
      signedIn,
      ok(await server("getSession", bearer(signedIn["accessJwt"]))),
      ok(await server("refreshSession", bearer(signedIn["refreshJwt"]), { method: "POST" }))
    ]
    for (const { active, status } of shown) {
      assert.deepStrictEqual([active, status], [false, "deactivated"])
    }
    const input = { repo: who.did, collection: "app.bsky.feed.post", record: post() }
    const write = () => world.call("com.atproto.repo.createRecord", { auth: who.auth, input })
    assert.strictEqual(outcomeOf(await write()), "401 AccountDeactivated")
    const status = ok(await server("checkAccountStatus", who.auth))
    assert.deepStrictEqual([status["activated"], status["validDid"]], [false, true])
    await setStanding(who, "active")
    assert.strictEqual(outcomeOf(await write()), "ok")
    assert.strictEqual(ok(await server("getSession", who.auth))["active"], true)
    await settled(world, who.did)
    assert.strictEqual((await listed(who)).active, true)
    assert.isTrue(await isListedByCollection(who))
  })

  it("a taken-down account has only a takendown session, which can do nothing but leave", async () => {
    const who = await signUp(world, "downed")
    const { refreshJwt } = await session(world, who.did, "full")
    await setStanding(who, "takendown")
    assert.strictEqual(outcomeOf(await signIn(who)), "401 AccountTakedown")
    const wrong = { ...who, password: "not the password" }
    assert.strictEqual(
      outcomeOf(await signIn(wrong, { allowTakendown: true })),
      "401 AuthenticationRequired"
    )
    const refreshed = await server("refreshSession", bearer(refreshJwt), { method: "POST" })
    assert.strictEqual(outcomeOf(refreshed), "401 AccountTakedown")
    const signedIn = ok(await signIn(who, { allowTakendown: true }))
    assert.deepStrictEqual([signedIn["active"], signedIn["status"]], [false, "takendown"])
    const auth = bearer(signedIn["accessJwt"])
    const leave = {
      params: { aud: "did:web:new.example.com", lxm: "com.atproto.server.createAccount" }
    }
    for (const token of [auth, who.auth]) {
      ok(await server("getServiceAuth", token, leave))
      const { did } = who
      const exported = await world.call("com.atproto.sync.getRepo", {
        params: { did },
        auth: token
      })
      assert.strictEqual(exported.status, 200)
      const input = { repo: did, collection: "app.bsky.feed.post", record: post() }
      const write = await world.call("com.atproto.repo.createRecord", { auth: token, input })
      assert.include(["400 InvalidToken", "401 AccountTakedown"], outcomeOf(write))
      const chat = { params: { ...leave.params, lxm: "chat.bsky.convo.listConvos" } }
      assert.strictEqual(outcomeOf(await server("getServiceAuth", token, chat)), "400 InvalidToken")
      const back = await server("activateAccount", token, { method: "POST" })
      assert.include(["400 InvalidToken", "401 AccountTakedown"], outcomeOf(back))
    }
  })

  it("an inactive account keeps its handle, its email address and its DID", async () => {
    const { dora } = world
    const password = "a good password"
    const wanted = { handle: "someone.test", email: "someone@mail.example.com", password }
    for (const taken of [{ handle: dora.handle }, { email: dora.email }, { did: dora.did }]) {
      const input = { ...wanted, ...taken }
      const answer = await server("createAccount", basic(), { input })
      assert.strictEqual(answer.status, 400, answer.text)
    }
    const params = { handle: dora.handle }
    const resolved = await world.call("com.atproto.identity.resolveHandle", { params })
    assert.strictEqual(ok(resolved)["did"], dora.did)
    assert.strictEqual(ok(await signIn(dora))["did"], dora.did)
  })
})
