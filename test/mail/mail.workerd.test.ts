import { assert, describe, it } from "@effect/vitest"
import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as CodeOwnersD1 from "../../src/layers/mail/CodeOwnersD1.ts"
import * as HostDatabaseD1 from "../../src/layers/host/sql/HostDatabaseD1.ts"
import * as KeysMaster from "../../src/layers/identity/KeysMaster.ts"
import * as ReservedKeysD1 from "../../src/layers/identity/ReservedKeysD1.ts"
import { failures } from "../../src/http/errors.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import { Announcements } from "../../src/services/mail/Announcements.ts"
import { continueAnnouncements } from "../../src/services/mail/announce.ts"
import { Mailer } from "../../src/services/mail/Mailer.ts"
import { codeOwnersContract } from "./codeOwners.contract.ts"
import { reservedKeysContract } from "../identity/keys/reservedKeys.contract.ts"
import { configLayer } from "../sessions/accountServices.ts"
import { bindings, DIRECTORY, fetchWorker, newPerson, objectOf } from "../host/workerdWorld.ts"

const tables = ["reset_code", "reserved_key"]

// The first query of each test finds no tables and creates them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

const database = HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied))

codeOwnersContract("D1", () => CodeOwnersD1.layer.pipe(Layer.provide([database, configLayer])))

const keys = KeysMaster.layer({
  masterKey: Redacted.make(new Uint8Array(32).fill(5)),
  masterKeyPrevious: undefined
})

reservedKeysContract("D1", () =>
  ReservedKeysD1.layer.pipe(Layer.provide([database, keys, configLayer]))
)

/** A person whose address is confirmed. */
const confirmed = async () => {
  const person = await newPerson()
  const { authorization, did, handle } = person
  const asked = await fetchWorker("/xrpc/com.atproto.server.requestEmailConfirmation", {
    method: "POST",
    headers: { authorization }
  })
  assert.strictEqual(asked.status, 200)
  const answer = await fetchWorker(`/admin/codes?account=${did}`, {
    headers: { authorization: `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}` }
  })
  const { codes } = await answer.json<{
    readonly codes: ReadonlyArray<{ readonly code: string }>
  }>()
  const email = `${handle.split(".", 1)[0]}@example.com`
  const confirmation = await fetchWorker("/xrpc/com.atproto.server.confirmEmail", {
    method: "POST",
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify({ email, token: codes[0]!.code })
  })
  assert.strictEqual(confirmation.status, 200)
  return { did, email }
}

describe("announcements, in the Worker", () => {
  it("each account gets the mail once, although each step runs in a new isolate over evicted objects, and one breaks off", async () => {
    const people = [await confirmed(), await confirmed(), await confirmed(), await confirmed()]
    const sent: Array<string> = []
    let breaks = false
    const mailer = Mailer.of({
      delivers: true,
      send: ({ to }) =>
        Effect.suspend(() => {
          sent.push(to)
          // As when the isolate ends after the provider has accepted the mail.
          return breaks ? Effect.die(new Error("the isolate ended")) : Effect.void
        })
    })
    const isolate = <A>(work: Effect.Effect<A, unknown, Announcements>) =>
      work.pipe(Effect.provide(Cloudflare.host(bindings, failures)), Effect.runPromise)
    const step = async (mails: number) => {
      for (const { did } of people) {
        // Only an object that runs can be evicted.
        await runInDurableObject(objectOf(did), () => undefined)
        await evictDurableObject(objectOf(did))
      }
      return continueAnnouncements({ mails, millis: 60_000 }).pipe(
        Effect.provideService(Mailer, mailer),
        Effect.exit,
        Effect.provide(Cloudflare.host(bindings, failures)),
        Effect.runPromise
      )
    }
    const newest = () =>
      isolate(Effect.flatMap(Announcements, ({ list }) => Effect.map(list, ([one]) => one!)))
    const dids = people.map(({ did }) => did).toSorted()
    const given = { subject: "Maintenance", body: "On Sunday.", createdAt: Date.now(), dids }
    await isolate(Effect.flatMap(Announcements, (all) => all.create(given)))
    await step(1)
    assert.lengthOf(sent, 1)
    breaks = true
    await step(1)
    breaks = false
    assert.lengthOf(sent, 2)
    // The isolate that ended holds the announcement for two minutes.
    await step(4)
    assert.lengthOf(sent, 2)
    await DIRECTORY.prepare("UPDATE announcement SET lease = 0").run()
    await step(1)
    assert.isUndefined((await newest()).endedAt)
    for (let left = 0; left < 2; left++) await step(1)
    const { endedAt, state } = await newest()
    assert.isDefined(endedAt)
    assert.deepInclude(state, { sent: 3, failed: [], unconfirmed: 0 })
    assert.lengthOf(state.interrupted, 1)
    assert.deepStrictEqual(sent.toSorted(), people.map(({ email }) => email).toSorted())
  })
})
