import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Devices } from "../../src/services/oauth/Devices.ts"
import { OAuthSessions } from "../../src/services/oauth/OAuthSessions.ts"
import { bearer } from "../support/http/httpHost.ts"
import { letIn } from "../support/http/httpApps.ts"
import { codeFor, newcomer, type Newcomer, waitingCodes } from "../support/http/httpCodes.ts"
import { ok, outcomeOf, startWorld, type World } from "../support/http/httpWorld.ts"

const minute = 60_000

describe("a forgotten password", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const server = (name: string, input: object) =>
    world.call(`com.atproto.server.${name}`, { input })
  const reset = (token: string, password = "a new password") =>
    server("resetPassword", { token, password })
  const signIn = ({ handle: identifier }: Newcomer, password: string) =>
    server("createSession", { identifier, password })
  const someone = () => newcomer(world, `reset${world.next()}`)

  /** The pending code, after the work that follows the response. */
  const requested = async ({ did, email }: Newcomer): Promise<string> => {
    ok(await server("requestPasswordReset", { email }))
    for (;;) {
      const { reset_password: code } = await waitingCodes(world, did)
      if (code !== undefined) return code
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  it("a mailed code sets a new password and ends every session, app and signed-in browser", async () => {
    const who = await someone()
    await letIn(world, who.did, "atproto")
    const devices = Effect.flatMap(Devices, (all) =>
      Effect.gen(function* () {
        const { device } = yield* all.create({ userAgent: undefined, address: "192.0.2.1" })
        yield* all.signIn(device.id, { did: who.did, remembered: true })
      })
    )
    await world.beneath(devices)
    const code = await requested(who)
    assert.match(code, /^[A-Z2-7]{5}-[A-Z2-7]{5}$/)
    ok(await reset(` ${code.toLowerCase()} `))
    assert.strictEqual(outcomeOf(await signIn(who, who.password)), "401 AuthenticationRequired")
    ok(await signIn(who, "a new password"))
    const session = await world.call("com.atproto.server.getSession", { auth: who.auth })
    assert.strictEqual(outcomeOf(session), "400 ExpiredToken")
    const apps = await world.inside(
      who.did,
      Effect.flatMap(OAuthSessions, (sessions) => sessions.list)
    )
    assert.deepStrictEqual(apps, [])
    const left = await world.beneath(Effect.flatMap(Devices, (all) => all.ofAccount(who.did)))
    assert.deepStrictEqual(left, [])
  })

  it("a code resets the password once, even with concurrent requests", async () => {
    const who = await someone()
    const code = await codeFor(world, who.did, "reset_password")
    const passwords = ["first password", "second password", "third password"]
    const outcomes = (await Promise.all(passwords.map((one) => reset(code, one)))).map(outcomeOf)
    assert.sameMembers(outcomes, ["ok", "400 InvalidToken", "400 InvalidToken"])
    const signedIn = await Promise.all(passwords.map((one) => signIn(who, one)))
    assert.deepStrictEqual(
      signedIn.map(({ status }) => status === 200),
      outcomes.map((outcome) => outcome === "ok")
    )
    assert.strictEqual(outcomeOf(await reset(code)), "400 InvalidToken")
  })

  it("the password stays if the code is wrong, expired, replaced or of another kind, or the new password is invalid", async () => {
    const who = await someone()
    assert.strictEqual(outcomeOf(await reset("AAAAA-AAAAA")), "400 InvalidToken")
    assert.strictEqual(outcomeOf(await reset("x".repeat(300))), "400 InvalidToken")
    const other = await codeFor(world, who.did, "delete_account")
    assert.strictEqual(outcomeOf(await reset(other)), "400 InvalidToken")
    const before = await codeFor(world, who.did, "reset_password")
    const code = await codeFor(world, who.did, "reset_password")
    assert.strictEqual(outcomeOf(await reset(before)), "400 InvalidToken")
    assert.strictEqual(outcomeOf(await reset(code, "short")), "400 InvalidPassword")
    assert.strictEqual(outcomeOf(await reset(code, "x".repeat(257))), "400 InvalidPassword")
    world.advance(15 * minute)
    assert.strictEqual(outcomeOf(await reset(code)), "400 ExpiredToken")
    world.advance(-15 * minute)
    ok(await signIn(who, who.password))
    ok(await reset(code))
  })

  it("requestPasswordReset doesn't reveal whether an address has an account", async () => {
    const who = await someone()
    const known = await server("requestPasswordReset", { email: who.email.toUpperCase() })
    const unknown = await server("requestPasswordReset", { email: "nobody@mail.example.com" })
    assert.deepStrictEqual([known.status, known.text], [unknown.status, unknown.text])
    assert.strictEqual(known.status, 200)
  })

  it("the password of a deactivated account can be reset, and the account stays deactivated", async () => {
    const who = await someone()
    const asked = { auth: who.auth, input: {} }
    ok(await world.call("com.atproto.server.deactivateAccount", asked))
    ok(await reset(await requested(who)))
    const session = ok(await signIn(who, "a new password"))
    assert.strictEqual(session["status"], "deactivated")
    const status = { auth: bearer(session["accessJwt"]) }
    const answer = await world.call("com.atproto.server.getSession", status)
    assert.strictEqual(ok(answer)["active"], false)
  })
})
