import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { keepSignedIn } from "../../src/http/pages/signingIn.ts"
import { Devices } from "../../src/services/Devices.ts"
import { ask, enter, withAuthenticator } from "../support/accountPages.ts"
import { Browser } from "../support/httpBrowser.ts"
import { type Person, signUp, startWorld, type World } from "../support/httpWorld.ts"

let world: World
let count = 0

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const somebody = (): Promise<Person> => signUp(world, `person${(count += 1)}`)

const changePassword = (did: string) =>
  ask(world, did, "changePassword", { password: "another password" })

describe("a password that was changed", () => {
  it("ends the sign-in that still waits for its code", async () => {
    const person = await somebody()
    const { recoveryCodes } = await withAuthenticator(world, person.did)
    const browser = new Browser(world)
    const step = await enter(browser, person)
    await changePassword(person.did)
    const late = await browser.submit(step.form("/code"), { code: recoveryCodes[0]! })
    assert.strictEqual(late.status, 400)
    assert.include(late.text, "The password was changed meanwhile")
    assert.isTrue(late.has("/account/sign-in"))
    assert.strictEqual((await ask(world, person.did, "security", {})).recoveryCodesLeft, 10)
    assert.strictEqual((await browser.get("/account")).location, "/account/sign-in")
  })

  it("keeps out whoever has just shown the old one", async () => {
    const { did, password } = await somebody()
    const browser = new Browser(world)
    await browser.get("/account/sign-in")
    const [, device = ""] = [...browser.cookies.values()][0]!.split(".")
    const proven = await ask(world, did, "provePassword", { password })
    await changePassword(did)
    const { isIn } = await world.beneath(keepSignedIn(device, proven, true))
    assert.isFalse(isIn)
    const devices = await world.beneath(Effect.flatMap(Devices, (all) => all.ofAccount(did)))
    assert.deepStrictEqual(devices, [])
  })
})
