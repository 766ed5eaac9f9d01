import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TOTP } from "otpauth"
import { AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { PasskeyOwners } from "../../src/services/factors/PasskeyOwners.ts"
import { newAuthenticator } from "../factors/authenticator.ts"
import {
  ask,
  browserOf,
  challengeOf,
  enter,
  here,
  ours,
  withAuthenticator,
  withPasskey
} from "../support/http/accountPages.ts"
import { Browser, type Shown, unescape } from "../support/http/httpBrowser.ts"
import {
  ok,
  outcomeOf,
  type Person,
  signUp,
  startWorld,
  type World
} from "../support/http/httpWorld.ts"

let world: World
let count = 0

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const somebody = (): Promise<Person> => signUp(world, `person${(count += 1)}`)

const ownerOf = (id: string) =>
  world.beneath(Effect.flatMap(PasskeyOwners, (owners) => owners.ownerOf(id)))

const passkeysOf = async ({ did }: Person) =>
  (await ask(world, did, "security")).passkeyList.map(({ id, name }) => [id, name])

const codesOf = ({ text }: Shown) =>
  [...text.matchAll(/<code>(\w{5}-\w{5})<\/code>/g)].map(([, one]) => one!)

const quarter = 15 * 60_000 + 1

describe("a passkey", () => {
  it("a passkey can be added with a name, used, renamed, and removed", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const page = await browser.get("/account/passkey", ours)
    const key = newAuthenticator("ES256", "laptop")
    const credential = JSON.stringify(key.create(challengeOf(page), here))
    const added = await browser.submit(page.form("/passkeys/add"), { name: "Laptop", credential })
    assert.include(added.text, "Passkey added")
    assert.deepStrictEqual(await passkeysOf(person), [[key.id, "Laptop"]])
    assert.strictEqual(await ownerOf(key.id), person.did)
    const fresh = new Browser(world)
    const signIn = await fresh.get("/account/sign-in")
    const signed = JSON.stringify(key.get(challengeOf(signIn), here))
    const inside = await fresh.submit(signIn.form("/sign-in/passkey"), { credential: signed })
    assert.include(inside.text, person.email)
    const renamed = await browser.submit(added.form("/passkeys/rename"), { name: "Old laptop" })
    assert.include(renamed.text, "<strong>Old laptop</strong")
    const removed = await browser.submit(renamed.form("/passkeys/remove"))
    assert.include(removed.text, "Passkey removed")
    assert.deepStrictEqual(await passkeysOf(person), [])
    assert.isUndefined(await ownerOf(key.id))
    const again = await fresh.get("/account/sign-in")
    const late = JSON.stringify(key.get(challengeOf(again), here))
    const refused = await fresh.submit(again.form("/sign-in/passkey"), { credential: late })
    assert.strictEqual(refused.status, 400)
  })

  it("a passkey’s request holds no personal data, requires user verification, and excludes known authenticators", async () => {
    const person = await somebody()
    const first = await withPasskey(world, person.did)
    const { text } = await (await browserOf(world, person)).get("/account/passkey", ours)
    const options = JSON.parse(unescape(/data-options="([^"]*)"/.exec(text)?.[1] ?? ""))
    assert.strictEqual(options.rp.id, "localhost")
    assert.deepInclude(options.authenticatorSelection, {
      residentKey: "required",
      userVerification: "required"
    })
    assert.strictEqual(options.attestation, "none")
    assert.deepStrictEqual(
      options.excludeCredentials.map(({ id }: { readonly id: string }) => id),
      [first.id]
    )
    const user = Buffer.from(options.user.id, "base64url")
    assert.strictEqual(user.length, 32)
    assert.notInclude(user.toString(), person.did)
  })

  it("an invalid passkey, or one of another account, is rejected", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const bobs = newAuthenticator("ES256", "bob's")
    await world.beneath(
      Effect.flatMap(PasskeyOwners, (owners) => owners.add(bobs.id, world.bob.did))
    )
    const key = newAuthenticator("ES256", "bad")
    const tries: ReadonlyArray<(challenge: string) => string> = [
      () => "",
      () => "[]",
      () => JSON.stringify(key.create("AAAA", here)),
      (challenge) => JSON.stringify(key.create(challenge)),
      (challenge) => JSON.stringify(key.create(challenge, { ...here, flags: 0x01 })),
      (challenge) => JSON.stringify(key.get(challenge, here)),
      (challenge) => JSON.stringify(bobs.create(challenge, here))
    ]
    for (const make of tries) {
      const page = await browser.get("/account/passkey", ours)
      const credential = make(challengeOf(page))
      const refused = await browser.submit(page.form("/passkeys/add"), { credential })
      assert.strictEqual(refused.status, 400)
      assert.isTrue(refused.has("/passkeys/add"))
    }
    assert.deepStrictEqual(await passkeysOf(person), [])
    assert.strictEqual(await ownerOf(bobs.id), world.bob.did)
  })

  it("a challenge works once, on its own device", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const other = await browserOf(world, person)
    const page = await browser.get("/account/passkey", ours)
    const send = (from: Browser, form: Shown, seed: string) =>
      from.submit(form.form("/passkeys/add"), {
        challenge: page.form("/passkeys/add").fields["challenge"],
        credential: JSON.stringify(newAuthenticator("ES256", seed).create(challengeOf(page), here))
      })
    const elsewhere = await send(other, await other.get("/account/passkey", ours), "stolen")
    assert.include(elsewhere.text, "took too long")
    assert.include((await send(browser, page, "one")).text, "Passkey added")
    assert.include((await send(browser, page, "two")).text, "took too long")
    assert.strictEqual((await passkeysOf(person)).length, 1)
  })

  it("the last way to sign in can’t be removed", async () => {
    const person = await somebody()
    const one = await withPasskey(world, person.did)
    const browser = await browserOf(world, person)
    const remove = async (id: string) => {
      const form = (await browser.get("/account/security", ours)).form("/passkeys/remove")
      return browser.submit(form, { passkey: id })
    }
    await world.inside(
      person.did,
      Effect.flatMap(AccountStore, (accounts) => accounts.update({ password: undefined }))
    )
    const refused = await remove(one.id)
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "your only way to sign in")
    const two = await withPasskey(world, person.did)
    assert.include((await remove(one.id)).text, "Passkey removed")
    assert.strictEqual((await remove(two.id)).status, 400)
    assert.deepStrictEqual(await passkeysOf(person), [[two.id, "Key"]])
  })
})

