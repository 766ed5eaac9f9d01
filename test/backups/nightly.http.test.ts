import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import { runJobs } from "../../src/services/host/jobs.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"
import { signUp } from "../support/http/httpWorld.ts"

const hour = 3_600_000

describe("the nightly backup", () => {
  let host: Host
  const runs = async () => (await host.ask("/admin/backups", { auth: basic() })).body["runs"]
  const ready = async () => (await host.ask("/ready")).body
  const tick = () => host.beneath(runJobs)
  /** Moves the clock to a time on the next day. */
  const advanceTo = (hours: number) => {
    const now = host.now()
    const midnight = now - (now % (24 * hour)) + 24 * hour
    host.advance(midnight + hours * hour - now)
  }

  beforeAll(async () => {
    host = await startHost({ BACKUP_AT: "04:00" }, { backups: BackupTargetMemory.make() })
    await signUp(host, "alice")
  })
  afterAll(() => host.close())

  it("the backup runs at a new server's first trigger, then once a day after its time", async () => {
    advanceTo(3)
    assert.deepInclude((await ready())["backup"], { isLate: true })
    await tick()
    assert.lengthOf(await runs(), 1)
    await tick()
    assert.lengthOf(await runs(), 1)
    host.advance(0.99 * hour)
    await tick()
    assert.lengthOf(await runs(), 1)
    host.advance(0.02 * hour)
    await tick()
    await tick()
    assert.lengthOf(await runs(), 2)
  })

  it("/ready shows the time of the last good backup, and a fault after 36 hours without one", async () => {
    // The server remembers what it has looked up for five seconds.
    host.advance(5001)
    const { ready: isReady, backup } = await ready()
    assert.isTrue(isReady)
    assert.deepInclude(backup, { lastOutcome: "good", faulty: 0, isLate: false })
    assert.isAtMost(host.now() - backup.lastGoodAt, hour)
    host.advance(37 * hour)
    assert.deepInclude((await ready())["backup"], { lastOutcome: "good", isLate: true })
  })

  it("a server without a backup store runs no backup, and doesn't show any", async () => {
    const bare = await startHost()
    await bare.beneath(runJobs)
    assert.notProperty((await bare.ask("/ready")).body, "backup")
    const { body } = await bare.ask("/admin/backups", { auth: basic() })
    assert.deepStrictEqual(body, { store: null, runs: [] })
    const refused = await bare.ask("/admin/backups", { method: "POST", auth: basic() })
    assert.deepInclude(refused.body, { error: "BackupsOff" })
    await bare.close()
  })
})

describe("the store of another server", () => {
  it("a run rejects the store without changing anything in it", async () => {
    const objects = new Map<string, Uint8Array>()
    const host = await startHost({}, { backups: BackupTargetMemory.make(objects) })
    await host.ask("/admin/backups", { method: "POST", auth: basic() })
    await host.close()
    const keys = [...objects.keys()]
    const env = { PUBLIC_URL: "http://localhost:8788" }
    const other = await startHost(env, { backups: BackupTargetMemory.make(objects) })
    const refused = await other.ask("/admin/backups", { method: "POST", auth: basic() })
    assert.strictEqual(refused.status, 500)
    assert.include(refused.body["message"], "holds the backups of http://localhost:8787")
    assert.deepStrictEqual([...objects.keys()], keys)
    await other.close()
  })
})
