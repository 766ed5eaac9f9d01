import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  type PlcData,
  unsignedBytes,
  updateOperation,
  withSignature
} from "../../src/core/identity/plcOperation.ts"
import { Keys, type PrivateKey } from "../../src/services/identity/Keys.ts"
import { PlcDirectory } from "../../src/services/identity/PlcDirectory.ts"
import { updatePlc } from "../../src/services/identity/PlcOperations.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import { watch } from "../../src/services/operators/watch/watch.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import { bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, type Person, session, signUp } from "../support/http/httpWorld.ts"

const hour = 3_600_000

const keys = KeysMaster.layer({
  masterKey: Redacted.make(Buffer.alloc(32, 3)),
  masterKeyPrevious: undefined
})

/** The next operation of a DID, signed with its owner's key; the server isn't asked. */
const ownOperation = Effect.fnUntraced(function* (
  did: string,
  key: PrivateKey,
  change: Partial<PlcData>
) {
  const next = updateOperation(yield* (yield* PlcDirectory).last(did), change)
  const signer = yield* (yield* Keys).signer(key)
  return withSignature(next, yield* signer.sign(unsignedBytes(next)))
}, Effect.provide(keys))

let host: Host
let people: ReadonlyArray<Person>
let key: PrivateKey
beforeAll(async () => {
  host = await startHost()
  people = [await signUp(host, "first", "plc"), await signUp(host, "second", "plc")]
  key = await Effect.runPromise(
    Effect.flatMap(Keys, (service) => service.generate("k256")).pipe(Effect.provide(keys))
  )
  for (const { did } of people) {
    await host.beneath(
      updatePlc(did, ({ rotationKeys }) => ({ rotationKeys: [key.didKey, ...rotationKeys] }))
    )
  }
})
afterAll(() => host.close())

/** Looks until a whole walk has passed, and lists the accounts with an open alert. */
const walked = async (after = 7 * hour) => {
  host.advance(after)
  for (const _ of people) {
    await host.beneath(watch)
    host.advance(300_000)
  }
  const open = await host.beneath(
    Effect.flatMap(Alerts, (alerts) => alerts.list({ past: false, limit: 10 }))
  )
  return open.filter(({ kind }) => kind === "foreign-operation").map(({ subject }) => subject)
}

describe("the watch over PLC logs", () => {
  it("an operation that somebody else made is an alert for 72 hours, and one of the server isn't", async () => {
    const [first, second] = people
    assert.deepStrictEqual(await walked(), [])
    await host.beneath(updatePlc(first!.did, () => ({ alsoKnownAs: ["at://other.test"] })))
    assert.deepStrictEqual(await walked(), [])
    await host.beneath(
      Effect.gen(function* () {
        const operation = yield* ownOperation(second!.did, key, { rotationKeys: [key.didKey] })
        yield* (yield* PlcDirectory).submit(second!.did, operation)
      })
    )
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.deepStrictEqual(await walked(), [second!.did])
    assert.deepStrictEqual(await walked(72 * hour), [])
    assert.deepStrictEqual(await walked(), [])
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