describe("the authenticator", () => {
  it("an authenticator is turned on with its first code, required from then on, renewed, and turned off", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    const input = { identifier: person.handle, password: person.password }
    const signIn = () => world.call("com.atproto.server.createSession", { input })
    const off = await browser.get("/account/authenticator", ours)
    const setUp = await browser.submit(off.form("/authenticator/begin"))
    assert.include(setUp.text, "<svg")
    const { secret = "" } = setUp.form("/authenticator/confirm").fields
    assert.match(secret, /^[A-Z2-7]{32}$/)
    assert.include(setUp.text, secret.slice(0, 4))
    const wrong = await browser.submit(setUp.form("/authenticator/confirm"), { code: "000000" })
    assert.strictEqual(wrong.status, 400)
    assert.include(wrong.text, "<svg")
    ok(await signIn())
    const totp = new TOTP({ secret })
    const code = totp.generate({ timestamp: world.now() })
    const on = await browser.submit(wrong.form("/authenticator/confirm"), { code })
    assert.strictEqual(codesOf(on).length, 10)
    assert.strictEqual(outcomeOf(await signIn()), "401 AuthFactorTokenRequired")
    const manage = await browser.get("/account/authenticator", ours)
    const renewed = await browser.submit(manage.form("/authenticator/codes"))
    assert.strictEqual(new Set([...codesOf(on), ...codesOf(renewed)]).size, 20)
    const step = await enter(new Browser(world), person)
    assert.isTrue(step.has("/sign-in/code"))
    const after = await browser.submit(manage.form("/authenticator/off"))
    assert.include(after.text, "Authenticator turned off")
    ok(await signIn())
  })

  it("the set-up page draws only a secret of the right form", async () => {
    const browser = await browserOf(world, await somebody())
    const off = await browser.get("/account/authenticator", ours)
    const setUp = await browser.submit(off.form("/authenticator/begin"))
    const answer = await browser.submit(setUp.form("/authenticator/confirm"), {
      code: "000000",
      secret: "<script>alert(1)</script>"
    })
    assert.strictEqual(answer.status, 400)
    assert.notInclude(answer.text, "alert(1)")
  })
})

