import { AtpAgent, ComAtprotoServerCreateSession } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HostServices } from "../../src/http/host.ts"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import { ask, browserOf, enter, ours, withPasskey } from "../support/http/accountPages.ts"
import { signIn as signInToApp } from "../support/http/authorizePages.ts"
import { Browser, type Shown } from "../support/http/httpBrowser.ts"
import { codeFor, newcomer, type Newcomer } from "../support/http/httpCodes.ts"
import { basic, type Host, origin, startHost } from "../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf } from "../support/http/httpWorld.ts"
import { type App, publicApp } from "../support/http/oauthApp.ts"
import { withAuthenticator } from "./factorWorld.ts"

let host: Host
let app: App
let count = 0

beforeAll(async () => {
  host = await startHost({ MAILER: "captured" })
  app = await publicApp(host)
})
afterAll(() => host.close())

interface Waiting {
  readonly purpose: string
  readonly code: string
}

/** The codes mailed to somebody for a purpose, oldest first. */
const codesTo = async ({ email }: Newcomer, purpose: string): Promise<ReadonlyArray<string>> => {
  const all = Effect.flatMap(CapturedMails, (captured) => captured.all)
  // SAFETY: the host was started with captured mails.
  const mails = await host.beneath(
    all as unknown as Effect.Effect<ReadonlyArray<Mail>, never, HostServices>
  )
  return mails
    .filter((mail) => mail.to === email && mail.purpose === purpose)
    .map(({ text }) => /\b[A-Z2-7]{5}-[A-Z2-7]{5}\b/.exec(text)![0])
}

const newest = async (who: Newcomer, purpose = "auth_factor"): Promise<string> =>
  (await codesTo(who, purpose)).at(-1)!

const server = (name: string, { auth }: Pick<Newcomer, "auth">, input?: object) =>
  host.call(`com.atproto.server.${name}`, {
    auth,
    ...(input === undefined ? { method: "POST" } : { input })
  })

const signIn = ({ handle: identifier, password }: Newcomer, more: object = {}) =>
  host.call("com.atproto.server.createSession", { input: { identifier, password, ...more } })

const sessionOf = async ({ auth }: Newcomer) =>
  ok(await host.call("com.atproto.server.getSession", { auth }))

const confirmed = async (): Promise<Newcomer> => {
  const who = await newcomer(host, `mailed${(count += 1)}`)
  const token = await codeFor(host, who.did, "confirm_email")
  ok(await server("confirmEmail", who, { email: who.email, token }))
  return who
}

/** Somebody with codes by email. */
const guarded = async (): Promise<Newcomer> => {
  const who = await confirmed()
  ok(await server("updateEmail", who, { email: who.email, emailAuthFactor: true }))
  return who
}

