import { assert, describe, it } from "@effect/vitest"
import { networkOf } from "../../src/core/identity/ipAddress.ts"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import {
  type Connection,
  greetingOf,
  Subscriptions
} from "../../src/layers/stream/Subscriptions.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { events } from "./sequencer.contract.ts"

const hour = 3600 * 1000
const start = Date.UTC(2026, 10, 1)

/** Subscriptions over a log that counts its notes, with the test's clock. */
const made = () => {
  const log = new EventLog(SqlStorageNode.make(SqlStorageNode.open(":memory:")), () => clock.now)
  const clock = { now: start }
  let written = 0
  const setNote = log.setNote.bind(log)
  log.setNote = (name, value) => {
    written += 1
    setNote(name, value)
  }
  const standing = new Map<string, Connection>()
  let readers = new Subscriptions(
    log,
    () => clock.now,
    () => false
  )
  const all = () => standing.values()
  return {
    log,
    clock,
    written: () => written,
    told: () => readers.all(all()),
    hourly: () => readers.hourly(all),
    come: (id: string, about: Partial<Connection> = {}) => {
      standing.set(id, { id, since: clock.now, position: "live", userAgent: id, ...about })
      readers.came(all)
    },
    go: (id: string) => {
      const connection = standing.get(id)
      standing.delete(id)
      if (connection !== undefined) readers.went(connection, all)
    },
    /** Recreates the object; the connections in `kept` survive. */
    restart: (...kept: ReadonlyArray<string>) => {
      for (const id of standing.keys()) if (!kept.includes(id)) standing.delete(id)
      readers = new Subscriptions(
        log,
        () => clock.now,
        (id) => standing.has(id)
      )
    }
  }
}

describe("the readers of the stream", () => {
  it("readers are remembered over a restart, whether they left before or were cut off", () => {
    const { log, clock, told, come, go, restart } = made()
    come("gone")
    come("stays")
    come("cut", { cursor: 5, position: 5 })
    go("gone")
    const a = events("did:example:a")
    log.append("did:example:a", [a.identity(), a.identity()])
    clock.now += 60_000
    restart("stays")
    assert.deepStrictEqual(
      told().map(({ userAgent, connected, behind }) => [userAgent, connected, behind]),
      [
        ["stays", true, 0],
        ["cut", false, 2],
        ["gone", false, 2]
      ]
    )
    assert.deepInclude(told()[1], { cursor: 5, seq: 5, since: start, seen: start })
  })

  it("a reader costs a row to connect, one to disconnect and one an hour, and none for an event", () => {
    const { clock, written, come, go, hourly } = made()
    for (let time = 0; time < 1000; time++) hourly()
    assert.strictEqual(written(), 0)
    come("one")
    come("two")
    assert.strictEqual(written(), 2)
    for (let time = 0; time < 1000; time++) hourly()
    assert.strictEqual(written(), 2)
    clock.now += hour
    for (let time = 0; time < 1000; time++) hourly()
    assert.strictEqual(written(), 3)
    go("one")
    assert.strictEqual(written(), 4)
  })

  it("a reader costs no more rows if the object sleeps after each event", () => {
    const { clock, written, come, go, hourly, restart } = made()
    come("went")
    come("stays")
    go("went")
    const before = written()
    for (let time = 0; time < 50; time++) {
      clock.now += 60_000
      restart("stays")
      hourly()
    }
    assert.strictEqual(written(), before)
    go("stays")
    const after = written()
    for (let time = 0; time < 50; time++) {
      clock.now += hour
      restart()
      hourly()
    }
    assert.strictEqual(written(), after)
  })

  it("a reader's last time is known within the hour if the object ended without notice", () => {
    const { clock, told, come, hourly, restart } = made()
    come("relay")
    for (let minute = 0; minute < 150; minute++) {
      clock.now += 60_000
      hourly()
    }
    restart()
    const [relay] = told()
    assert.strictEqual(relay?.connected, false)
    assert.strictEqual(relay?.seen, start + 2 * hour)
  })

  it("a client that keeps reconnecting causes few writes and one entry", () => {
    const { clock, written, told, come, go } = made()
    come("relay")
    for (let time = 0; time < 1000; time++) {
      come("flapping")
      go("flapping")
    }
    assert.isAtMost(written(), 31)
    assert.deepStrictEqual(
      told().map(({ userAgent }) => userAgent),
      ["relay", "flapping"]
    )
    clock.now += 30_000
    const before = written()
    come("flapping")
    assert.strictEqual(written(), before + 1)
  })

  it("the last twenty readers are remembered for a month", () => {
    const { log, clock, told, come, go, hourly, restart } = made()
    for (let one = 0; one < 30; one++) {
      clock.now += 60_000
      come(`reader ${one}`)
      go(`reader ${one}`)
    }
    assert.lengthOf(told(), 20)
    assert.strictEqual(told()[0]?.userAgent, "reader 29")
    clock.now += 31 * 24 * hour
    assert.lengthOf(told(), 0)
    restart()
    assert.lengthOf(told(), 0)
    assert.include(log.note("readers"), "reader 29")
    hourly()
    assert.strictEqual(log.note("readers"), "[]")
  })

  it("a reader is shown by network rather than address, and in plain text", () => {
    const of = (address: string, userAgent: string) =>
      greetingOf(new Headers({ "cf-connecting-ip": address, "user-agent": userAgent }))
    assert.deepStrictEqual(of("203.0.113.77", "relay/1 (atproto-relay)"), {
      userAgent: "relay/1 (atproto-relay)",
      network: "203.0.113.0/24"
    })
    assert.strictEqual(of("203.0.113.77", "\u009b31mred").userAgent, "?31mred")
    assert.lengthOf(of("", "x".repeat(900)).userAgent ?? "", 200)
    assert.deepStrictEqual(greetingOf(new Headers()), {})
    assert.strictEqual(networkOf("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48")
    assert.strictEqual(networkOf("2001:db8::6"), "2001:db8:0::/48")
    assert.strictEqual(networkOf("::ffff:203.0.113.77"), "203.0.113.0/24")
    assert.strictEqual(networkOf("unknown"), undefined)
    assert.strictEqual(networkOf("300.1.1.1"), undefined)
  })
})