describe("confirming your identity", () => {
  it("a page asks for another proof after 15 minutes, and then opens", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    assert.strictEqual((await browser.get("/account/password")).status, 200)
    world.advance(quarter)
    for (const page of ["password", "passkey", "authenticator", "app-password"]) {
      const { location = "" } = await browser.get(`/account/${page}`)
      assert.match(location, /^\/account\/confirm\?/)
      const asked = await browser.get(location)
      const wrong = await browser.submit(asked.form("/account/confirm"), { password: "not that" })
      assert.strictEqual(wrong.status, 400)
      const { password } = person
      const right = await browser.submit(wrong.form("/account/confirm"), { password })
      assert.include(right.text, "Thanks, confirmed")
      assert.isFalse(right.has("/account/confirm"))
      assert.strictEqual((await browser.get(`/account/${page}`)).status, 200)
      world.advance(quarter)
    }
    for (const page of ["", "security", "apps", "devices"]) {
      assert.strictEqual((await browser.get(`/account/${page}`)).status, 200)
    }
  })

  it("a proof needs the code if an authenticator is on, or a passkey of the same account", async () => {
    const person = await somebody()
    const key = await withPasskey(world, person.did)
    const bobs = await withPasskey(world, world.bob.did)
    const { recoveryCodes } = await withAuthenticator(world, person.did)
    const browser = new Browser(world)
    const first = await enter(browser, person)
    await browser.submit(first.form("/code"), { code: recoveryCodes[0]! })
    world.advance(quarter)
    const asked = await browser.get("/account/confirm?to=password")
    const { password } = person
    const step = await browser.submit(asked.form("/account/confirm"), { password })
    assert.isTrue(step.has("/confirm/code"))
    assert.strictEqual((await browser.get("/account/password")).status, 303)
    const coded = await browser.submit(step.form("/confirm/code"), { code: recoveryCodes[1]! })
    assert.isTrue(coded.has("/account/password"))
    world.advance(quarter)
    const again = await browser.get("/account/confirm?to=password")
    const signed = (of: typeof key, shown: Shown) =>
      JSON.stringify(of.get(challengeOf(shown), here))
    const foreign = await browser.submit(again.form("/confirm/passkey"), {
      credential: signed(bobs, again)
    })
    assert.strictEqual(foreign.status, 400)
    assert.include(foreign.text, "another account")
    assert.strictEqual((await browser.get("/account/password")).status, 303)
    const own = await browser.submit(foreign.form("/confirm/passkey"), {
      credential: signed(key, foreign)
    })
    assert.isTrue(own.has("/account/password"))
  })

  it("a proof rejects another account’s password, whatever the form names", async () => {
    const person = await somebody()
    const browser = await browserOf(world, person)
    world.advance(quarter)
    const asked = await browser.get("/account/confirm?to=password")
    const { did, handle, password } = world.bob
    for (const filled of [
      { password, identifier: handle },
      { password, username: handle },
      { password, account: did }
    ]) {
      const answer = await browser.submit(asked.form("/account/confirm"), filled)
      assert.isFalse(answer.has("/account/password"))
    }
    assert.strictEqual((await browser.get("/account/password")).status, 303)
  })
})
