import { assert, describe, it } from "@effect/vitest"
import type { Reader, RelayCall } from "../../src/cli/relays/audience.ts"
import { type Facts, judge } from "../../src/cli/relays/judge.ts"
import { readerOf } from "../../src/core/stream/relayReport.ts"

const now = Date.UTC(2026, 10, 28, 12)
const minute = 60_000
const relay = "https://bsky.network"
const call: RelayCall = { relay, at: now - minute, ok: true, status: 200 }

const reader = (more: Partial<Reader> = {}): Reader => ({
  since: now - 60 * minute,
  userAgent: "indigo-relay/v1 (atproto-relay)",
  connected: true,
  seen: now,
  seq: 41,
  behind: 0,
  ...more
})

const known = (more: object = {}): Facts["claim"] => ({
  kind: "known",
  seq: 41,
  status: "active",
  rev: undefined,
  ...more
})

const late = { behind: 3, waiting: now - 11 * minute }
const onItsWay = { behind: 3, waiting: now - minute }
const silent = { kind: "silent", why: "it hung up" } as const
const unknown = { kind: "unknown", why: "host not found" } as const

const judged = (facts: Partial<Facts>) => judge({ relay, claim: known(), call, ...facts }, now)

describe("a relay", () => {
  it("a relay passes when it has read everything or only lags by new events", () => {
    assert.isTrue(judged({ place: { behind: 0 }, rev: undefined }).ok)
    assert.isTrue(judged({ place: onItsWay }).ok)
    assert.isTrue(judged({ place: onItsWay, claim: known({ rev: "3a" }), rev: "3b" }).ok)
    assert.isTrue(judged({ claim: silent, reader: reader() }).ok)
  })

  it("a relay fails when an event has been unread for too long", () => {
    const { ok, detail, fix } = judged({ place: late })
    assert.isFalse(ok)
    assert.include(detail, "3 events behind, since 2026-11-28 11:49 UTC")
    assert.include(fix, "Write a post")
    assert.isFalse(judged({ claim: silent, reader: reader({ connected: false, ...late }) }).ok)
  })

  it("a relay fails when it has read past a commit without keeping it", () => {
    const { ok, detail } = judged({
      place: { behind: 0 },
      claim: known({ rev: "3a" }),
      rev: "3b"
    })
    assert.isFalse(ok)
    assert.include(detail, "rev 3a")
  })

  it("a relay fails when it says that it doesn't read this server", () => {
    for (const status of ["offline", "throttled", "banned"]) {
      const { ok, fix } = judged({ claim: known({ status }), place: { behind: 0 } })
      assert.isFalse(ok, status)
      assert.isDefined(fix, status)
    }
  })

  it("a relay that never connected fails, with the likely reason", () => {
    assert.match(judged({ claim: unknown }).detail, /host not found; called at .* and accepted/)
    assert.include(judged({ claim: unknown }).fix, "wss")
    const refused = { relay, at: now, ok: false, status: 403, message: "HostBanned" }
    assert.match(judged({ claim: unknown, call: refused }).detail, /and rejected: 403 HostBanned/)
    assert.match(
      judged({ claim: unknown, call: { relay, ok: false } }).detail,
      /hasn't called it yet/
    )
    assert.match(
      judged({ claim: silent }).detail,
      /it hung up; no reader identifies itself as a relay/
    )
    assert.isFalse(judged({ claim: silent, call: undefined }).ok)
  })

  it("a relay that disconnected fails, with the time when it was last seen", () => {
    const gone = reader({ connected: false, seen: now - 90 * minute })
    const { ok, detail } = judged({ claim: silent, reader: gone })
    assert.isFalse(ok)
    assert.include(detail, "last seen at 2026-11-28 10:30 UTC")
  })

  it("a relay is matched to a reader by its name, or as the only one that calls itself a relay", () => {
    const other = { relay: "https://relay.example", ok: true }
    const nameless = reader()
    const named = reader({ userAgent: "relay.example/2 (atproto-relay)" })
    const app = reader({ userAgent: "an app" })
    assert.strictEqual(readerOf(relay, [call], [app, nameless]), nameless)
    assert.strictEqual(readerOf(relay, [call], [app]), undefined)
    assert.strictEqual(readerOf(other.relay, [call, other], [nameless, named]), named)
    assert.strictEqual(readerOf(relay, [call, other], [nameless, named]), undefined)
  })
})
