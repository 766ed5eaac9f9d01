import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nearLimits, stoppedBy, throttledBy } from "../../../src/core/stream/relayReport.ts"
import { relaysReport } from "../../../src/services/operators/watch/relays.ts"
import { watch } from "../../../src/services/operators/watch/watch.ts"
import { servicesOf, watching } from "./watchWorld.ts"

const relay = "https://relay.example"
const minute = 60_000

describe("what the watch concludes of a relay", () => {
  const reading = { isAnybodyCurrent: false, newest: 0 }
  const known = { kind: "known" } as const
  const late = { behind: 3, waiting: 0 }

  it("a relay has stopped if its next event waits for more than a quarter of an hour", () => {
    const at = (millis: number) => stoppedBy({ ...reading, claim: known, place: late }, millis)
    assert.isUndefined(at(15 * minute))
    assert.include(at(16 * minute), "3 events behind")
  })

  it("a relay that says nothing is judged by its connection, or by that of nobody", () => {
    const claim = { kind: "silent", why: "status 501" } as const
    const at = (more: object) => stoppedBy({ ...reading, claim, ...more }, 60 * minute)
    assert.isDefined(at({ reader: { ...late, connected: true } }))
    assert.isUndefined(at({ reader: { behind: 0, connected: true } }))
    assert.isUndefined(at({ isAnybodyCurrent: true }))
    assert.isDefined(at({}))
    assert.isUndefined(at({ newest: undefined }))
  })

  it("a relay that doesn't know the server, or says that it's offline, has stopped", () => {
    assert.isDefined(stoppedBy({ ...reading, claim: { kind: "unknown", why: "x" } }, 0))
    assert.isDefined(stoppedBy({ ...reading, claim: { ...known, status: "offline" } }, 0))
    assert.isUndefined(stoppedBy({ ...reading, claim: { ...known, status: "idle" } }, 0))
  })

  it("a relay throttles if it says so of the server or of an account", () => {
    assert.include(throttledBy({ ...known, status: "throttled" }, []), "throttled")
    assert.include(throttledBy(known, ["did:plc:a", "did:plc:b"]), "did:plc:a and 1 others")
    assert.isUndefined(throttledBy({ ...known, status: "active" }, []))
  })

  it("the warning comes at 70 % of a limit, unless the relay has raised its limits", () => {
    const few = { hour: 1049, day: 6999, accounts: 69 }
    assert.isUndefined(nearLimits(known, few))
    assert.strictEqual(
      nearLimits(known, { ...few, hour: 1050 }),
      "1050 events in the last hour, of 1500"
    )
    assert.isDefined(nearLimits(known, { ...few, day: 7000 }))
    assert.isDefined(nearLimits(known, { ...few, accounts: 70 }))
    assert.isUndefined(nearLimits({ ...known, accounts: 101 }, { ...few, accounts: 120 }))
  })
})

describe("the watch over relays", () => {
  const watchingRelays = (body: Parameters<typeof watching>[0]) =>
    watching(
      (watched, looks) => {
        watched.relays.push({ relay, ok: true })
        watched.seq = 9 * 24 * 3_600_000_000
        return body(watched, looks)
      },
      (watched, database) =>
        Effect.flatMap(servicesOf(watched, database), (services) =>
          Effect.andThen(
            watch,
            Effect.tap(relaysReport, (report) => Effect.sync(() => (watched.report = report)))
          ).pipe(Effect.provide(services))
        )
    )

  it.effect("a relay that has stopped is asked again at once, and then ever less often", () =>
    watchingRelays((watched, looks) =>
      Effect.gen(function* () {
        watched.claim = { kind: "known", status: "active", seq: 5 }
        yield* looks(2)
        assert.deepStrictEqual([watched.asked.length, watched.mailed()], [0, []])
        watched.unread = 4
        yield* looks(2)
        assert.strictEqual(watched.asked.length, 1)
        assert.deepStrictEqual(watched.mailed(), [
          "ops@example.com: A relay has stopped reading (pds.host)"
        ])
        assert.deepStrictEqual(
          watched.report?.relays.map(({ behind, askedAgain }) => [behind, askedAgain]),
          [[4, 1]]
        )
        yield* looks(12)
        assert.strictEqual(watched.asked.length, 2)
        yield* looks(12)
        assert.strictEqual(watched.asked.length, 2)
        yield* looks(12)
        assert.strictEqual(watched.asked.length, 3)
        watched.unread = 0
        yield* looks(2)
        assert.deepStrictEqual(watched.mailed(), [
          "ops@example.com: Over: A relay has stopped reading (pds.host)"
        ])
        watched.unread = 4
        yield* looks(1)
        assert.strictEqual(watched.asked.length, 4)
      })
    )
  )

  it.effect("a throttled server is reported once, and its end once", () =>
    watchingRelays((watched, looks) =>
      Effect.gen(function* () {
        watched.claim = { kind: "known", status: "throttled", seq: 5 }
        yield* looks(4)
        assert.strictEqual(watched.mailed().length, 1)
        watched.claim = { kind: "known", status: "active", seq: 5 }
        yield* looks(3)
        assert.strictEqual(watched.mailed().length, 1)
      })
    )
  )

  it.effect("a reader's rate is what it was sent between two looks", () =>
    watchingRelays((watched, looks) =>
      Effect.gen(function* () {
        watched.claim = { kind: "known", status: "active", seq: 5 }
        watched.readers.push({ id: "r", since: 0, seen: 0, seq: 7, behind: 0, connected: true })
        yield* looks(1)
        watched.sinceReader = 600
        yield* looks(1)
        assert.strictEqual(watched.report?.readers["r"]?.rate, 2)
      })
    )
  )
})