describe("updateEmail with emailAuthFactor", () => {
  it("the official client turns codes by email on, signs in with one, and turns them off with a mailed code", async () => {
    const { email, handle: identifier, password, ...who } = await confirmed()
    const fetch = (input: RequestInfo | URL, init?: RequestInit) =>
      host.handler(new Request(input, init))
    const agent = new AtpAgent({ service: origin, fetch })
    await agent.login({ identifier, password })
    assert.isFalse(agent.session?.emailAuthFactor)
    const methods = agent.com.atproto.server
    await methods.updateEmail({ email, emailAuthFactor: true })
    await agent.resumeSession(agent.session!)
    assert.isTrue(agent.session?.emailAuthFactor)
    assert.isTrue((await methods.getSession()).data.emailAuthFactor)

    const other = new AtpAgent({ service: origin, fetch })
    const error = await other.login({ identifier, password }).catch((cause: unknown) => cause)
    assert.instanceOf(error, ComAtprotoServerCreateSession.AuthFactorTokenRequiredError)
    const person = { email, handle: identifier, password, ...who }
    const authFactorToken = await newest(person)
    await other.login({ identifier, password, authFactorToken: authFactorToken.toLowerCase() })
    assert.isTrue(other.session?.emailAuthFactor)

    assert.isTrue((await methods.requestEmailUpdate()).data.tokenRequired)
    const token = await newest(person, "update_email")
    await methods.updateEmail({ email, emailAuthFactor: false, token })
    assert.isFalse((await methods.getSession()).data.emailAuthFactor)
    await other.login({ identifier, password })
  })

  it("the Bluesky app confirms the address, turns them on, and drops them with a change of the address", async () => {
    const {
      email,
      handle: identifier,
      password,
      ...who
    } = await newcomer(host, `mailed${(count += 1)}`)
    const person = { email, handle: identifier, password, ...who }
    const agent = new AtpAgent({
      service: origin,
      fetch: (input: RequestInfo | URL, init?: RequestInit) =>
        host.handler(new Request(input, init))
    })
    await agent.login({ identifier, password })
    const methods = agent.com.atproto.server
    // The order of its dialogs' calls, each followed by a refresh that reads the flags.
    const flags = async () => {
      await agent.sessionManager.refreshSession()
      const { data } = await methods.getSession()
      const { emailConfirmed, emailAuthFactor } = agent.session!
      assert.strictEqual(data.emailConfirmed, emailConfirmed)
      assert.strictEqual(data.emailAuthFactor, emailAuthFactor)
      return [data.email, emailConfirmed, emailAuthFactor]
    }
    await methods.requestEmailConfirmation()
    await methods.confirmEmail({ email, token: await newest(person, "confirm_email") })
    assert.deepStrictEqual(await flags(), [email, true, false])
    await methods.updateEmail({ email, emailAuthFactor: true })
    assert.deepStrictEqual(await flags(), [email, true, true])
    assert.isTrue((await methods.requestEmailUpdate()).data.tokenRequired)
    const other = `new-${email}`
    await methods.updateEmail({ email: other, token: await newest(person, "update_email") })
    assert.deepStrictEqual(await flags(), [other, false, false])
    assert.isFalse((await methods.requestEmailUpdate()).data.tokenRequired)
    await methods.requestEmailConfirmation()
    const token = await newest({ ...person, email: other }, "confirm_email")
    await methods.confirmEmail({ email: other, token })
    assert.deepStrictEqual(await flags(), [other, true, false])
  })

  it("turning them on needs the account's own confirmed address", async () => {
    const who = await newcomer(host, `mailed${(count += 1)}`)
    const unconfirmed = await server("updateEmail", who, {
      email: who.email,
      emailAuthFactor: true
    })
    assert.strictEqual(outcomeOf(unconfirmed), "400 InvalidRequest")
    assert.include(unconfirmed.body["message"], "Confirm")
    const another = { email: `x${who.email}`, emailAuthFactor: true }
    assert.strictEqual(outcomeOf(await server("updateEmail", who, another)), "400 InvalidRequest")
    assert.deepInclude(await sessionOf(who), { email: who.email, emailAuthFactor: false })
    ok(await signIn(who))
  })

  it("turning them on again or off twice changes nothing, and needs no code", async () => {
    const who = await confirmed()
    const put = (emailAuthFactor: boolean) =>
      server("updateEmail", who, { email: who.email.toUpperCase(), emailAuthFactor })
    ok(await put(false))
    ok(await put(true))
    ok(await put(true))
    assert.deepInclude(await sessionOf(who), { emailAuthFactor: true, emailConfirmed: true })
    assert.deepStrictEqual(await codesTo(who, "update_email"), [])
  })

  it("turning email codes off without a code mails one and changes nothing, and a wrong one is rejected", async () => {
    const who = await guarded()
    const off = (token?: string) =>
      server("updateEmail", who, { email: who.email, emailAuthFactor: false, token })
    assert.strictEqual(outcomeOf(await off()), "400 TokenRequired")
    assert.strictEqual(outcomeOf(await off("AAAAA-AAAAA")), "400 InvalidToken")
    assert.isTrue((await sessionOf(who))["emailAuthFactor"])
    const token = await newest(who, "update_email")
    ok(await off(token))
    assert.isFalse((await sessionOf(who))["emailAuthFactor"])
    ok(await server("updateEmail", who, { email: who.email, emailAuthFactor: true }))
    assert.strictEqual(outcomeOf(await off(token)), "400 InvalidToken")
  })

  it("a change of address, by the owner or the administrator, turns email codes off and ends those that were sent", async () => {
    for (const by of ["owner", "administrator"]) {
      const who = await guarded()
      await signIn(who)
      const authFactorToken = await newest(who)
      const email = `new-${who.email}`
      const token = await codeFor(host, who.did, "update_email")
      const changed =
        by === "owner"
          ? await server("updateEmail", who, { email, token })
          : await host.call("com.atproto.admin.updateAccountEmail", {
              auth: basic(),
              input: { account: who.did, email }
            })
      ok(changed)
      assert.deepInclude(await sessionOf(who), { email, emailAuthFactor: false }, by)
      ok(
        await server("confirmEmail", who, {
          email,
          token: await codeFor(host, who.did, "confirm_email")
        })
      )
      ok(await server("updateEmail", who, { email, emailAuthFactor: true }))
      assert.strictEqual(
        outcomeOf(await signIn(who, { authFactorToken })),
        "401 AuthenticationRequired"
      )
    }
  })

  it("a server without mail refuses them with the reason", async () => {
    const silent = await startHost()
    const who = await newcomer(silent, "silent")
    const token = await codeFor(silent, who.did, "confirm_email")
    const call = (name: string, input: object) =>
      silent.call(`com.atproto.server.${name}`, { auth: who.auth, input })
    ok(await call("confirmEmail", { email: who.email, token }))
    const refused = await call("updateEmail", { email: who.email, emailAuthFactor: true })
    assert.strictEqual(outcomeOf(refused), "400 InvalidRequest")
    assert.include(refused.body["message"], "sends no email")
    const browser = await browserOf(silent, who)
    assert.notInclude((await browser.get("/account/security", ours)).text, "Codes by email")
    assert.include((await browser.get("/account/email-factor", ours)).text, "doesn’t send email")
    await silent.close()
  })
})

