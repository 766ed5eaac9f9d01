import { AtpAgent } from "@atproto/api"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import type { TestServer } from "../../support/server/server.ts"
import {
  assertLives,
  codeAt,
  newMover,
  newPassword,
  rotationKeysOf,
  signedInAt,
  startTwo,
  type Two
} from "./moveWorld.ts"
import { arrive, switchOver, transfer } from "../../peers/moveByClient.ts"

let world: Two
beforeAll(async () => {
  world = await startTwo()
})
afterAll(() => world.stop())

/** An account at a server, with the administrator to read its codes. */
const side = (server: TestServer, agent: AtpAgent) => ({
  agent,
  code: async (_ask: () => Promise<unknown>) => codeAt(server, agent)
})

describe("an account that goes away, comes back, goes away again and comes back", () => {
  it("the command moves an account away and back twice, with everything written in between", async () => {
    const { one, two, desk } = world
    const mover = await newMover(world, "rita")
    const { did } = mover
    const passwords = new Map([
      [one, mover.password],
      [two, newPassword]
    ])
    let records = 4
    const go = async (from: TestServer, to: TestServer) => {
      const there = await signedInAt(from, { did, password: passwords.get(from)! })
      const moved = await desk.run(
        [
          "migrate",
          `--account=${did}`,
          `--from=${from.publicUrl}`,
          `--server=${to.publicUrl}`,
          "--json"
        ],
        {
          PLC_URL: one.plcUrl,
          NACRE_PASSWORD: passwords.get(from)!,
          NACRE_NEW_PASSWORD: passwords.get(to)!,
          NACRE_MAILED_CODE: await codeAt(from, there)
        }
      )
      assert.strictEqual(moved.code, 0, moved.stderr)
      const here = await signedInAt(to, { did, password: passwords.get(to)! })
      await assertLives(to, here, records)
      await here.post({ text: `after ${records}` })
      records += 1
    }
    await go(one, two)
    await go(two, one)
    await go(one, two)
    await go(two, one)
    assert.strictEqual((await rotationKeysOf(world, did)).length, 1)
  })

  it("the official client does the same, and gets an error that the account already exists", async () => {
    const { one, two } = world
    const mover = await newMover(world, "sean")
    const { did, password } = mover
    const email = "sean@example.com"
    const there = await signedInAt(one, { did, password })
    const here = new AtpAgent({ service: two.publicUrl })
    await arrive(there, here, { handle: "sean.two.test", email, password: newPassword })
    await transfer(there, here)
    await switchOver(side(one, there), here)
    await assertLives(two, here, 4)

    let records = 4
    for (const [at, back] of [
      [two, one],
      [one, two],
      [two, one]
    ] as const) {
      const before = await signedInAt(at, { did, password: at === one ? password : newPassword })
      await before.post({ text: "one more" })
      records += 1
      const account = { handle: `sean.${back === one ? "test" : "two.test"}`, email, password }
      const again = await arrive(before, new AtpAgent({ service: back.publicUrl }), account).then(
        () => "made",
        (error: { status: number; error: string; message: string }) => error
      )
      assert.deepInclude(again, { status: 400, error: "AlreadyExists" })
      const after = await signedInAt(back, {
        did,
        password: back === one ? password : newPassword
      })
      const { data } = await after.com.atproto.server.checkAccountStatus()
      assert.deepInclude(data, { activated: false, validDid: false })
      await transfer(before, after)
      await switchOver(side(at, before), after)
      await assertLives(back, after, records)
    }
  })
})
