import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cidOfOperation } from "../../../src/core/identity/plcOperation.ts"
import { Keys, type PrivateKey } from "../../../src/services/identity/Keys.ts"
import { PlcDirectory } from "../../../src/services/identity/PlcDirectory.ts"
import { updatePlc } from "../../../src/services/identity/PlcOperations.ts"
import { Alerts } from "../../../src/services/operators/Alerts.ts"
import { watch } from "../../../src/services/operators/watch/watch.ts"
import { newestActs } from "../../support/http/consolePages.ts"
import { basic, bearer, type Host, startHost } from "../../support/http/httpHost.ts"
import { ok, outcomeOf, type Person, session, signUp } from "../../support/http/httpWorld.ts"
import { ownOperation } from "../../support/network/ownOperation.ts"

const hour = 3_600_000

let host: Host
let people: ReadonlyArray<Person>
let key: PrivateKey
beforeAll(async () => {
  host = await startHost()
  people = [await signUp(host, "first", "plc"), await signUp(host, "second", "plc")]
  key = await host.beneath(Effect.flatMap(Keys, (keys) => keys.generate("k256")))
  for (const { did } of people) {
    await host.beneath(
      updatePlc(did, ({ rotationKeys }) => ({ rotationKeys: [key.didKey, ...rotationKeys] }))
    )
  }
})
afterAll(() => host.close())

/** An operation that changes a DID's rotation keys, sent past the server; its CID. */
const changedElsewhere = (did: string, more: ReadonlyArray<string> = []) =>
  host.beneath(
    Effect.gen(function* () {
      const operation = yield* ownOperation(did, key, { rotationKeys: [key.didKey, ...more] })
      yield* (yield* PlcDirectory).submit(did, operation)
      return cidOfOperation(operation).toString()
    })
  )

const openAlerts = () =>
  host.beneath(Effect.flatMap(Alerts, (alerts) => alerts.list({ past: false, limit: 10 })))

/** Looks until a whole walk has passed, and lists the accounts with an open alert. */
const walked = async (after = 7 * hour) => {
  host.advance(after)
  for (const _ of people) {
    await host.beneath(watch)
    host.advance(300_000)
  }
  const open = await openAlerts()
  return open.filter(({ kind }) => kind === "foreign-operation").map(({ subject }) => subject)
}

describe("the watch over PLC logs", () => {
  it("an operation that somebody else made is an alert for 72 hours, and one of the server isn't", async () => {
    const [first, second] = people
    assert.deepStrictEqual(await walked(), [])
    await host.beneath(updatePlc(first!.did, () => ({ alsoKnownAs: ["at://other.test"] })))
    assert.deepStrictEqual(await walked(), [])
    await changedElsewhere(second!.did)
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.deepStrictEqual(await walked(72 * hour), [])
    assert.deepStrictEqual(await walked(), [])
  })

  it("a later operation that somebody else made extends the alert", async () => {
    const [, second] = people
    await changedElsewhere(second!.did, [
      "did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"
    ])
    assert.deepStrictEqual(await walked(), [second!.did])
    const later = await changedElsewhere(second!.did)
    assert.deepStrictEqual(await walked(60 * hour), [second!.did])
    assert.include((await openAlerts())[0]!.detail, later)
    // The first one is older than 72 hours now, the second isn't.
    assert.deepStrictEqual(await walked(60 * hour), [second!.did])
    assert.deepStrictEqual(await walked(12 * hour), [])
  })

  it("an operator accepts the operation that the alert names, and no later one", async () => {
    const [, second] = people
    const accept = (account: string, cid: string) =>
      host.ask("/admin/alerts/accept", { auth: basic(), input: { account, cid } })
    const first = await changedElsewhere(second!.did)
    assert.strictEqual(outcomeOf(await accept(second!.did, first)), "400 InvalidRequest")
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.include((await openAlerts())[0]!.detail, first)
    assert.strictEqual(outcomeOf(await accept(people[0]!.did, first)), "400 InvalidRequest")

    const accepted = await accept(second!.handle, first)
    assert.deepStrictEqual(
      [accepted.status, accepted.body],
      [200, { did: second!.did, handle: second!.handle, cid: first }]
    )
    assert.deepStrictEqual(await openAlerts(), [])
    assert.deepInclude((await newestActs(host))[0], {
      act: "/admin/alerts/accept",
      subject: second!.did,
      after: { cid: first },
      status: 200
    })
    assert.deepStrictEqual(await walked(), [])

    const later = await changedElsewhere(second!.did)
    assert.strictEqual(outcomeOf(await accept(second!.did, first)), "400 InvalidRequest")
    assert.strictEqual(outcomeOf(await accept(second!.did, later)), "400 InvalidRequest")
    assert.deepStrictEqual(await walked(), [second!.did])
    const latest = await changedElsewhere(second!.did)
    // The alert still names the one before: accepting it leaves the latest to the next look.
    assert.strictEqual((await accept(second!.did, later)).status, 200)
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.include((await openAlerts())[0]!.detail, latest)
    assert.strictEqual((await accept(second!.did, latest)).status, 200)
    assert.deepStrictEqual(await walked(), [])
  })

  it("nobody but an admin accepts an operation", async () => {
    const [first] = people
    const input = { account: first!.did, cid: "bafy" }
    for (const auth of [undefined, first!.auth, bearer("wrong")]) {
      const answer = await host.ask("/admin/alerts/accept", {
        method: "POST",
        input,
        ...(auth === undefined ? {} : { auth })
      })
      assert.include([401, 403], answer.status)
    }
  })

  it("an operation that the owner submits through the server is no alert", async () => {
    const [first] = people
    const operation = await host.beneath(
      Effect.flatMap(
        Effect.flatMap(PlcDirectory, (plc) => plc.data(first!.did)),
        ({ alsoKnownAs }) =>
          ownOperation(first!.did, key, {
            alsoKnownAs: [`at://${first!.handle}`, ...alsoKnownAs]
          })
      )
    )
    ok(
      await host.call("com.atproto.identity.submitPlcOperation", {
        auth: bearer((await session(host, first!.did, "full")).accessJwt),
        input: { operation }
      })
    )
    assert.deepStrictEqual(await walked(), [])
  })
})