describe("createSession with codes by email", () => {
  it("the right password mails a code, a wrong one mails none", async () => {
    const who = await guarded()
    assert.strictEqual(
      outcomeOf(await signIn(who, { password: "wrong" })),
      "401 AuthenticationRequired"
    )
    assert.deepStrictEqual(await codesTo(who, "auth_factor"), [])
    for (const authFactorToken of [undefined, "", " "]) {
      const asked = await signIn(who, { authFactorToken })
      assert.strictEqual(outcomeOf(asked), "401 AuthFactorTokenRequired")
      assert.notInclude(asked.text, "Jwt")
    }
    assert.lengthOf(await codesTo(who, "auth_factor"), 3)
  })

  it("only the newest code works, once, for a quarter of an hour", async () => {
    const who = await guarded()
    await signIn(who)
    const old = await newest(who)
    await signIn(who)
    const code = await newest(who)
    const withCode = (authFactorToken: string) => signIn(who, { authFactorToken })
    assert.strictEqual(outcomeOf(await withCode(old)), "401 AuthenticationRequired")
    ok(await withCode(code))
    const again = await withCode(code)
    assert.strictEqual(outcomeOf(again), "401 AuthenticationRequired")
    assert.include(again.body["message"], "Token is invalid")
    await signIn(who)
    host.advance(15 * 60_000)
    assert.strictEqual(outcomeOf(await withCode(await newest(who))), "401 AuthenticationRequired")
  })

  it("one of five concurrent sign-ins with a code succeeds", async () => {
    const who = await guarded()
    await signIn(who)
    const authFactorToken = await newest(who)
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => signIn(who, { authFactorToken }))
    )
    assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1)
  })

  it("ten wrong attempts end a code", async () => {
    const who = await guarded()
    await signIn(who)
    for (let time = 0; time < 10; time++) await signIn(who, { authFactorToken: "AAAAA-AAAAA" })
    const right = await signIn(who, { authFactorToken: await newest(who) })
    assert.strictEqual(outcomeOf(right), "401 AuthenticationRequired")
  })

  it("mails are limited to ten an hour, and the newest code still works", async () => {
    const limited = await startHost({ MAILER: "captured", RATE_LIMITS: "on" })
    const who = await newcomer(limited, "limited")
    await limited.inside(
      who.did,
      Effect.flatMap(AccountStore, (accounts) =>
        accounts.update({ emailFactorAt: "2026-01-01T00:00:00.000Z" })
      )
    )
    const input = { identifier: who.handle, password: who.password }
    const attempt = (at: number) =>
      limited.call("com.atproto.server.createSession", {
        input,
        headers: { "cf-connecting-ip": `192.0.2.${at}` }
      })
    for (let at = 0; at < 10; at++) {
      assert.strictEqual(outcomeOf(await attempt(at)), "401 AuthFactorTokenRequired")
    }
    const refused = await attempt(11)
    assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
    assert.isAbove(Number(refused.headers.get("retry-after")), 0)
    await limited.close()
  })

  it("an app password needs no code, and a code of another purpose is none", async () => {
    const who = await guarded()
    ok(await signIn(who, { password: await appPassword(host, who.did, "phone") }))
    await signIn(who)
    const authFactorToken = await codeFor(host, who.did, "reset_password")
    assert.strictEqual(
      outcomeOf(await signIn(who, { authFactorToken })),
      "401 AuthenticationRequired"
    )
  })

  it("an authenticator comes first: no code is mailed, and a mailed one is rejected", async () => {
    const who = await guarded()
    await signIn(who)
    const mailed = await newest(who)
    const { code } = await withAuthenticator(host, who.did)
    const asked = await signIn(who)
    assert.strictEqual(outcomeOf(asked), "401 AuthFactorTokenRequired")
    assert.include(asked.body["message"], "authenticator")
    assert.lengthOf(await codesTo(who, "auth_factor"), 1)
    const wrong = await signIn(who, { authFactorToken: mailed })
    assert.strictEqual(outcomeOf(wrong), "401 AuthenticationRequired")
    ok(await signIn(who, { authFactorToken: code() }))
    await ask(host, who.did, "disableAuthenticator")
    assert.include((await signIn(who)).body["message"], "email address")
  })

  it("a session can't read a code for another sign-in where mail was turned off later", async () => {
    const silent = await startHost()
    const who = await newcomer(silent, "later")
    await silent.inside(
      who.did,
      Effect.flatMap(AccountStore, (accounts) =>
        accounts.update({ emailFactorAt: "2026-01-01T00:00:00.000Z" })
      )
    )
    const input = { identifier: who.handle, password: who.password }
    const asked = await silent.call("com.atproto.server.createSession", { input })
    assert.strictEqual(outcomeOf(asked), "401 AuthFactorTokenRequired")
    const codes = async (path: string, authorization: string) => {
      const url = `${origin}${path}?account=${who.did}`
      const answer = await silent.handler(new Request(url, { headers: { authorization } }))
      // SAFETY: the answer of our own route.
      const { codes } = (await answer.json()) as { readonly codes: ReadonlyArray<Waiting> }
      return codes
    }
    assert.deepStrictEqual(await codes("/manage/codes", who.auth), [])
    const [waiting] = await codes("/admin/codes", basic())
    assert.strictEqual(waiting?.purpose, "auth_factor")
    ok(
      await silent.call("com.atproto.server.createSession", {
        input: { ...input, authFactorToken: waiting?.code }
      })
    )
    await silent.close()
  })
})

