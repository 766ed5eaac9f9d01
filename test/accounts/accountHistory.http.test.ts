import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HistoryEntry } from "../../src/core/accounts/history.ts"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import type { HostServices } from "../../src/http/host.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import { ask, browserOf, connect, enter, withAuthenticator } from "../support/http/accountPages.ts"
import { Browser } from "../support/http/httpBrowser.ts"
import { newcomer, type Newcomer } from "../support/http/httpCodes.ts"
import { basic, bearer, type Host, origin, startHost } from "../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf } from "../support/http/httpWorld.ts"

let host: Host
let count = 0

beforeAll(async () => {
  host = await startHost({ MAILER: "captured", BRAND_NAME: "Nacre of Tests" })
})
afterAll(() => host.close())

const somebody = () => newcomer(host, `person${(count += 1)}`)

const signIn = (who: Newcomer, userAgent: string, password = who.password) =>
  host.call("com.atproto.server.createSession", {
    input: { identifier: who.handle, password },
    headers: { "user-agent": userAgent }
  })

const historyOf = async ({ did }: { readonly did: string }): Promise<ReadonlyArray<HistoryEntry>> =>
  (await ask(host, did, "history", { limit: 100 })).entries

const kindsOf = async (who: Newcomer) => (await historyOf(who)).map(({ kind }) => kind)

/** The mails to an address, oldest first. */
const mailsTo = (address: string): Promise<ReadonlyArray<Mail>> =>
  host.beneath(
    // SAFETY: this host's mailer captures.
    Effect.flatMap(CapturedMails, ({ all }) => all).pipe(
      Effect.map((mails) => mails.filter(({ to }) => to === address))
    ) as unknown as Effect.Effect<ReadonlyArray<Mail>, never, HostServices>
  )

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

