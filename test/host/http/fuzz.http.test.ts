import { verifyRepoCar } from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { Asked } from "../../support/http/httpHost.ts"
import { mutate, randomOf } from "../../support/http/httpFuzz.ts"
import { allMethods, goodCall } from "../../support/http/httpMethods.ts"
import { ok, post, startWorld, type World } from "../../support/http/httpWorld.ts"

const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_120)
const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 110)

/** Calls that verify a password or create an account, and so take long. */
const slow = new Set([
  "com.atproto.admin.deleteAccount",
  "com.atproto.admin.updateAccountPassword",
  "com.atproto.server.createAccount",
  "com.atproto.server.createSession",
  "com.atproto.server.deleteAccount",
  "com.atproto.server.resetPassword"
])

/** Calls that end an account or its sessions: a mutation may name any account. */
const fatal = new Set([
  "com.atproto.admin.deleteAccount",
  "com.atproto.admin.updateAccountPassword"
])

/** The request, in a readable form for a failure. */
const shown = (nsid: string, asked: Asked) => `${nsid} ${JSON.stringify(asked).slice(0, 2000)}`

const oneCall = async (world: World, nsid: string, asked: Asked) => {
  const answer = await world.call(nsid, asked)
  // In process there are no upgrades, so a valid subscription ends in 501.
  const isSubscription = nsid === "com.atproto.sync.subscribeRepos"
  if (isSubscription && answer.status === 501) return answer.status
  if (answer.status >= 500) assert.fail(`${shown(nsid, asked)} → ${answer.text}`)
  if (answer.status >= 400 && answer.text !== "" && !isSubscription) {
    const { error, message } = answer.body
    const isNamed = typeof error === "string" && typeof message === "string"
    if (!isNamed) assert.fail(`${shown(nsid, asked)} → ${answer.text}`)
  }
  if (nsid === "com.atproto.server.deactivateAccount" && answer.status === 200) {
    const again = "com.atproto.server.activateAccount"
    ok(await world.call(again, { method: "POST", auth: world.alice.auth }))
  }
  return answer.status
}

describe("thousands of invalid requests", () => {
  let world: World
  const random = randomOf(seed)
  const statuses = new Map<number, number>()
  let played = 0
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  /** Sends the requests of all rounds up to this one that haven't been sent yet. */
  const playUpTo = async (last: number) => {
    for (; played < last; played++) {
      for (const nsid of allMethods) {
        if (slow.has(nsid) && played % 10 > 0) continue
        const asked = mutate(random, await goodCall(world, nsid))
        if (fatal.has(nsid) && JSON.stringify(asked).includes(world.alice.did)) continue
        const status = await oneCall(world, nsid, asked)
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
  }

  for (let last = 10; last < rounds; last += 10) {
    it(`the mutated requests up to round ${last} are answered below 500`, () => playUpTo(last))
  }

  it("every mutated request is answered below 500, and the repo still verifies", async () => {
    await playUpTo(rounds)
    // Neither all rejected nor all accepted: mutations reach both sides of the checks.
    assert.isAbove(statuses.get(200) ?? 0, rounds)
    assert.isAbove(statuses.get(400) ?? 0, rounds)

    const { did, auth } = world.alice
    const input = { repo: did, collection: "app.bsky.feed.post", record: post("still here") }
    ok(await world.call("com.atproto.repo.createRecord", { auth, input }))
    const { didDoc } = ok(
      await world.call("com.atproto.repo.describeRepo", { params: { repo: did } })
    )
    const key = `did:key:${didDoc.verificationMethod[0].publicKeyMultibase}`
    const { bytes } = await world.call("com.atproto.sync.getRepo", { params: { did } })
    const { creates } = await verifyRepoCar(bytes as Uint8Array<ArrayBuffer>, did, key)
    assert.isAbove(creates.length, 1)
  })
})
