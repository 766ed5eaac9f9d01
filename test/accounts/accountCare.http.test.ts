import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { onAlarm } from "../../src/services/accounts/onAlarm.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"
import { ask, browserOf, enter, withAuthenticator } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { codeFor, newcomer, type Newcomer } from "../support/http/httpCodes.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf } from "../support/http/httpWorld.ts"

const hour = 3_600_000

let host: Host
let count = 0

beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

const somebody = () => newcomer(host, `cared${(count += 1)}`)

const act = (path: string, input: object) =>
  host.ask(`/admin/accounts/${path}`, { auth: basic(), input })

const check = async ({ did }: { readonly did: string }) =>
  ok(await host.ask("/admin/accounts/check", { auth: basic(), params: { account: did } }))

const signIn = ({ handle, password }: Newcomer, more: object = {}) =>
  host.call("com.atproto.server.createSession", {
    input: { identifier: handle, password, ...more }
  })

const statusOf = async ({ did }: { readonly did: string }) => {
  const { body } = await host.call("com.atproto.sync.getRepoStatus", { params: { did } })
  return body["status"] ?? (body["active"] === true ? "active" : body["error"])
}

const newestAct = () =>
  host.beneath(Effect.flatMap(AuditLog, (log) => log.page({ limit: 1 }))).then(([entry]) => entry)

describe("a suspension", () => {
  it("the owner of a suspended account reads the reason at every sign-in, and others see it as suspended", async () => {
    const who = await somebody()
    const browser = await browserOf(host, who)
    const phone = await appPassword(host, who.did, "phone")
    const reason = "Spam in replies. Write to <admin@example.com>"
    ok(await act("suspend", { account: who.handle, reason }))
    assert.deepInclude(await newestAct(), {
      act: "/admin/accounts/suspend",
      subject: who.did,
      reason,
      after: { status: "suspended" }
    })
    assert.strictEqual(await statusOf(who), "suspended")
    for (const password of [who.password, phone]) {
      const { status, body } = await signIn({ ...who, password })
      assert.strictEqual(status, 401)
      assert.deepStrictEqual(body, {
        error: "AccountTakedown",
        message: `Account has been suspended: ${reason}`
      })
    }
    const wrong = await signIn({ ...who, password: "wrong" })
    assert.notInclude(wrong.text, "Spam")
    const escaped = "Spam in replies. Write to &lt;admin@example.com&gt;"
    assert.include((await enter(new Browser(host), who)).text, escaped)
    assert.include((await browser.get("/account")).text, escaped)
    ok(await signIn(who, { allowTakendown: true }))
    ok(await act("restore", { account: who.did }))
    assert.strictEqual(await statusOf(who), "active")
    ok(await signIn(who))
    const kinds = (await ask(host, who.did, "history", { limit: 100 })).entries
    assert.includeMembers(
      kinds.map(({ kind }) => kind),
      ["suspended", "restored"]
    )
  })

  it("a suspension needs a reason, and only what is down can be restored", async () => {
    const { did } = await somebody()
    for (const input of [
      { account: did },
      { account: did, reason: "  " },
      { account: did, reason: "x".repeat(501) },
      { account: "nobody.test", reason: "x" }
    ]) {
      assert.strictEqual((await act("suspend", input)).status, 400)
    }
    assert.strictEqual(outcomeOf(await act("restore", { account: did })), "400 InvalidRequest")
    assert.strictEqual(await statusOf({ did }), "active")
  })

  it("a suspension outlives a change of the owner's own standing", async () => {
    const who = await somebody()
    ok(await act("suspend", { account: who.did, reason: "Spam" }))
    await ask(host, who.did, "deactivate", {})
    assert.strictEqual(await statusOf(who), "suspended")
    ok(await act("restore", { account: who.did }))
    assert.strictEqual(await statusOf(who), "deactivated")
  })
})

