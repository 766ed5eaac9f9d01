import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import type { HostServices } from "../../src/http/host.ts"
import { PasskeyOwners } from "../../src/services/factors/PasskeyOwners.ts"
import { newAuthenticator } from "./authenticator.ts"
import { ask, challengeOf, here, withAuthenticator } from "../support/http/accountPages.ts"
import { Browser, type Shown } from "../support/http/httpBrowser.ts"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf, session, takeDown } from "../support/http/httpWorld.ts"
import { newcomer, type Newcomer } from "../support/http/httpCodes.ts"

let host: Host
let count = 0

beforeAll(async () => {
  host = await startHost({ MAILER: "captured", BRAND_NAME: "Nacre of Tests" })
})
afterAll(() => host.close())

const somebody = () => newcomer(host, `person${(count += 1)}`)
const minute = 60_000

/** A new session, as an `Authorization` header. */
const freshly = async ({ did }: Newcomer) => bearer((await session(host, did, "full")).accessJwt)

const make = async (auth: string, account?: string) =>
  host.ask("/manage/passkeys/link", { auth, input: account === undefined ? {} : { account } })

/** The part of a new link after the `#`. */
const linkOf = async (who: Newcomer) => {
  const { url } = ok(await make(await freshly(who)))
  return new URL(url).hash.slice(1)
}

/** Opens a link as its page's script does. */
const open = async (link: string, browser = new Browser(host)) => {
  const page = await browser.get("/passkey")
  return { browser, page: await browser.submit(page.form("/passkey"), { link }) }
}

const add = async (
  { browser, page }: { readonly browser: Browser; readonly page: Shown },
  key: ReturnType<typeof newAuthenticator>,
  more: Readonly<Record<string, string>> = {}
) => {
  const credential = JSON.stringify(key.create(challengeOf(page), here))
  return browser.submit(page.form("/passkey/add"), { credential, name: "Phone", ...more })
}

const passkeysOf = async ({ did }: Newcomer) =>
  (await ask(host, did, "security")).passkeyList.map(({ id }) => id)

const keyOf = () => newAuthenticator("ES256", `key ${(count += 1)}`)

const isOver = async (link: string) => {
  const { page } = await open(link)
  return page.status === 410 && page.text.includes("This link has expired")
}

