import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { vi } from "vitest"
import { accountPages } from "../../src/http/pages/account/table.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import { watch } from "../../src/services/operators/watch/watch.ts"
import { enter, ours } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { newcomer, type Newcomer, waitingCodes } from "../support/http/httpCodes.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf, session } from "../support/http/httpWorld.ts"

let host: Host
let count = 0

beforeAll(async () => {
  host = await startHost()
})
afterAll(() => host.close())

const minute = 60_000

/** An account with pending codes for a deletion and for a new password. */
const somebody = async () => {
  const who = await newcomer(host, `waiter${(count += 1)}`)
  ok(await host.call("com.atproto.server.requestAccountDelete", { method: "POST", auth: who.auth }))
  const input = { email: who.email }
  ok(await host.call("com.atproto.server.requestPasswordReset", { input }))
  // The response to a password reset doesn't wait for the code.
  const codes = await vi.waitFor(async () => {
    const { delete_account: end, reset_password: reset } = await waitingCodes(host, who.did)
    if (end === undefined || reset === undefined) throw new Error("not yet")
    return { end, reset }
  })
  return { who, codes }
}

const freshly = async ({ did }: Newcomer) => bearer((await session(host, did, "full")).accessJwt)

const list = (auth: string | undefined, account?: string) =>
  host.ask("/manage/codes", { auth, params: account === undefined ? {} : { account } })

describe("codes on a host without mail", () => {
  it("a recent main-password session sees the codes except for the password reset's", async () => {
    const { who, codes } = await somebody()
    for (const auth of [await freshly(who), basic()]) {
      const answer = await list(auth, who.handle)
      assert.strictEqual(answer.headers.get("cache-control"), "no-store")
      const [only, ...more] = ok(answer)["codes"]
      assert.deepStrictEqual(more, [])
      assert.deepInclude(only, { purpose: "delete_account", code: codes.end })
    }
  })

  it("no older session, app password or other account sees the codes", async () => {
    const { who, codes } = await somebody()
    const other = await newcomer(host, `waiter${(count += 1)}`)
    const app = await appPassword(host, who.did, "An app", true)
    const login = { identifier: who.handle, password: app }
    const { accessJwt } = ok(await host.call("com.atproto.server.createSession", { input: login }))
    const old = await freshly(who)
    host.advance(15 * minute - 1000)
    assert.strictEqual(outcomeOf(await list(old)), "ok")
    host.advance(2000)
    const refused: ReadonlyArray<readonly [string | undefined, string]> = [
      [undefined, "401 AuthMissing"],
      [old, "401 AuthenticationRequired"],
      [bearer(accessJwt), "400 InvalidToken"],
      [basic("wrong"), "401 AuthenticationRequired"]
    ]
    for (const [auth, outcome] of refused) {
      const answer = await list(auth, who.did)
      assert.strictEqual(outcomeOf(answer), outcome)
      assert.notInclude(JSON.stringify(answer.body), codes.end)
    }
    assert.deepInclude((await list(await freshly(other), who.did)).body, {
      did: other.did,
      codes: []
    })
  })

  it("the page of an action shows the code that an app requested for it, after a recent sign-in", async () => {
    const { who, codes } = await somebody()
    const browser = new Browser(host)
    await enter(browser, who)
    const { text } = await browser.get("/account/delete", ours)
    assert.include(text, `<code>${codes.end}</code>`)
    assert.notInclude(text, codes.reset)
    assert.notInclude((await browser.get("/account/move", ours)).text, codes.end)
    host.advance(15 * minute + 1000)
    const later = await browser.get("/account/delete", ours)
    assert.include(later.location, "/account/confirm")
    assert.notInclude(later.text, codes.end)
  })

  it("no page offers to confirm an address, or sends its reader to a page of codes", async () => {
    const { who } = await somebody()
    const browser = new Browser(host)
    await enter(browser, who)
    assert.strictEqual((await browser.get("/account/codes", ours)).status, 404)
    for (const page of Object.keys(accountPages)) {
      const { text } = await browser.get(`/account/${page}`, ours)
      assert.notMatch(text, /account\/codes|Settings → Codes|email\/confirm|not confirmed/, page)
    }
  })

  it("a host with mail shows no codes", async () => {
    const mailing = await startHost({ MAILER: "captured" })
    const who = await newcomer(mailing, "mailed")
    const asked = { method: "POST", auth: who.auth } as const
    ok(await mailing.call("com.atproto.server.requestAccountDelete", asked))
    const { accessJwt } = await session(mailing, who.did, "full")
    assert.deepStrictEqual(
      ok(await mailing.ask("/manage/codes", { auth: bearer(accessJwt) }))["codes"],
      []
    )
    const browser = new Browser(mailing)
    await enter(browser, who)
    assert.notInclude((await browser.get("/account/delete", ours)).text, "A code was requested")
    await mailing.close()
  })
})

describe("a forgotten password on a host without mail", () => {
  /** What the watch has open. */
  const alerts = async () => {
    await host.beneath(watch)
    const open = await host.beneath(
      Effect.flatMap(Alerts, (all) => all.list({ past: false, limit: 50 }))
    )
    return open.filter(({ kind }) => kind === "reset-waiting").map(({ detail }) => detail)
  }

  it("the watch names who waits for a code, until it is used or expired", async () => {
    host.advance(30 * minute)
    assert.deepStrictEqual(await alerts(), [])
    const { who, codes } = await somebody()
    assert.deepStrictEqual(await alerts(), [who.handle])
    const input = { token: codes.reset, password: "another password" }
    ok(await host.call("com.atproto.server.resetPassword", { input }))
    host.advance(minute)
    assert.deepStrictEqual(await alerts(), [])
    const { who: other } = await somebody()
    assert.deepStrictEqual(await alerts(), [other.handle])
    host.advance(16 * minute)
    assert.deepStrictEqual(await alerts(), [])
  })
})