describe("an account's history", () => {
  it("a sign-in from a new device is an entry and a mail, from a known one neither", async () => {
    const who = await somebody()
    ok(await signIn(who, "goat/0.2.1"))
    ok(await signIn(who, "goat/0.2.2"))
    assert.deepStrictEqual(await kindsOf(who), ["sign-in", "created"])
    const mails = (await mailsTo(who.email)).filter(({ purpose }) => purpose === "history_sign-in")
    assert.lengthOf(mails, 1)
    const [mail] = mails
    assert.strictEqual(mail?.subject, "New sign-in to your account (Nacre of Tests)")
    assert.include(mail?.text, "Device: goat/0.2.1")
    assert.include(mail?.text, `${origin}/account/apps`)
    assert.include(mail?.html, `href="${origin}/account/apps"`)
    ok(await signIn(who, firefox))
    assert.strictEqual((await historyOf(who))[0]?.client, "Firefox on Linux")
  })

  it("no link in a mail acts by itself: each opens a page of the account", async () => {
    const who = await somebody()
    ok(await signIn(who, "goat/0.2.1"))
    await withAuthenticator(host, who.did)
    await appPassword(host, who.did, "phone")
    for (const { text, html = "" } of await mailsTo(who.email)) {
      const links = [...`${text} ${html}`.matchAll(/https?:\/\/[^\s"<]+/g)].map(([link]) => link)
      assert.isNotEmpty(links)
      for (const link of links) {
        const { pathname, search } = new URL(link)
        assert.strictEqual(search, "")
        if (pathname === "/") continue
        assert.include(
          ["/account/activity", "/account/apps", "/account/devices", "/account/password"],
          pathname
        )
      }
    }
  })

  it("a browser's sign-in names the browser, and its page is the devices", async () => {
    const who = await somebody()
    await enter(new Browser(host), who)
    const [entry] = await historyOf(who)
    assert.deepInclude(entry, { kind: "sign-in", way: "browser" })
    const mail = (await mailsTo(who.email)).findLast(({ purpose }) => purpose === "history_sign-in")
    assert.include(mail?.text, `${origin}/account/devices`)
  })

  it("refused passwords and codes are sums, and a stranger's name is noted nowhere", async () => {
    const who = await somebody()
    for (let attempt = 0; attempt < 3; attempt++) {
      assert.strictEqual(
        outcomeOf(await signIn(who, "guesser/1", "wrong")),
        "401 AuthenticationRequired"
      )
    }
    await withAuthenticator(host, who.did)
    const wrong = { identifier: who.did, password: who.password, authFactorToken: "000000" }
    await host.call("com.atproto.server.createSession", { input: wrong })
    const entry = (await historyOf(who)).find(({ kind }) => kind === "refused")
    assert.deepStrictEqual(entry?.refused, { password: 3, code: 1 })
    assert.isUndefined(entry?.client)
  })

  it("apps allowed and disconnected, app passwords, factors and handle are entries", async () => {
    const who = await somebody()
    const session = await connect(host, who.did, { from: { userAgent: firefox } })
    await ask(host, who.did, "endOAuth", { session })
    await appPassword(host, who.did, "phone")
    await ask(host, who.did, "revokeAppPassword", { name: "phone" })
    await withAuthenticator(host, who.did)
    await ask(host, who.did, "disableAuthenticator")
    await ask(host, who.did, "updateHandle", { handle: `other-${who.handle}` })
    assert.deepStrictEqual((await kindsOf(who)).toReversed().slice(1), [
      "sign-in",
      "app-removed",
      "app-password",
      "app-password-revoked",
      "authenticator-on",
      "authenticator-off",
      "handle"
    ])
  })

  it("the old and the new address get a mail about the change", async () => {
    const who = await somebody()
    const email = `new-${who.email}`
    ok(
      await host.call("com.atproto.admin.updateAccountEmail", {
        auth: basic(),
        input: { account: who.did, email }
      })
    )
    for (const address of [who.email, email]) {
      const mail = (await mailsTo(address)).findLast(({ purpose }) => purpose === "history_email")
      assert.include(mail?.text, `Now: ${email}`)
      assert.include(mail?.text, "By: this server’s operator")
    }
    assert.deepInclude((await historyOf(who))[0], {
      kind: "email",
      by: "operator",
      before: who.email,
      after: email
    })
  })

  it("a new app password and a new access token get a mail, a revoked one none", async () => {
    const who = await somebody()
    await appPassword(host, who.did, "phone")
    await ask(host, who.did, "createOwnToken", { name: "script", scope: "atproto", days: 1 })
    await ask(host, who.did, "revokeAppPassword", { name: "phone" })
    await ask(host, who.did, "revokeOwnToken", { name: "script" })
    const mails = (await mailsTo(who.email)).map(({ subject, text }) => [
      subject.split(" (")[0],
      /Name: (.*)/.exec(text)?.[1],
      text.includes(`If it wasn’t, revoke it and change your password: ${origin}/account/apps`)
    ])
    assert.deepStrictEqual(mails, [
      ["App password created", "phone", true],
      ["Access token created", "script", true]
    ])
  })

  it("an operator's takedown and restoration are entries of the operator", async () => {
    const who = await somebody()
    for (const applied of [true, false]) {
      ok(
        await host.call("com.atproto.admin.updateSubjectStatus", {
          auth: basic(),
          input: {
            subject: { $type: "com.atproto.admin.defs#repoRef", did: who.did },
            takedown: { applied }
          }
        })
      )
    }
    const entries = (await historyOf(who)).slice(0, 2)
    assert.deepStrictEqual(
      entries.map(({ kind, by }) => [kind, by]),
      [
        ["restored", "operator"],
        ["taken-down", "operator"]
      ]
    )
  })

  it("the owner reads it on a page, in pages, escaped", async () => {
    const who = await somebody()
    ok(await signIn(who, "<b>evil</b>/1"))
    const browser = await browserOf(host, who)
    const page = await browser.get("/account/activity")
    assert.strictEqual(page.status, 200)
    assert.include(page.text, "New sign-in")
    assert.include(page.text, "&lt;b&gt;evil&lt;")
    assert.notInclude(page.text, "<b>evil")
    for (let made = 0; made < 60; made++) await appPassword(host, who.did, `app ${made}`)
    const first = await browser.get("/account/activity")
    assert.include(first.text, "app 59")
    assert.notInclude(first.text, "Account created")
    const [, next = ""] = /href="([^"]*before=\d+)" rel="next"/.exec(first.text) ?? []
    const second = await browser.get(next.replaceAll("&amp;", "&"))
    assert.include(second.text, "Account created")
    const odd = await browser.get("/account/activity?before=-1")
    assert.include(odd.text, "app 59")
  })

  it("an operator reads it as JSON; others don't", async () => {
    const who = await somebody()
    ok(await signIn(who, "goat/0.2.1"))
    const path = "/admin/accounts/history"
    const params = { account: who.handle, limit: 1 }
    const page = ok(await host.ask(path, { auth: basic(), params }))
    assert.strictEqual(page["did"], who.did)
    assert.lengthOf(page["entries"], 1)
    const older = ok(
      await host.ask(path, {
        auth: basic(),
        params: { account: who.did, before: page["cursor"] as number }
      })
    )
    assert.strictEqual(older["entries"][0].kind, "created")
    const session = ok(await signIn(who, "goat/0.2.1"))
    for (const auth of [undefined, bearer(session["accessJwt"])]) {
      assert.strictEqual((await host.ask(path, { params, auth })).status, 401)
    }
    for (const wrong of [{ account: "nobody.test" }, { account: who.did, limit: 0 }]) {
      assert.strictEqual((await host.ask(path, { auth: basic(), params: wrong })).status, 400)
    }
  })
})