describe("can they sign in?", () => {
  it("an account in order can sign in, and the response names the ways", async () => {
    const who = await somebody()
    const { canSignIn, summary } = await check(who)
    assert.isTrue(canSignIn)
    assert.strictEqual(summary, `${who.handle} can sign in with the password`)
  })

  it("a suspended account can't, for the reason of its suspension", async () => {
    const who = await somebody()
    ok(await act("suspend", { account: who.did, reason: "Spam" }))
    const { canSignIn, summary } = await check(who)
    assert.isFalse(canSignIn)
    assert.include(summary, "suspended: Spam")
  })

  it("too many wrong codes block the password until a time, and refused attempts are counted", async () => {
    const who = await somebody()
    await withAuthenticator(host, who.did)
    for (let attempt = 0; attempt < 10; attempt++) {
      await signIn(who, { authFactorToken: "000000" })
    }
    await signIn({ ...who, password: "wrong" })
    const blocked = await check(who)
    assert.isFalse(blocked["canSignIn"])
    assert.deepInclude(blocked["facts"]["refused"], { password: 1, code: 10 })
    assert.match(blocked["reasons"].join("\n"), /every code is rejected until 20\d\d-/)
    host.advance(16 * 60_000)
    assert.isTrue((await check(who))["canSignIn"])
  })

  it("a reset of the factor lets the password in alone", async () => {
    const who = await somebody()
    await withAuthenticator(host, who.did)
    assert.strictEqual(outcomeOf(await signIn(who)), "401 AuthFactorTokenRequired")
    const input = { account: who.did }
    ok(await host.ask("/admin/factors/reset", { auth: basic(), input }))
    ok(await signIn(who))
    const [entry] = (await ask(host, who.did, "history", { limit: 1 })).entries
    assert.deepInclude(entry, { kind: "sign-in" })
  })
})

describe("a deletion that is held back", () => {
  it("the account is deactivated, an operator undoes it, and it is active again", async () => {
    const who = await somebody()
    const asked = ok(await act("delete", { account: who.did }))
    assert.strictEqual(await statusOf(who), "deactivated")
    assert.isAbove(Date.parse(asked["deleteAfter"]), host.now() + 71 * hour)
    host.advance(hour)
    const again = ok(await act("delete", { account: who.did }))
    assert.strictEqual(again["deleteAfter"], asked["deleteAfter"])
    assert.include((await check(who))["reasons"].join("\n"), "will be deleted on")
    assert.deepInclude(ok(await act("keep", { account: who.did })), { active: true })
    assert.strictEqual(await statusOf(who), "active")
    assert.strictEqual(outcomeOf(await act("keep", { account: who.did })), "400 InvalidRequest")
  })

  it("an account that was deactivated before stays so when its deletion is undone", async () => {
    const who = await somebody()
    await ask(host, who.did, "deactivate", {})
    ok(await act("delete", { account: who.did }))
    assert.deepInclude(ok(await act("keep", { account: who.did })), { active: false })
    assert.strictEqual(await statusOf(who), "deactivated")
    const pending = await ask(host, who.did, "security")
    assert.isUndefined(pending.deleteAfter)
    assert.isFalse(pending.deletionHeld)
  })

  it("the owner signs in meanwhile, and activation by the protocol undoes it too", async () => {
    const who = await somebody()
    ok(await act("delete", { account: who.did }))
    const { accessJwt } = ok(await signIn(who))
    const auth = `Bearer ${accessJwt}`
    ok(await host.call("com.atproto.server.activateAccount", { auth, method: "POST" }))
    const [entry] = (await ask(host, who.did, "history", { limit: 1 })).entries
    assert.strictEqual(entry?.kind, "deletion-undone")
    assert.strictEqual(await statusOf(who), "active")
  })

  it("the alarm deletes it after three days, not before", async () => {
    const who = await somebody()
    ok(await act("delete", { account: who.did }))
    host.advance(71 * hour)
    await host.inside(who.did, onAlarm)
    assert.strictEqual(await statusOf(who), "deactivated")
    host.advance(2 * hour)
    await host.inside(who.did, onAlarm)
    assert.strictEqual(await statusOf(who), "RepoNotFound")
  })

  it("deleteAccount of the protocol deletes at once, unless the server holds it back", async () => {
    const always = await startHost({ DELETION_DELAY: "always" })
    for (const [server, status] of [
      [host, undefined],
      [always, "deactivated"]
    ] as const) {
      const who = await newcomer(server, `leaver${(count += 1)}`)
      const token = await codeFor(server, who.did, "delete_account")
      const input = { did: who.did, password: who.password, token }
      ok(await server.call("com.atproto.server.deleteAccount", { input }))
      const entry = await Effect.runPromise(server.directory.byDid(who.did))
      assert.strictEqual(entry?.status, status)
    }
    await always.close()
  })
})
