import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Role, roles } from "../../../src/core/operators/roles.ts"
import { Operators } from "../../../src/services/operators/Operators.ts"
import {
  consoleForm,
  enterConsole,
  look,
  makeOperator,
  newestActs,
  type Operator
} from "../../support/http/consolePages.ts"
import { basic, bearer } from "../../support/http/httpHost.ts"
import { moderatorEnv, moderatorToken, publishModerator } from "../../support/http/httpModerator.ts"
import { ok, outcomeOf, signUp, startWorld, type World } from "../../support/http/httpWorld.ts"

const minute = 60_000
const update = "com.atproto.admin.updateSubjectStatus"

let world: World
const people = new Map<Role, Operator>()

beforeAll(async () => {
  world = await startWorld(moderatorEnv)
  await publishModerator(world)
  for (const role of roles) people.set(role, await makeOperator(world, `${role}-op`, role))
})
afterAll(() => world.close())

const signedIn = async (role: Role): Promise<string> => {
  const { did, password, factor } = people.get(role)!
  world.advance(minute)
  const authFactorToken = factor.totp.generate({ timestamp: world.now() })
  const input = { identifier: did, password, authFactorToken }
  return bearer(ok(await world.call("com.atproto.server.createSession", { input }))["accessJwt"])
}

const statusOf = async (did: string) => {
  const { body } = await world.call("com.atproto.sync.getRepoStatus", { params: { did } })
  return body["status"] ?? "active"
}

const account = (did: string) => ({ $type: "com.atproto.admin.defs#repoRef", did })

/** Every change of an account's standing, with each credential. */
const changesOf = (did: string) =>
  [
    { nsid: update, input: { subject: account(did), takedown: { applied: true } } },
    { nsid: update, input: { subject: account(did), takedown: { applied: false } } },
    { nsid: update, input: { subject: account(did), deactivated: { applied: true } } },
    { nsid: update, input: { subject: account(did), deactivated: { applied: false } } },
    { path: "/admin/accounts/suspend", input: { account: did, reason: "a test" } },
    { path: "/admin/accounts/restore", input: { account: did } }
  ] as const

type Change = ReturnType<typeof changesOf>[number]

const send = (change: Change, auth: string) =>
  "nsid" in change
    ? world.call(change.nsid, { auth, input: change.input })
    : world.ask(change.path, { auth, input: change.input })

