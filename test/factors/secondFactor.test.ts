import { AtpAgent, ComAtprotoServerCreateSession } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { CapturedMails } from "../../src/layers/mail/MailerCaptured.ts"
import type { Mail } from "../../src/services/mail/Mailer.ts"
import { type Host, origin, startHost } from "../support/http/httpHost.ts"
import {
  appPassword,
  ok,
  outcomeOf,
  type Person,
  signUp,
  takeDown
} from "../support/http/httpWorld.ts"
import { type App, ask, refusal, withAuthenticator } from "./factorWorld.ts"

describe("an account whose password is known to somebody", () => {
  it("the owner gets one mail a day after a dozen wrong codes, wherever they were tried", async () => {
    const host = await startHost({ MAILER: "captured" })
    const who = await signUp(host, "known")
    const { code } = await withAuthenticator(host, who.did)
    const all = Effect.flatMap(CapturedMails, (captured) => captured.all)
    // SAFETY: the host was started with captured mails.
    const captured = () => host.beneath(all as Effect.Effect<ReadonlyArray<Mail>>)
    const mails = async () => (await captured()).filter(({ purpose }) => purpose === "wrong_codes")
    const input = { identifier: who.handle, password: who.password, authFactorToken: "000000" }
    const byClient = () => host.call("com.atproto.server.createSession", { input })
    const { passwordVersion } = await ask(host, who.did, "owner")
    const byPage = () => refusal(host, who.did, "proveCode", { code: "000000", passwordVersion })
    for (let time = 0; time < 5; time++) {
      await byClient()
      await byPage()
    }
    await host.call("com.atproto.server.createSession", {
      input: { ...input, password: "a wrong password" }
    })
    await byClient()
    assert.lengthOf(await mails(), 0)
    assert.strictEqual((await byClient()).status, 429)
    for (let time = 0; time < 3; time++) await byPage()
    host.advance(16 * 60_000)
    for (let time = 0; time < 5; time++) await byClient()
    const [mail, ...more] = await mails()
    assert.lengthOf(more, 0)
    assert.strictEqual(mail?.to, who.email)
    assert.include(mail?.text, `${origin}/account/password`)
    ok(
      await host.call("com.atproto.server.createSession", {
        input: { ...input, authFactorToken: code() }
      })
    )
    await host.close()
  })
})

describe("createSession with a second factor", () => {
  let host: Host
  let anna: Person
  let app: App
  beforeAll(async () => {
    host = await startHost()
    anna = await signUp(host, "annaa")
    app = await withAuthenticator(host, anna.did)
  })
  afterAll(() => host.close())

  const signIn = (more: object, { handle: identifier, password }: Person = anna) =>
    host.call("com.atproto.server.createSession", { input: { identifier, password, ...more } })

  it("createSession asks for a code after the right password, with the error name that clients know", async () => {
    for (const authFactorToken of [undefined, "", "  "]) {
      const answer = await signIn({ authFactorToken })
      assert.strictEqual(outcomeOf(answer), "401 AuthFactorTokenRequired")
      assert.notInclude(answer.text, "Jwt")
    }
  })

  it("createSession reports a wrong password as usual, with or without a code", async () => {
    const plain = await signIn({ password: "wrong" })
    assert.strictEqual(outcomeOf(plain), "401 AuthenticationRequired")
    const withCode = await signIn({ password: "wrong", authFactorToken: app.recoveryCodes[9] })
    assert.strictEqual(withCode.text, plain.text)
    const { recoveryCodesLeft } = await ask(host, anna.did, "security")
    assert.strictEqual(recoveryCodesLeft, 10)
  })

  it("createSession opens a session with the password and a code, and uses the code up", async () => {
    const authFactorToken = app.code()
    const session = ok(await signIn({ authFactorToken }))
    assert.strictEqual(session["did"], anna.did)
    const again = await signIn({ authFactorToken })
    assert.strictEqual(outcomeOf(again), "401 AuthenticationRequired")
    assert.include(again.body["message"], "Token is invalid")
  })

  it("one of five concurrent sign-ins with the same code succeeds", async () => {
    const authFactorToken = app.code()
    const answers = await Promise.all(Array.from({ length: 5 }, () => signIn({ authFactorToken })))
    assert.strictEqual(answers.filter(({ status }) => status === 200).length, 1)
    host.advance(16 * 60_000)
  })

  it("createSession accepts a recovery code once", async () => {
    const authFactorToken = app.recoveryCodes[0]
    ok(await signIn({ authFactorToken }))
    assert.strictEqual(outcomeOf(await signIn({ authFactorToken })), "401 AuthenticationRequired")
  })

  it("createSession needs no code with an app password", async () => {
    const password = await appPassword(host, anna.did, "phone")
    ok(await signIn({ password }))
    ok(await signIn({ password, authFactorToken: "000000" }))
  })

  it("createSession rejects every code for a while after ten wrong ones, but app passwords still work", async () => {
    host.advance(16 * 60_000)
    const wrong = await Promise.all(
      Array.from({ length: 10 }, () => signIn({ authFactorToken: "00000-00000" }))
    )
    for (const answer of wrong) {
      assert.strictEqual(outcomeOf(answer), "401 AuthenticationRequired")
    }
    const refused = await signIn({ authFactorToken: app.code() })
    assert.strictEqual(outcomeOf(refused), "429 RateLimitExceeded")
    const wait = Number(refused.headers.get("retry-after"))
    assert.isAbove(wait, 13 * 60)
    assert.isAtMost(wait, 14 * 60)
    ok(await signIn({ password: await appPassword(host, anna.did, "tablet") }))
    host.advance(wait * 1000)
    ok(await signIn({ authFactorToken: app.code() }))
  })

  it("createSession also asks the owner of a taken-down account for a code", async () => {
    const emil = await signUp(host, "emill")
    const theirs = await withAuthenticator(host, emil.did)
    await takeDown(host, emil.did, "takendown")
    assert.strictEqual(outcomeOf(await signIn({}, emil)), "401 AccountTakedown")
    const asked = await signIn({ allowTakendown: true }, emil)
    assert.strictEqual(outcomeOf(asked), "401 AuthFactorTokenRequired")
    const leaving = { allowTakendown: true, authFactorToken: theirs.code() }
    assert.strictEqual(ok(await signIn(leaving, emil))["status"], "takendown")
  })

  it("createSession needs no code with a pending or removed authenticator", async () => {
    const olga = await signUp(host, "olgaa")
    await ask(host, olga.did, "beginAuthenticator")
    ok(await signIn({}, olga))
    await withAuthenticator(host, olga.did)
    assert.strictEqual(outcomeOf(await signIn({}, olga)), "401 AuthFactorTokenRequired")
    await ask(host, olga.did, "disableAuthenticator")
    ok(await signIn({}, olga))
  })

  it("the official client recognizes the error and asks its user for a code", async () => {
    host.advance(16 * 60_000)
    const fetch = (input: RequestInfo | URL, init?: RequestInit) =>
      host.handler(new Request(input, init))
    const agent = new AtpAgent({ service: origin, fetch })
    const login = { identifier: anna.handle, password: anna.password }
    const error = await agent.login(login).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert.instanceOf(error, ComAtprotoServerCreateSession.AuthFactorTokenRequiredError)
    await agent.login({ ...login, authFactorToken: app.code() })
    assert.strictEqual(agent.session?.did, anna.did)
  })
})
