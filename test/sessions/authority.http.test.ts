import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { authorities, publicReads, type Row } from "../support/http/httpAuthority.ts"
import { appCredentials } from "../support/http/httpAppCredentials.ts"
import { credentials } from "../support/http/httpCredentials.ts"
import { type Answered, type Asked, bearer } from "../support/http/httpHost.ts"
import { moderatorEnv, publishModerator } from "../support/http/httpModerator.ts"
import { allMethods, samples } from "../support/http/httpMethods.ts"
import {
  outcomeOf,
  type Person,
  serviceToken,
  session,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

describe("who may call which method", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld(moderatorEnv)
    await publishModerator(world)
  })
  afterAll(() => world.close())

  /** Restores the account's status after a call that may have changed it. */
  const restore = async ({ did }: Person, deactivated: boolean) => {
    const deactivatedAt = deactivated ? "2026-01-01T00:00:00.000Z" : undefined
    await world.inside(
      did,
      Effect.flatMap(AccountStore, (accounts) => accounts.update({ deactivatedAt }))
    )
  }

  /** Signs everybody in again, because a deactivation has ended their sessions. */
  const signInAgain = async () => {
    for (const person of [world.alice, world.bob, world.carol, world.dora]) {
      const { accessJwt } = await session(world, person.did, "full")
      Object.assign(person, { auth: bearer(accessJwt) })
    }
  }

  const outcome = (nsid: string, answer: Answered): string =>
    nsid === "com.atproto.sync.subscribeRepos" ? String(answer.status) : outcomeOf(answer)

  const rowOf = async (nsid: string): Promise<Row> => {
    const outcomes: Record<string, string> = {}
    const sample = (who: Person) => samples[nsid]!.make(world, who)
    const note = async (name: string, asked: Asked) => {
      outcomes[name] = outcome(nsid, await world.call(nsid, asked))
      for (const person of [world.alice, world.bob, world.carol]) await restore(person, false)
      await restore(world.dora, true)
      if (nsid === "com.atproto.server.deactivateAccount") await signInAgain()
    }
    for (const [name, { about, header }] of Object.entries(credentials)) {
      const asked = await sample(about(world))
      await note(name, { ...asked, auth: await header(world, nsid) })
    }
    for (const [name, { about, use }] of Object.entries(appCredentials)) {
      await note(name, await use(world, nsid, await sample(about(world))))
    }
    return outcomes as Row
  }

  it("the table lists every method", () => {
    assert.deepStrictEqual(Object.keys(authorities).toSorted(), allMethods)
    assert.isAbove(publicReads.length, 10)
  })

  for (const nsid of allMethods) {
    it(`${nsid} has the expected outcome for every kind of credential`, async () => {
      assert.deepStrictEqual(await rowOf(nsid), authorities[nsid])
    })
  }

  it("service auth works once, except for uploads", async () => {
    const nsid = "com.atproto.server.createAccount"
    const auth = bearer(await serviceToken(world, world.alice.did, { lxm: nsid }))
    const call = async () => {
      const asked = await samples[nsid]!.make(world, world.alice)
      return outcomeOf(await world.call(nsid, { ...asked, auth }))
    }
    assert.strictEqual(await call(), "ok")
    assert.strictEqual(await call(), "401 BadJwt")
    const upload = "com.atproto.repo.uploadBlob"
    const twice = bearer(await serviceToken(world, world.alice.did, { lxm: upload }))
    for (let time = 0; time < 2; time++) {
      const asked = await samples[upload]!.make(world, world.alice)
      assert.strictEqual(outcomeOf(await world.call(upload, { ...asked, auth: twice })), "ok")
    }
  })

  it("expired service auth is rejected", async () => {
    for (const nsid of ["com.atproto.repo.uploadBlob", "com.atproto.server.createAccount"]) {
      const exp = Math.floor(world.now() / 1000) - 120
      const auth = bearer(await serviceToken(world, world.alice.did, { lxm: nsid, exp }))
      const asked = await samples[nsid]!.make(world, world.alice)
      assert.strictEqual(outcomeOf(await world.call(nsid, { ...asked, auth })), "401 JwtExpired")
    }
  })

  it("the administrator reads repos of inactive accounts, and other accounts don't", async () => {
    const { admin, otherAccount } = credentials
    for (const nsid of publicReads) {
      for (const person of [world.carol, world.dora]) {
        const call = async (auth: string | undefined) =>
          outcomeOf(await world.call(nsid, { ...(await samples[nsid]!.make(world, person)), auth }))
        assert.strictEqual(await call(await admin.header(world, nsid)), "ok", nsid)
        const gone = person === world.carol ? "400 RepoTakendown" : "400 RepoDeactivated"
        assert.strictEqual(await call(await otherAccount.header(world, nsid)), gone, nsid)
        assert.strictEqual(await call("Basic x"), gone, nsid)
      }
    }
  })

  it("a 401 without credentials has WWW-Authenticate", async () => {
    for (const nsid of allMethods) {
      if (authorities[nsid]!.nothing !== "401 AuthMissing") continue
      const answer = await world.call(nsid, await samples[nsid]!.make(world, world.alice))
      assert.strictEqual(answer.status, 401, nsid)
      assert.match(answer.headers.get("www-authenticate") ?? "", /^(Bearer|Basic)/, nsid)
    }
  })
})
