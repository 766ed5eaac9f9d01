import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { decoyDid } from "../../src/http/sessions/signInGate.ts"
import { bearer, type Host, startHost } from "../support/http/httpHost.ts"
import {
  appPassword,
  ok,
  outcomeOf,
  type Person,
  session,
  signUp,
  takeDown
} from "../support/http/httpWorld.ts"
import { newAuthenticator, site } from "./authenticator.ts"
import { ask, refusal, withAuthenticator } from "./factorWorld.ts"

const challenge = Buffer.alloc(32, 9).toString("base64url")
const ceremony = { challenge, ...site }

describe("the security calls of the account pages", () => {
  let host: Host
  let count = 0
  beforeAll(async () => {
    host = await startHost()
  })
  afterAll(() => host.close())

  const somebody = (): Promise<Person> => signUp(host, `person${(count += 1)}`)

  it("provePassword verifies the main password and returns the account", async () => {
    const { did, handle, email, password } = await somebody()
    const view = {
      did,
      handle,
      email,
      emailConfirmed: false,
      hasPassword: true,
      secondFactor: false,
      passkeys: 0
    }
    const { passwordVersion, ...shown } = await ask(host, did, "owner")
    assert.deepStrictEqual(shown, view)
    const again = await ask(host, did, "provePassword", { password })
    assert.deepStrictEqual(again, { ...view, passwordVersion })
    await withAuthenticator(host, did)
    const proven = await ask(host, did, "provePassword", { password })
    assert.isTrue(proven.secondFactor)
  })

  it("provePassword rejects a wrong password, an app password and a missing account alike", async () => {
    const { did } = await somebody()
    const app = await appPassword(host, did, "phone", true)
    const wrong = await refusal(host, did, "provePassword", { password: "wrong" })
    assert.strictEqual(`${wrong.status} ${wrong.error}`, "401 AuthenticationRequired")
    assert.include(wrong.message, "app passwords do not open this page")
    assert.deepStrictEqual(await refusal(host, did, "provePassword", { password: app }), wrong)
    const nobody = await refusal(host, decoyDid("nobody"), "provePassword", { password: app })
    assert.deepStrictEqual(nobody, wrong)
  })

  it("a taken-down account is rejected, but only after valid credentials", async () => {
    const { did, password } = await somebody()
    const passkey = newAuthenticator()
    const response = passkey.create(challenge)
    await ask(host, did, "addPasskey", { ...ceremony, name: "", response })
    const app = await withAuthenticator(host, did)
    const { passwordVersion } = await ask(host, did, "owner")
    await takeDown(host, did, "suspended")
    const wrong = await refusal(host, did, "provePassword", { password: "wrong" })
    assert.strictEqual(wrong.error, "AuthenticationRequired")
    const refused = [
      await refusal(host, did, "provePassword", { password }),
      await refusal(host, did, "proveCode", { code: app.code(), passwordVersion }),
      await refusal(host, did, "provePasskey", { ...ceremony, response: passkey.get(challenge) }),
      await refusal(host, did, "reactivate")
    ]
    assert.deepStrictEqual(
      refused.map(({ error }) => error),
      Array(4).fill("AccountTakedown")
    )
  })

  it("proveCode accepts a code once and counts wrong ones", async () => {
    const { did } = await somebody()
    const app = await withAuthenticator(host, did)
    const code = app.code()
    const { passwordVersion } = await ask(host, did, "owner")
    const [prove, fail] = [
      (typed: string) => ask(host, did, "proveCode", { code: typed, passwordVersion }),
      (typed: string) => refusal(host, did, "proveCode", { code: typed, passwordVersion })
    ]
    assert.isTrue((await prove(code)).secondFactor)
    const used = await fail(code)
    assert.strictEqual(`${used.status} ${used.error}`, "401 AuthenticationRequired")
    await prove(app.recoveryCodes[0]!)
    const codes = Array.from({ length: 12 }, () => fail("1"))
    const errors = (await Promise.all(codes)).map(({ error }) => error)
    assert.strictEqual(errors.filter((error) => error === "RateLimitExceeded").length, 3)
    const late = await fail(app.code())
    assert.strictEqual(late.error, "RateLimitExceeded")
    assert.isAbove(Number(late.headers?.["retry-after"]), 60)
  })

  it("proveCode rejects a code if the password has changed since, and doesn't use it up", async () => {
    const { did, password } = await somebody()
    const app = await withAuthenticator(host, did)
    const { passwordVersion } = await ask(host, did, "provePassword", { password })
    await ask(host, did, "changePassword", { password: "another password" })
    const code = app.code()
    const late = await refusal(host, did, "proveCode", { code, passwordVersion })
    assert.strictEqual(late.error, "ExpiredToken")
    const proven = await ask(host, did, "provePassword", { password: "another password" })
    await ask(host, did, "proveCode", { code, passwordVersion: proven.passwordVersion })
  })

  it("the last passkey of an account without a password stays, even with concurrent removals", async () => {
    const { did } = await somebody()
    const keys = ["one", "two", "three"].map((seed) => newAuthenticator("ES256", seed))
    for (const key of keys) {
      const response = key.create(challenge)
      await ask(host, did, "addPasskey", { ...ceremony, name: "", response })
    }
    await host.inside(
      did,
      Effect.flatMap(AccountStore, (accounts) => accounts.update({ password: undefined }))
    )
    const removals = await Promise.allSettled(
      keys.map(({ id }) => ask(host, did, "removePasskey", { id }))
    )
    assert.strictEqual(removals.filter(({ status }) => status === "rejected").length, 1)
    const { passkeyList } = await ask(host, did, "security")
    assert.strictEqual(passkeyList.length, 1)
    await refusal(host, did, "removePasskey", { id: passkeyList[0]!.id })
  })

  it("provePasskey verifies a passkey and doesn't reveal why one is rejected", async () => {
    const { did } = await somebody()
    const passkey = newAuthenticator()
    const response = passkey.create(challenge)
    const added = await ask(host, did, "addPasskey", { ...ceremony, name: "Phone", response })
    assert.deepStrictEqual([added.id, added.name], [passkey.id, "Phone"])
    const view = await ask(host, did, "provePasskey", {
      ...ceremony,
      response: passkey.get(challenge)
    })
    assert.strictEqual(view.passkeys, 1)
    const texts = new Set<string>()
    const other = newAuthenticator("ES256", "other")
    for (const wrong of [
      passkey.get(challenge, { origin: "https://evil.example" }),
      passkey.get("another"),
      other.get(challenge),
      {}
    ]) {
      const refused = await refusal(host, did, "provePasskey", { ...ceremony, response: wrong })
      texts.add(`${refused.status} ${refused.error} ${refused.message}`)
    }
    assert.deepStrictEqual(
      [...texts],
      ["401 AuthenticationRequired The passkey could not be verified"]
    )
    await ask(host, did, "renamePasskey", { id: passkey.id, name: "Old phone" })
    const { passkeyList } = await ask(host, did, "security")
    assert.deepStrictEqual(
      passkeyList.map(({ name }) => name),
      ["Old phone"]
    )
    await ask(host, did, "removePasskey", { id: passkey.id })
    assert.strictEqual((await ask(host, did, "owner")).passkeys, 0)
  })

  it("security lists everything that opens the account, and no secret", async () => {
    const { did } = await somebody()
    const app = await withAuthenticator(host, did)
    const made = await ask(host, did, "createAppPassword", { name: "phone", privileged: true })
    const identifier = did
    const input = { identifier, password: made.password }
    ok(await host.call("com.atproto.server.createSession", { input }))
    const view = await ask(host, did, "security")
    assert.isNumber(view.authenticatorSince)
    assert.strictEqual(view.recoveryCodesLeft, 10)
    assert.deepStrictEqual(
      view.appPasswords.map(({ name, privileged }) => [name, privileged]),
      [["phone", true]]
    )
    assert.deepStrictEqual(
      view.sessions.map((one) => one.appPassword),
      [undefined, "phone"]
    )
    assert.deepStrictEqual(view.apps, [])
    const shown = JSON.stringify(view)
    for (const secret of [made.password, ...app.recoveryCodes]) assert.notInclude(shown, secret)
    await ask(host, did, "endSession", { session: view.sessions[0]!.id })
    await ask(host, did, "revokeAppPassword", { name: "phone" })
    const left = await ask(host, did, "security")
    assert.deepStrictEqual([left.sessions, left.appPasswords], [[], []])
  })

  it("changePassword accepts a valid password and ends every session, even the apps'", async () => {
    const { did, handle: identifier, password: old, auth } = await somebody()
    const apps = await session(host, did, "standard")
    for (const unfit of ["short", "x".repeat(257)]) {
      const refused = await refusal(host, did, "changePassword", { password: unfit })
      assert.strictEqual(refused.error, "InvalidPassword")
    }
    const { accessToken } = await ask(host, did, "openOAuth", {
      id: "an-app",
      clientId: "https://app.example.com/client.json",
      clientAuth: { method: "none" },
      jkt: "a thumbprint",
      scope: "atproto",
      granted: "atproto",
      device: "a device",
      refreshable: true,
      agreedAt: Date.now()
    })
    assert.isString(accessToken)
    assert.strictEqual((await ask(host, did, "security")).apps.length, 1)
    const getSession = (token: string) =>
      host.call("com.atproto.server.getSession", { auth: token })
    assert.strictEqual((await getSession(auth)).status, 200)
    await ask(host, did, "changePassword", { password: "another good one" })
    for (const token of [auth, bearer(apps.accessJwt)]) {
      assert.strictEqual((await getSession(token)).status, 400)
    }
    assert.deepStrictEqual((await ask(host, did, "security")).apps, [])
    const signIn = (password: string) =>
      host.call("com.atproto.server.createSession", { input: { identifier, password } })
    assert.strictEqual(outcomeOf(await signIn(old)), "401 AuthenticationRequired")
    ok(await signIn("another good one"))
  })

  it("confirming an authenticator needs its first code, and recovery codes can be renewed while it is on", async () => {
    const { did } = await somebody()
    const early = await refusal(host, did, "confirmAuthenticator", { code: "000000" })
    assert.strictEqual(`${early.status} ${early.error}`, "400 InvalidRequest")
    assert.strictEqual((await refusal(host, did, "renewRecoveryCodes")).status, 400)
    const app = await withAuthenticator(host, did)
    const { recoveryCodes } = await ask(host, did, "renewRecoveryCodes")
    assert.strictEqual(new Set([...recoveryCodes, ...app.recoveryCodes]).size, 20)
    await ask(host, did, "disableAuthenticator")
    const view = await ask(host, did, "security")
    assert.isFalse(view.secondFactor)
    assert.isUndefined(view.authenticatorSince)
  })

  it("reactivate ends a deactivation and emits an event", async () => {
    const { did, auth } = await somebody()
    ok(await host.call("com.atproto.server.deactivateAccount", { auth, input: {} }))
    assert.strictEqual((await ask(host, did, "owner")).status, "deactivated")
    await ask(host, did, "reactivate")
    assert.isUndefined((await ask(host, did, "owner")).status)
    const params = { did }
    const status = ok(await host.call("com.atproto.sync.getRepoStatus", { params }))
    assert.strictEqual(status["active"], true)
  })

  it("an object without an account rejects every call and writes nothing", async () => {
    const did = "did:web:nobody.test"
    const refused = [
      await refusal(host, did, "owner"),
      await refusal(host, did, "security"),
      await refusal(host, did, "proveCode", { code: "000000", passwordVersion: "" }),
      await refusal(host, did, "provePasskey", { ...ceremony, response: {} }),
      await refusal(host, did, "changePassword", { password: "a good password" }),
      await refusal(host, did, "beginAuthenticator"),
      await refusal(host, did, "addPasskey", { ...ceremony, name: "", response: {} }),
      await refusal(host, did, "renamePasskey", { id: "a", name: "b" }),
      await refusal(host, did, "removePasskey", { id: "a" }),
      await refusal(host, did, "renewRecoveryCodes"),
      await refusal(host, did, "disableAuthenticator"),
      await refusal(host, did, "createAppPassword", { name: "a", privileged: false }),
      await refusal(host, did, "revokeAppPassword", { name: "a" }),
      await refusal(host, did, "endSession", { session: "a" }),
      await refusal(host, did, "reactivate")
    ]
    assert.deepStrictEqual(new Set(refused.map(({ error }) => error)), new Set(["RepoNotFound"]))
  })
})