describe("pages with codes by email", () => {
  const isIn = ({ text }: Shown, who: Newcomer) => text.includes(who.email)

  it("the account's pages turn them on, and off with a code", async () => {
    const who = await confirmed()
    const browser = await browserOf(host, who)
    const page = await browser.get("/account/email-factor", ours)
    const on = await browser.submit(page.form("/email-factor/on"))
    assert.include(on.text, "Codes by email are on")
    assert.isTrue((await sessionOf(who))["emailAuthFactor"])
    const manage = await browser.get("/account/email-factor", ours)
    const sent = await browser.submit(manage.form("/email-factor/send-code"))
    const wrong = await browser.submit(sent.form("/email-factor/off"), { code: "AAAAA-AAAAA" })
    assert.strictEqual(wrong.status, 400)
    const code = await newest(who, "update_email")
    const off = await browser.submit(wrong.form("/email-factor/off"), { code })
    assert.include(off.text, "Codes by email are off")
    assert.isFalse((await sessionOf(who))["emailAuthFactor"])
  })

  it("an unconfirmed address is sent to its confirmation", async () => {
    const who = await newcomer(host, `mailed${(count += 1)}`)
    const browser = await browserOf(host, who)
    const page = await browser.get("/account/email-factor", ours)
    assert.isFalse(page.has("/email-factor/on"))
    assert.include(page.text, 'href="/account/email"')
  })

  it("the sign-in page asks for the mailed code, and mails another on request", async () => {
    const who = await guarded()
    const browser = new Browser(host)
    const step = await enter(browser, who)
    assert.include(step.text, "emailed you")
    const first = await newest(who)
    const another = await browser.submit(step.form("/sign-in/code"), { another: "on", code: "" })
    assert.include(another.text, "another code")
    const old = await browser.submit(another.form("/sign-in/code"), {
      another: undefined,
      code: first
    })
    assert.strictEqual(old.status, 400)
    assert.isFalse(isIn(old, who))
    const code = await newest(who)
    const inside = await browser.submit(old.form("/sign-in/code"), { another: undefined, code })
    assert.isTrue(isIn(inside, who))
  })

  it("an app's sign-in asks for the mailed code before its consent", async () => {
    const who = await guarded()
    const browser = new Browser(host)
    const step = await signInToApp(browser, app, who)
    assert.isFalse(step.has("/accept"))
    const inside = await browser.submit(step.form("/code"), {
      another: undefined,
      code: await newest(who)
    })
    assert.isTrue(inside.has("/accept"))
  })

  it("confirming a change after a while requires another code, and with a passkey none", async () => {
    const who = await guarded()
    await withPasskey(host, who.did)
    const browser = new Browser(host)
    const step = await enter(browser, who)
    await browser.submit(step.form("/sign-in/code"), {
      another: undefined,
      code: await newest(who)
    })
    host.advance(16 * 60_000)
    const confirm = await browser.get("/account/confirm?to=password", ours)
    const asked = await browser.submit(confirm.form("/confirm"), { password: who.password })
    const code = await newest(who)
    const inside = await browser.submit(asked.form("/confirm/code"), { another: undefined, code })
    assert.include(inside.text, "Change your password")
    assert.isTrue(asked.has("/confirm/passkey"))
  })
})