describe("the standing of an operator's account", () => {
  it("a moderator and a moderation service can't change it by any method or path", async () => {
    for (const role of roles.filter((one) => one !== "moderator")) {
      const { did } = people.get(role)!
      for (const change of changesOf(did)) {
        const refused = await send(change, await signedIn("moderator"))
        assert.strictEqual(refused.status, 400, JSON.stringify(change))
        assert.include(refused.body["message"], "only an admin", JSON.stringify(change))
        assert.strictEqual(await statusOf(did), "active", role)
        const [entry] = await newestActs(world)
        assert.deepInclude(entry, { status: 400, subject: did })
        if (!("nsid" in change)) continue
        const service = bearer(await moderatorToken(world, change.nsid))
        const answer = await send(change, service)
        assert.include(answer.body["message"], "only an admin", JSON.stringify(change))
        assert.strictEqual(await statusOf(did), "active", role)
      }
    }
  })

  it("a moderator can't restore an operator whom an admin has suspended", async () => {
    const { did } = people.get("inviter")!
    ok(await send(changesOf(did)[4], await signedIn("admin")))
    for (const change of changesOf(did)) {
      await send(change, await signedIn("moderator"))
      assert.strictEqual(await statusOf(did), "suspended", JSON.stringify(change))
    }
    ok(await send(changesOf(did)[5], await signedIn("admin")))
    assert.strictEqual(await statusOf(did), "active")
  })

  it("a moderator can't change the standing of another moderator either, and nobody their own", async () => {
    const other = await makeOperator(world, "other-moderator", "moderator")
    for (const change of changesOf(other.did)) {
      const refused = await send(change, await signedIn("moderator"))
      assert.include(refused.body["message"], "only an admin")
    }
    for (const role of ["moderator", "admin"] as const) {
      for (const change of changesOf(people.get(role)!.did)) {
        const refused = await send(change, await signedIn(role))
        assert.include(refused.body["message"], "your own account")
      }
    }
    assert.strictEqual(await statusOf(other.did), "active")
  })

  it("an operator without a role any more, members and operators' records stay a moderator's work", async () => {
    const former = await makeOperator(world, "former-op", "admin")
    await world.beneath(Effect.flatMap(Operators, (all) => all.remove(former.did)))
    const member = await signUp(world, "a-member")
    for (const { did } of [former, member]) {
      ok(await send(changesOf(did)[0], await signedIn("moderator")))
      assert.strictEqual(await statusOf(did), "takendown")
      ok(await send(changesOf(did)[1], await signedIn("moderator")))
    }
    const { did, auth } = people.get("admin")!
    const made = ok(
      await world.call("com.atproto.repo.createRecord", {
        auth,
        input: {
          repo: did,
          collection: "app.bsky.feed.post",
          record: {
            $type: "app.bsky.feed.post",
            text: "hello",
            createdAt: "2026-01-01T00:00:00.000Z"
          }
        }
      })
    )
    const subject = { $type: "com.atproto.repo.strongRef", uri: made["uri"], cid: made["cid"] }
    const input = { subject, takedown: { applied: true } }
    ok(await world.call(update, { auth: await signedIn("moderator"), input }))
  })

  it("the administrator's password changes any operator's standing", async () => {
    const { did } = people.get("moderator")!
    for (const at of [0, 1] as const) {
      const answer = await send(changesOf(did)[at], basic())
      assert.strictEqual(outcomeOf(answer), "ok")
    }
  })

  it("no operator deletes the last admin's account, and a deleted admin is none any more", async () => {
    const { did } = people.get("admin")!
    const deletions = (account: string) =>
      [
        () =>
          world.call("com.atproto.admin.deleteAccount", { auth: basic(), input: { did: account } }),
        () => world.ask("/admin/accounts/delete", { auth: basic(), input: { account } })
      ] as const
    for (const one of deletions(did)) {
      const refused = await one()
      assert.strictEqual(refused.status, 400)
      assert.include(refused.body["message"], "the last admin")
      assert.strictEqual(await statusOf(did), "active")
    }
    const own = await world.call("com.atproto.admin.deleteAccount", {
      auth: await signedIn("admin"),
      input: { did }
    })
    assert.include(own.body["message"], "the last admin")
    const second = await makeOperator(world, "second-admin", "admin")
    // An admin who is suspended is no other admin.
    ok(
      await world.ask("/admin/accounts/suspend", {
        auth: basic(),
        input: { account: second.did, reason: "a test" }
      })
    )
    assert.strictEqual((await deletions(did)[0]()).status, 400)
    for (const [path, input] of [
      ["/admin/operators/remove", { account: did }],
      ["/admin/operators", { account: did, role: "inviter" }]
    ] as const) {
      const kept = await world.ask(path, { auth: basic(), input })
      assert.include(kept.body["message"], "the last admin", path)
    }
    ok(
      await world.call("com.atproto.admin.deleteAccount", {
        auth: await signedIn("admin"),
        input: { did: second.did }
      })
    )
    const admins = await world.beneath(Effect.flatMap(Operators, ({ list }) => list))
    assert.deepStrictEqual(
      admins.filter(({ role }) => role === "admin").map((one) => one.did),
      [did]
    )
    await signUp(world, "second-admin")
    assert.isUndefined(
      await world.beneath(Effect.flatMap(Operators, ({ role }) => role(second.did)))
    )
  })

  it("the console shows a moderator no form for an operator's standing, and rejects one that is sent", async () => {
    const admin = people.get("admin")!
    const member = await signUp(world, "shown-member")
    const pages = [`account?did=${admin.did}`, `moderation?about=${admin.did}`]
    const moderator = await enterConsole(world, people.get("moderator")!)
    for (const page of pages) {
      const shown = await look(moderator, page)
      assert.include(shown.text, "Only an admin can suspend it", page)
      for (const action of ["account/suspend", "moderation/take-down", "moderation/restore"]) {
        assert.isFalse(shown.has(`/admin/console/${action}`), `${page} ${action}`)
      }
    }
    const suspend = await consoleForm(moderator, `account?did=${member.did}`, "account/suspend")
    const refused = await moderator.post(suspend, { did: admin.did, why: "a test" })
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "Only an admin can suspend it")
    const down = await consoleForm(
      moderator,
      `moderation?about=${member.did}`,
      "moderation/take-down"
    )
    const rejected = await moderator.post(down, { about: admin.did, reason: "a test" })
    assert.strictEqual(rejected.status, 400)
    assert.include(rejected.text, "Only an admin can suspend it")
    assert.strictEqual(await statusOf(admin.did), "active")
    const other = await enterConsole(world, admin)
    const shown = await look(other, `account?did=${people.get("moderator")!.did}`)
    assert.isTrue(shown.has("/admin/console/account/suspend"))
  })
})