describe("a link that adds a passkey", () => {
  it("a link shows the account, adds one passkey without a password, and signs nobody in", async () => {
    const who = await somebody()
    const { url, handle, expiresAt } = ok(await make(await freshly(who)))
    assert.strictEqual(handle, who.handle)
    assert.isBelow(Math.abs(expiresAt - host.now() - 15 * minute), 5000)
    const { pathname, search, hash } = new URL(url)
    assert.deepStrictEqual([pathname, search], ["/passkey", ""])
    const opened = await open(hash.slice(1))
    assert.include(opened.page.text, `<strong>${who.handle}</strong`)
    assert.notInclude(opened.page.text, who.email)
    const key = keyOf()
    const added = await add(opened, key)
    assert.include(added.text, "Passkey added")
    assert.deepStrictEqual(await passkeysOf(who), [key.id])
    const owner = Effect.flatMap(PasskeyOwners, (owners) => owners.ownerOf(key.id))
    assert.strictEqual(await host.beneath(owner), who.did)
    const account = await opened.browser.get("/account")
    assert.include(account.location, "/account/sign-in")
    const signIn = await opened.browser.get("/account/sign-in")
    const credential = JSON.stringify(key.get(challengeOf(signIn), here))
    const inside = await opened.browser.submit(signIn.form("/sign-in/passkey"), { credential })
    assert.include(inside.text, who.email)
  })

  it("a link works once, even with concurrent uses", async () => {
    const who = await somebody()
    const link = await linkOf(who)
    const [one, two] = [await open(link), await open(link)]
    const both = await Promise.all([add(one, keyOf()), add(two, keyOf())])
    assert.deepStrictEqual(both.map(({ status }) => status).toSorted(), [200, 410])
    assert.lengthOf(await passkeysOf(who), 1)
    assert.isTrue(await isOver(link))
  })

  it("a link expires a quarter of an hour after the password was entered, or with the next link", async () => {
    const who = await somebody()
    const auth = await freshly(who)
    host.advance(10 * minute)
    const { url, expiresAt } = ok(await make(auth))
    assert.isBelow(expiresAt, host.now() + 5 * minute + 5000)
    const first = new URL(url).hash.slice(1)
    const opened = await open(first)
    host.advance(5 * minute)
    assert.isTrue(await isOver(first))
    assert.strictEqual((await add(opened, keyOf())).status, 410)
    const [second, third] = [await linkOf(who), await linkOf(who)]
    assert.isTrue(await isOver(second))
    assert.isFalse(await isOver(third))
    assert.deepStrictEqual(await passkeysOf(who), [])
  })

  it("an administrator's link also expires after a quarter of an hour", async () => {
    const who = await somebody()
    const { url } = ok(await make(basic(), who.did))
    const link = new URL(url).hash.slice(1)
    host.advance(14 * minute)
    assert.isFalse(await isOver(link))
    host.advance(minute)
    assert.isTrue(await isOver(link))
  })

  it("a link expires with a new password, a reverted deactivation or takedown, or the account", async () => {
    const admin = (nsid: string, input: object) =>
      host.call(`com.atproto.admin.${nsid}`, { auth: basic(), input })
    const subject = (did: string) => ({ $type: "com.atproto.admin.defs#repoRef", did })
    const ends: Readonly<Record<string, (who: Newcomer) => Promise<void>>> = {
      password: async ({ did }) => {
        ok(await admin("updateAccountPassword", { did, password: "another password" }))
      },
      deactivation: async ({ did }) => {
        const change = (applied: boolean) =>
          admin("updateSubjectStatus", { subject: subject(did), deactivated: { applied } })
        ok(await change(true))
        ok(await change(false))
      },
      takedown: async ({ did }) => {
        const change = (applied: boolean) =>
          admin("updateSubjectStatus", { subject: subject(did), takedown: { applied } })
        ok(await change(true))
        ok(await change(false))
      },
      deletion: async ({ did }) => {
        ok(await admin("deleteAccount", { did }))
      }
    }
    for (const [what, end] of Object.entries(ends)) {
      const who = await newcomer(host, `ends${(count += 1)}`, { plc: true })
      const link = await linkOf(who)
      const opened = await open(link)
      await end(who)
      assert.isTrue(await isOver(link), what)
      assert.strictEqual((await add(opened, keyOf())).status, 410, what)
      if (what !== "deletion") assert.deepStrictEqual(await passkeysOf(who), [], what)
    }
  })

  it("a link asks for a code if the account has an authenticator, regardless of its creator", async () => {
    const who = await somebody()
    const { recoveryCodes } = await withAuthenticator(host, who.did)
    for (const auth of [await freshly(who), basic()]) {
      const link = new URL(ok(await make(auth, who.did)).url).hash.slice(1)
      const before = (await passkeysOf(who)).length
      let opened = await open(link)
      for (const code of ["", "000000", "aaaaa-aaaaa"]) {
        const refused = await add(opened, keyOf(), { code })
        assert.strictEqual(refused.status, 400)
        assert.lengthOf(await passkeysOf(who), before)
        opened = { ...opened, page: refused }
      }
      const code = recoveryCodes[auth === basic() ? 1 : 0]!
      assert.include((await add(opened, keyOf(), { code })).text, "Passkey added")
      assert.lengthOf(await passkeysOf(who), before + 1)
    }
  })

  it("a link is announced to the owner by mail, and not created if the mail fails", async () => {
    const who = await somebody()
    const link = await linkOf(who)
    const mails = Effect.flatMap(CapturedMails, ({ all }) => all)
    // SAFETY: a host with a capturing mailer also has this service.
    const sent = await host.beneath(
      mails as unknown as Effect.Effect<ReadonlyArray<Mail>, never, HostServices>
    )
    const mail = sent.findLast(({ to }) => to === who.email)
    assert.include(mail?.subject, "passkey")
    assert.include(mail?.text, `@${who.handle}`)
    assert.include(mail?.text, "/account/password")
    assert.notInclude(mail?.text, link.split(".", 1)[0])

    const broken = await startHost({
      MAILER: "http",
      MAIL_FROM: "pds@example.com",
      MAIL_HTTP_URL: "https://mail.example.com/send",
      MAIL_HTTP_TOKEN: "a token"
    })
    const { did } = await newcomer(broken, "unlucky")
    const auth = bearer((await session(broken, did, "full")).accessJwt)
    const refused = await broken.ask("/manage/passkeys/link", { auth, input: {} })
    assert.strictEqual(outcomeOf(refused), "502 UpstreamFailure")
    await broken.close()
  })

  it("an invalid link opens nothing, and its page accepts no form from another site or device", async () => {
    const who = await somebody()
    const link = await linkOf(who)
    const [secret = ""] = link.split(".")
    const nobody = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
    for (const bad of [
      "",
      secret,
      `.${who.did}`,
      `${"x".repeat(22)}.${who.did}`,
      `${secret}.${nobody}`,
      `${secret}.did:x`
    ]) {
      assert.isTrue(await isOver(bad), bad)
    }
    const { browser, page } = await open(link)
    const other = await open(link)
    const key = keyOf()
    const credential = JSON.stringify(key.create(challengeOf(page), here))
    const form = page.form("/passkey/add")
    const filled = { credential, name: "Evil" }
    const refused = [
      await browser.post(form, { ...filled, csrf: undefined }),
      await browser.post(form, { ...filled, csrf: other.page.form("/passkey/add").fields["csrf"] }),
      await other.browser.post(form, filled),
      await browser.post(form, filled, { origin: "https://evil.example" }),
      await browser.post(form, filled, { "sec-fetch-site": "cross-site" })
    ]
    assert.deepStrictEqual(
      refused.map(({ status }) => status),
      [403, 403, 403, 403, 403]
    )
    assert.deepStrictEqual(await passkeysOf(who), [])
    // None of these attempts used it up.
    assert.include((await browser.submit(form, filled)).text, "Passkey added")
  })

  it("a link's pages can't be cached or framed, and run no script but ours", async () => {
    const { browser, page } = await open(await linkOf(await somebody()))
    const first = await browser.get("/passkey")
    for (const { headers, text } of [first, page]) {
      assert.strictEqual(headers.get("cache-control"), "no-store")
      assert.strictEqual(headers.get("referrer-policy"), "same-origin")
      assert.strictEqual(headers.get("access-control-allow-origin"), null)
      const policy = headers.get("content-security-policy") ?? ""
      for (const part of ["default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"]) {
        assert.include(policy, part)
      }
      assert.notInclude(policy, "unsafe")
      assert.notMatch(text, /<script src/)
    }
    for (const headers of [{ "sec-fetch-dest": "iframe" }, { "sec-fetch-mode": "cors" }]) {
      assert.strictEqual((await browser.get("/passkey", headers)).status, 403)
    }
  })
})

