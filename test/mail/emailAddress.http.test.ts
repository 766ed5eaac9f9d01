import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { codePurposes } from "../../src/services/mail/AccountCodes.ts"
import { codeFor, newcomer, type Newcomer, waitingCodes } from "../support/http/httpCodes.ts"
import { basic } from "../support/http/httpHost.ts"
import { ok, outcomeOf, startWorld, type World } from "../support/http/httpWorld.ts"

describe("an account's email address", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  const someone = () => newcomer(world, `mail${world.next()}`)
  const server = ({ auth }: Newcomer, name: string, input?: object) =>
    world.call(`com.atproto.server.${name}`, {
      auth,
      ...(input === undefined ? { method: "POST" } : { input })
    })
  const sessionOf = async ({ auth }: Newcomer) =>
    ok(await world.call("com.atproto.server.getSession", { auth }))
  const fresh = () => `fresh${world.next()}@mail.example.com`

  const confirmed = async (): Promise<Newcomer> => {
    const who = await someone()
    const token = await codeFor(world, who.did, "confirm_email")
    ok(await server(who, "confirmEmail", { email: who.email, token }))
    return who
  }

  it("the code mailed to an address confirms it", async () => {
    const who = await someone()
    assert.strictEqual((await sessionOf(who))["emailConfirmed"], false)
    ok(await server(who, "requestEmailConfirmation"))
    const { confirm_email: token } = await waitingCodes(world, who.did)
    const confirm = (email: string, code: string | undefined) =>
      server(who, "confirmEmail", { email, token: code })
    assert.strictEqual(outcomeOf(await confirm(fresh(), token)), "400 InvalidEmail")
    assert.strictEqual(outcomeOf(await confirm(who.email, "AAAAA-AAAAA")), "400 InvalidToken")
    ok(await confirm(who.email.toUpperCase(), token))
    assert.strictEqual((await sessionOf(who))["emailConfirmed"], true)
    const seen = { auth: basic(), params: { did: who.did } }
    const info = ok(await world.call("com.atproto.admin.getAccountInfo", seen))
    assert.isBelow(Math.abs(Date.parse(info["emailConfirmedAt"]) - world.now()), 60_000)
    assert.strictEqual(outcomeOf(await confirm(who.email, token)), "400 InvalidToken")
  })

  it("an unconfirmed address can be changed at once, and the new one signs in", async () => {
    const who = await someone()
    assert.deepStrictEqual(ok(await server(who, "requestEmailUpdate")), { tokenRequired: false })
    const email = fresh()
    ok(await server(who, "updateEmail", { email: ` ${email.toUpperCase()} ` }))
    assert.deepInclude(await sessionOf(who), { email, emailConfirmed: false })
    const signIn = (identifier: string) =>
      server(who, "createSession", { identifier, password: who.password })
    ok(await signIn(email))
    assert.strictEqual(outcomeOf(await signIn(who.email)), "401 AuthenticationRequired")
  })

  it("a confirmed address needs a code to change, and the new one must be confirmed", async () => {
    const who = await confirmed()
    const email = fresh()
    const update = (token?: string) => server(who, "updateEmail", { email, token })
    assert.strictEqual(outcomeOf(await update()), "400 TokenRequired")
    assert.strictEqual(outcomeOf(await update(" ")), "400 TokenRequired")
    assert.strictEqual(outcomeOf(await update("AAAAA-AAAAA")), "400 InvalidToken")
    assert.deepStrictEqual(ok(await server(who, "requestEmailUpdate")), { tokenRequired: true })
    const { update_email: token } = await waitingCodes(world, who.did)
    world.advance(15 * 60_000)
    assert.strictEqual(outcomeOf(await update(token)), "400 ExpiredToken")
    world.advance(-15 * 60_000)
    ok(await update(token))
    assert.deepInclude(await sessionOf(who), { email, emailConfirmed: false })
    ok(await server(who, "updateEmail", { email: fresh() }))
  })

  it("an address belongs to one account: another's is rejected without using up the code", async () => {
    const who = await confirmed()
    const token = await codeFor(world, who.did, "update_email")
    const update = (email: string) => server(who, "updateEmail", { email, token })
    assert.strictEqual(outcomeOf(await update(world.bob.email)), "400 InvalidRequest")
    assert.strictEqual(outcomeOf(await update("no address")), "400 InvalidRequest")
    assert.deepInclude(await sessionOf(who), { email: who.email, emailConfirmed: true })
    ok(await update(fresh()))
  })

  it("of two concurrent changes with one code one succeeds, consistently", async () => {
    const who = await confirmed()
    const token = await codeFor(world, who.did, "update_email")
    const wanted = [fresh(), fresh()]
    const answers = await Promise.all(
      wanted.map((email) => server(who, "updateEmail", { email, token }))
    )
    // The second finds an unconfirmed address, or its code used up.
    assert.include(answers.map(outcomeOf), "ok")
    const { email } = await sessionOf(who)
    ok(await server(who, "createSession", { identifier: email, password: who.password }))
  })

  it("a change of address revokes all codes sent to the old one", async () => {
    const who = await someone()
    const codes = new Map<string, string>()
    for (const purpose of codePurposes.filter((purpose) => purpose !== "update_email")) {
      codes.set(purpose, await codeFor(world, who.did, purpose))
    }
    const email = fresh()
    ok(await server(who, "updateEmail", { email }))
    const { did, password } = who
    const uses: ReadonlyArray<readonly [string, object]> = [
      ["com.atproto.server.confirmEmail", { email, token: codes.get("confirm_email") }],
      [
        "com.atproto.server.resetPassword",
        { token: codes.get("reset_password"), password: "new password" }
      ],
      ["com.atproto.server.deleteAccount", { did, password, token: codes.get("delete_account") }],
      ["com.atproto.identity.signPlcOperation", { token: codes.get("plc_operation") }]
    ]
    for (const [nsid, input] of uses) {
      const answer = await world.call(nsid, { auth: who.auth, input })
      assert.strictEqual(outcomeOf(answer), "400 InvalidToken", nsid)
    }
  })

  it("changes are limited to ten in five minutes, so addresses can't be probed", async () => {
    const limited = await startWorld({ RATE_LIMITS: "on" })
    const { alice, bob } = limited
    const ask = (email: string) =>
      limited.call("com.atproto.server.updateEmail", { auth: alice.auth, input: { email } })
    for (let count = 0; count < 10; count++) {
      assert.strictEqual(outcomeOf(await ask(bob.email)), "400 InvalidRequest")
    }
    assert.strictEqual(outcomeOf(await ask(bob.email)), "429 RateLimitExceeded")
    assert.strictEqual(outcomeOf(await ask(fresh())), "429 RateLimitExceeded")
    await limited.close()
  })
})
