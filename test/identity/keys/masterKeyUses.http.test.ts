import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PointRows } from "../../../src/services/backups/pointInTime/PointRows.ts"
import { SqlStorage } from "../../../src/services/host/SqlStorage.ts"
import { WatchNotes } from "../../../src/services/operators/WatchNotes.ts"
import { withAuthenticator } from "../../support/http/accountPages.ts"
import { basic, bearer, type Host } from "../../support/http/httpHost.ts"
import { appPassword, ok, outcomeOf, signUp } from "../../support/http/httpWorld.ts"
import { startKept } from "./kept.ts"
import { createSession, type Scene, uses, write } from "./masterKeyUses.ts"

const root = join(import.meta.dirname, "../../..")

const keyOf = (byte: number): string => Buffer.alloc(32, byte).toString("base64url")
const [first, second] = [keyOf(7), keyOf(8)]
const both = { MASTER_KEY: second, MASTER_KEY_PREVIOUS: first }
const settleMillis = 15 * 60_000

/** Continues a rotation until it ends or must wait. */
const rotateOn = async (host: Host) => {
  while (true) {
    const at = ok(await host.ask("/admin/keys/master", { method: "POST", auth: basic() }))
    if (at["phase"] === "done" || at["isHeldUp"] === true) return at
  }
}

/** The purposes that another test judges, and where. */
const elsewhere: Readonly<Record<string, string>> = {
  "backups/1": "a backup from before a rotation is restored with the new key alone",
  "backup manifests": "a backup from before a rotation is restored with the new key alone",
  "point in time/1": "a rotation waits for an account that goes back to a point in time",
  "limiter keys": "only names of counters, which start again"
}

/** The purposes that the code derives keys for. */
const purposesInCode = (): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const file of globSync("src/**/*.ts", { cwd: root })) {
    const text = readFileSync(join(root, file), "utf8")
    const derived = /\b(?:hkdf|hkdfKeys?|sealer|keptKeys|derivedFrom)\([^"`)]*"([^"]+)"/g
    for (const [, purpose = ""] of text.matchAll(derived)) found.add(purpose)
  }
  return found
}

/** A server under the first key with two accounts, and everything that uses the key. */
const makeAll = async (host: Host, name: string, advance: Scene["advance"]) => {
  const alice = await signUp(host, `alice${name}`)
  const bob = await signUp(host, `bob${name}`)
  const authenticator = await withAuthenticator(host, bob.did)
  const scene: Scene = { host, advance, alice, bob, name, ...authenticator }
  const made: Array<readonly [string, () => Promise<string>]> = []
  for (const [use, { make }] of Object.entries(uses)) made.push([use, await make(scene)])
  return {
    /** Uses each once on a server with the same data. */
    useOn: async (now: Host) => {
      scene.host = now
      const outcomes: Record<string, string> = {}
      for (const [use, outcome] of made) outcomes[use] = await outcome()
      return outcomes
    }
  }
}

describe("what is under the master key", () => {
  it("the table of this test names every purpose that the code derives a key for", () => {
    const named = Object.values(uses).flatMap(({ purposes }) => purposes)
    assert.deepStrictEqual(
      [...purposesInCode()].toSorted(),
      [...new Set([...named, ...Object.keys(elsewhere)])].toSorted()
    )
  })

  it("everything made before a rotation works during it, and afterwards without the old key or is refused clearly", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const after = await makeAll(host, "1", world.advance)
    const during = await makeAll(host, "2", world.advance)
    host = await world.start(both)
    const allOk = Object.fromEntries(Object.keys(uses).map((use) => [use, "ok"]))
    assert.deepStrictEqual(await during.useOn(host), allOk)
    await rotateOn(host)
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: second })
    assert.deepStrictEqual(
      await after.useOn(host),
      Object.fromEntries(Object.entries(uses).map(([use, { after }]) => [use, after]))
    )
  })

  it("an account whose signing key changes before the rotation reaches it keeps its app passwords and sessions", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const alice = await signUp(host, "alice")
    const app = await appPassword(host, alice.did, "phone")
    host = await world.start(both)
    const { signingKey } = ok(
      await host.call("com.atproto.server.reserveSigningKey", { input: { did: alice.did } })
    )
    ok(
      await host.call("com.atproto.admin.updateAccountSigningKey", {
        auth: basic(),
        input: { did: alice.did, signingKey }
      })
    )
    await rotateOn(host)
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: second })
    assert.strictEqual(outcomeOf(await createSession(host, alice, app)), "ok")
    assert.strictEqual(await write(host, alice, alice.auth), "ok")
  })

  it("a rotation waits for an account that goes back to a point in time", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const { did } = await signUp(host, "alice")
    host = await world.start(both)
    const returns = (value: object) =>
      host.beneath(Effect.flatMap(WatchNotes, (notes) => notes.set("returns", value)))
    await returns({ [did]: { id: "one", at: 1, bookmark: "earlier", since: host.now() } })
    const held = await rotateOn(host)
    assert.deepInclude(held, { phase: "rewrap", isHeldUp: true, failed: 1 })
    assert.deepStrictEqual(held["failures"], [
      { did, problem: "it is going back to a point in time" }
    ])
    await returns({})
    await rotateOn(host)
    world.advance(settleMillis)
    assert.deepInclude(await rotateOn(host), { phase: "done", failed: 0 })
  })

  it("a state from before the rotation comes back with the new key's rows", async () => {
    const world = await startKept()
    let host = await world.start({ MASTER_KEY: first })
    const alice = await signUp(host, "alice")
    const app = await appPassword(host, alice.did, "phone")
    const wrapped = await host.inside(
      alice.did,
      Effect.map(SqlStorage, (sql) => sql.exec("SELECT wrapped_key FROM account").toArray()[0])
    )
    host = await world.start(both)
    await rotateOn(host)
    world.advance(settleMillis)
    assert.strictEqual((await rotateOn(host))["phase"], "done")
    host = await world.start({ MASTER_KEY: second })
    await host.inside(
      alice.did,
      Effect.gen(function* () {
        const sql = yield* SqlStorage
        const rows = yield* PointRows
        const { items: keys } = rows.keys({ limit: 100 })
        const present = { tables: rows.tables(), floor: rows.floor(), keys }
        // The earlier state of what the rotation changed.
        sql.exec("UPDATE account SET wrapped_key = ?", wrapped?.["wrapped_key"] ?? null)
        sql.exec("DELETE FROM older_key")
        rows.putBack(present, host.now())
      })
    )
    // The object restarts after a return.
    host = await world.start({ MASTER_KEY: second })
    const session = ok(await createSession(host, alice, app))
    assert.strictEqual(await write(host, alice, bearer(session["accessJwt"])), "ok")
  })
})