describe("an account's passkeys, for command lines", () => {
  const paths = ["", "/link", "/remove"] as const
  const call = (path: string, auth: string | undefined, account?: string) =>
    path === ""
      ? host.ask("/manage/passkeys", { auth, params: account === undefined ? {} : { account } })
      : host.ask(`/manage/passkeys${path}`, {
          auth,
          input: { passkey: "none", ...(account === undefined ? {} : { account }) }
        })

  it("the passkey endpoints accept a recent main-password session and the administrator", async () => {
    const who = await somebody()
    const app = await appPassword(host, who.did, "An app", true)
    const login = { identifier: who.handle, password: app }
    const { accessJwt } = ok(await host.call("com.atproto.server.createSession", { input: login }))
    const tokens = await session(host, who.did, "full")
    const old = bearer(tokens.accessJwt)
    host.advance(15 * minute + 1)
    const renewed = await host.call("com.atproto.server.refreshSession", {
      method: "POST",
      auth: bearer(tokens.refreshJwt)
    })
    const refused: ReadonlyArray<readonly [string | undefined, string]> = [
      [undefined, "401 AuthMissing"],
      ["Bearer nonsense", "400 InvalidToken"],
      [basic("wrong"), "401 AuthenticationRequired"],
      [bearer(accessJwt), "400 InvalidToken"],
      [old, "401 AuthenticationRequired"],
      [bearer(ok(renewed)["accessJwt"]), "401 AuthenticationRequired"],
      [bearer(tokens.refreshJwt), "400 InvalidToken"]
    ]
    for (const path of paths) {
      for (const [auth, outcome] of refused) {
        assert.strictEqual(outcomeOf(await call(path, auth, who.did)), outcome, `${path} ${auth}`)
      }
      const good = path === "/remove" ? "400 InvalidRequest" : "ok"
      assert.strictEqual(outcomeOf(await call(path, await freshly(who))), good)
      assert.strictEqual(outcomeOf(await call(path, basic(), who.handle)), good)
      assert.strictEqual(outcomeOf(await call(path, basic())), "400 InvalidRequest")
      assert.strictEqual(outcomeOf(await call(path, basic(), "nobody.test")), "400 InvalidRequest")
    }
  })

  it("the passkey endpoints never return or change another account's passkeys", async () => {
    const [mallory, victim] = [await somebody(), await somebody()]
    const auth = await freshly(mallory)
    for (const path of paths) {
      const { body } = await call(path, auth, victim.did)
      if (path !== "/remove") assert.strictEqual(body["did"], mallory.did)
    }
    const link = await linkOf(victim)
    await add(await open(link), keyOf())
    const [id] = await passkeysOf(victim)
    const input = { account: victim.did, passkey: id }
    const stolen = await host.ask("/manage/passkeys/remove", { auth, input })
    assert.strictEqual(outcomeOf(stolen), "400 InvalidRequest")
    assert.deepStrictEqual(await passkeysOf(victim), [id])
  })

  it("owner and administrator can list and remove passkeys, which then can't sign in", async () => {
    const who = await somebody()
    const keys = [keyOf(), keyOf()]
    for (const key of keys) await add(await open(await linkOf(who)), key)
    const listed = ok(await call("", await freshly(who)))
    assert.deepStrictEqual(
      listed["passkeys"].map(({ id, name }: Record<string, string>) => [id, name]),
      keys.map(({ id }) => [id, "Phone"])
    )
    assert.notInclude(JSON.stringify(listed), `"key"`)
    const byOwner = { auth: await freshly(who), input: { passkey: keys[0]!.id } }
    ok(await host.ask("/manage/passkeys/remove", byOwner))
    const byAdmin = { auth: basic(), input: { account: who.handle, passkey: keys[1]!.id } }
    ok(await host.ask("/manage/passkeys/remove", byAdmin))
    assert.deepStrictEqual(await passkeysOf(who), [])
    const owner = Effect.flatMap(PasskeyOwners, (owners) => owners.ownerOf(keys[0]!.id))
    assert.isUndefined(await host.beneath(owner))
  })

  it("the passkey endpoints accept only JSON, so no form on another site can use stored credentials", async () => {
    const { did } = await somebody()
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const answer = await host.ask("/manage/passkeys/link", {
        auth: basic(),
        body: JSON.stringify({ account: did }),
        headers: { "content-type": type }
      })
      assert.strictEqual(outcomeOf(answer), "400 InvalidRequest", type)
    }
    const answer = await host.ask("/manage/passkeys/link", { auth: basic(), input: { account: 5 } })
    assert.strictEqual(outcomeOf(answer), "400 InvalidRequest")
  })

  it("an inactive account gets no link", async () => {
    const who = await somebody()
    const auth = await freshly(who)
    ok(await host.call("com.atproto.server.deactivateAccount", { auth, input: {} }))
    assert.strictEqual(outcomeOf(await make(auth)), "401 AccountDeactivated")
    assert.strictEqual(outcomeOf(await make(basic(), who.did)), "401 AccountDeactivated")
    const gone = await somebody()
    const before = await freshly(gone)
    await takeDown(host, gone.did, "takendown")
    assert.strictEqual(outcomeOf(await make(before)), "401 AccountTakedown")
    assert.strictEqual(outcomeOf(await make(basic(), gone.did)), "401 AccountTakedown")
  })

  it("an account gets at most ten links an hour", async () => {
    const limited = await startHost({ RATE_LIMITS: "sensitive" })
    const { did } = await newcomer(limited, "busy")
    const outcomes: Array<string> = []
    for (let time = 0; time < 11; time++) {
      const answer = await limited.ask("/manage/passkeys/link", {
        auth: basic(),
        input: { account: did }
      })
      outcomes.push(outcomeOf(answer))
    }
    assert.deepStrictEqual(outcomes.slice(9), ["ok", "429 RateLimitExceeded"])
    await limited.close()
  })
})
