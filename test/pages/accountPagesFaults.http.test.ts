import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Action } from "../../src/http/pages/account/frame.ts"
import type { Owner } from "../../src/http/pages/account/owner.ts"
import { addPasskey } from "../../src/http/pages/account/signIn/passkeys.ts"
import { changePassword } from "../../src/http/pages/account/signIn/password.ts"
import { removePasskey } from "../../src/http/pages/account/signIn/security.ts"
import { passkeyChallenge } from "../../src/http/pages/signInAttempt.ts"
import { Devices } from "../../src/services/oauth/Devices.ts"
import { OAuthStoreUnavailable } from "../../src/services/oauth/OAuthRequests.ts"
import { PasskeyOwners } from "../../src/services/factors/PasskeyOwners.ts"
import { newAuthenticator } from "../factors/authenticator.ts"
import { ask, browserOf, here } from "../support/http/accountPages.ts"
import { startWorld, type World } from "../support/http/httpWorld.ts"

let world: World

beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

const unavailable = Effect.fail(
  new OAuthStoreUnavailable({ operation: "a test", cause: new Error("broken") })
)

/** Alice at one of her pages. */
const ownerOf = async (): Promise<Owner> => {
  await browserOf(world, world.alice)
  const [device] = await world.beneath(
    Effect.flatMap(Devices, (devices) => devices.ofAccount(world.alice.did))
  )
  if (device === undefined) throw new Error("alice is signed in nowhere")
  const view = await ask(world, world.alice.did, "security")
  const visitor = { device, csrf: "", cookies: [] }
  return {
    visitor,
    account: device,
    view,
    several: false,
    livesAt: undefined,
    now: world.now(),
    notice: undefined
  }
}

const run = (owner: Owner, action: Action, fields: Readonly<Record<string, string>>) =>
  action.run(owner, new Map(Object.entries(fields)))

/** A browser's input that adds a passkey. */
const creation = async (owner: Owner, seed: string) => {
  const { options, ticket } = await world.beneath(passkeyChallenge(owner.visitor.device.id))
  const key = newAuthenticator("ES256", seed)
  const credential = JSON.stringify(key.create(String(options["challenge"]), here))
  return { id: key.id, fields: { challenge: ticket, credential, name: seed } }
}

const passkeys = async () =>
  (await ask(world, world.alice.did, "security")).passkeyList.map(({ name }) => name)

describe("an unwritable table of passkey owners", () => {
  it("no passkey is added if its owner can't be stored", async () => {
    const owner = await ownerOf()
    const { fields } = await creation(owner, "unlucky")
    const failure = await world.beneath(
      Effect.gen(function* () {
        const owners = yield* PasskeyOwners
        const broken = { ...owners, add: () => unavailable }
        return yield* Effect.flip(
          Effect.provideService(run(owner, addPasskey, fields), PasskeyOwners, broken)
        )
      })
    )
    assert.strictEqual(failure._tag, "OAuthStoreUnavailable")
    assert.deepStrictEqual(await passkeys(), [])
  })

  it("a passkey whose owner was stored without an answer can be added again", async () => {
    const owner = await ownerOf()
    const { id, fields } = await creation(owner, "second try")
    await world.beneath(Effect.flatMap(PasskeyOwners, (owners) => owners.add(id, owner.view.did)))
    const outcome = await world.beneath(run(owner, addPasskey, fields))
    assert.deepStrictEqual(outcome, { kind: "done", page: "security", notice: "passkey-added" })
    assert.deepStrictEqual(await passkeys(), ["second try"])
  })
})

describe("an owner that can't be removed", () => {
  it("a passkey is still removed, and can be added again", async () => {
    const owner = await ownerOf()
    const { id, fields } = await creation(owner, "half gone")
    await world.beneath(run(owner, addPasskey, fields))
    const failure = await world.beneath(
      Effect.gen(function* () {
        const owners = yield* PasskeyOwners
        const broken = { ...owners, remove: () => unavailable }
        const removed = run(owner, removePasskey, { passkey: id })
        return yield* Effect.flip(Effect.provideService(removed, PasskeyOwners, broken))
      })
    )
    assert.strictEqual(failure._tag, "OAuthStoreUnavailable")
    assert.notInclude(await passkeys(), "half gone")
    const again = await creation(owner, "half gone")
    await world.beneath(run(owner, addPasskey, again.fields))
    assert.include(await passkeys(), "half gone")
    await world.beneath(run(owner, removePasskey, { passkey: id }))
    assert.notInclude(await passkeys(), "half gone")
  })
})

describe("an unwritable table of devices", () => {
  it("a password still changes, and the page asks the owner to sign out the other devices", async () => {
    const owner = await ownerOf()
    const password = "a new password"
    const outcome = await world.beneath(
      Effect.gen(function* () {
        const devices = yield* Devices
        const broken = { ...devices, signOutAll: () => unavailable }
        const changed = run(owner, changePassword, { password, again: password })
        return yield* Effect.provideService(changed, Devices, broken)
      })
    )
    assert.deepStrictEqual(outcome, { kind: "done", page: "devices", notice: "password-only" })
    await ask(world, owner.view.did, "provePassword", { password })
  })
})
