import { assert, describe, it } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import { accountApp } from "../../../src/http/account.ts"
import { makeLateWorker } from "../../../src/http/webHandler.ts"
import * as Cloudflare from "../../../src/layers/Cloudflare.ts"
import { events } from "../../stream/sequencer.contract.ts"
import { bindings, delivered, newPerson, objectOf, origin, SEQUENCER } from "../workerdWorld.ts"

/** The environment with the master key in a store, which responds while it is up. */
const inStore = () => {
  const store = { isUp: false }
  const get = () =>
    store.isUp
      ? Promise.resolve(String(bindings["MASTER_KEY"]))
      : Promise.reject(new Error("the store is down"))
  // SAFETY: the Worker's environment, with one binding of another kind.
  const env = {
    ...bindings,
    LOG_LEVEL: "none",
    RELAYS: "https://relay.test",
    MASTER_KEY: { get }
  } as unknown as Cloudflare.Env
  return { store, env }
}

const Account = Cloudflare.account(accountApp)

const Sequencer = Cloudflare.sequencerObject

describe("the Worker during an outage of the store", () => {
  it("the Worker returns 503, names the secret at /ready, and recovers with the store", async () => {
    const { store, env } = inStore()
    const { fetch: handler } = makeLateWorker(Cloudflare.host(env, accountApp.failures))
    const ask = (path: string) => handler(new Request(`${origin}${path}`))
    assert.strictEqual((await ask("/xrpc/com.atproto.server.describeServer")).status, 503)
    const ready = await ask("/ready")
    assert.strictEqual(ready.status, 503)
    const { problems } = await ready.json<{ problems: ReadonlyArray<{ variable: string }> }>()
    assert.deepStrictEqual(
      problems.map(({ variable }) => variable),
      ["MASTER_KEY"]
    )
    store.isUp = true
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask("/ready")))
    assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
    store.isUp = false
    assert.strictEqual((await ask("/ready")).status, 200)
  })
})

describe("an account's object during an outage of the store", () => {
  it("the object fails its calls, keeps its alarm, and recovers with the store", async () => {
    const { createRecord, did, authorization } = await newPerson()
    await createRecord("before")
    await delivered(did)
    await runInDurableObject(objectOf(did), async (_object, state) => {
      const { store, env } = inStore()
      const account = new Account(state, env)
      const post = () =>
        account.fetch(
          new Request(`${origin}/xrpc/com.atproto.repo.createRecord`, {
            method: "POST",
            headers: { authorization, "content-type": "application/json" },
            body: JSON.stringify({
              repo: did,
              collection: "app.bsky.feed.post",
              record: { text: "after", createdAt: "2026-01-01T00:00:00.000Z" }
            })
          })
        )
      const failure = await post().catch((cause: unknown) => cause)
      assert.include(String(failure), "MASTER_KEY")

      const before = Date.now()
      await account.alarm()
      assert.isAtLeast((await state.storage.getAlarm()) ?? 0, before + 50_000)

      store.isUp = true
      assert.strictEqual((await post()).status, 200)
    })
  })
})

describe("the Sequencer during an outage of the store", () => {
  it("the Sequencer accepts events, and learns its relays after the outage", () =>
    runInDurableObject(SEQUENCER.get(SEQUENCER.newUniqueId()), async (_object, state) => {
      const { store, env } = inStore()
      const sequencer = new Sequencer(state, env)
      const someone = events("did:example:a")
      const first = someone.identity()
      assert.strictEqual(sequencer.append("did:example:a", [first]), first.id)
      await scheduler.wait(0)
      const relays = async () => (await sequencer.subscribers([])).relays
      assert.deepStrictEqual(await relays(), [])
      store.isUp = true
      sequencer.append("did:example:a", [someone.identity()])
      while ((await relays()).length === 0) await scheduler.wait(1)
      assert.strictEqual((await relays())[0]?.relay, "https://relay.test")
    }))
})
