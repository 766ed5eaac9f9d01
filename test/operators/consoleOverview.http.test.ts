import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Counters, flushCounters, keptRequestHours } from "../../src/services/operators/Counters.ts"
import { HostCounts, keptHours } from "../../src/services/operators/HostCounts.ts"
import { notePastHours } from "../../src/services/operators/pastHours.ts"
import { storageDays, sumStorage } from "../../src/services/operators/watch/storage.ts"
import { WatchNotes } from "../../src/services/operators/WatchNotes.ts"
import { CurrentRequest, currentRequest } from "../../src/http/CurrentRequest.ts"
import type { Operating } from "../../src/http/pages/console/operating.ts"
import { bytes } from "../../src/http/pages/text/consolePeople.ts"
import { lineOf, overviewPage, streamLines } from "../../src/http/pages/console/overview.ts"
import { Readiness } from "../../src/services/host/Readiness.ts"
import { Sequencer, SequencerUnavailable } from "../../src/services/stream/Sequencer.ts"
import { ask } from "../support/http/accountPages.ts"
import { enterConsole, look, makeOperator, type Operator } from "../support/http/consolePages.ts"
import { signUp, startWorld, type World } from "../support/http/httpWorld.ts"

const hour = 3_600_000

let world: World
let admin: Operator

beforeAll(async () => {
  world = await startWorld()
  admin = await makeOperator(world, "admin-op", "admin")
})
afterAll(() => world.close())

const overview = async (): Promise<string> => {
  const shown = await look(await enterConsole(world, admin), "")
  assert.strictEqual(shown.status, 200)
  return shown.text
}

describe("the console's first page", () => {
  it("the page names a member who waits for a code that no mail brings", async () => {
    assert.notInclude(await overview(), "waits for a code")
    const who = await signUp(world, "waiting")
    await ask(world, who.did, "requestPasswordReset")
    const text = await overview()
    assert.include(text, `${who.handle} waits for a code to set a new password`)
    assert.include(text, `/admin/console/account?did=${encodeURIComponent(who.did)}`)
    world.advance(hour)
    assert.notInclude(await overview(), "waits for a code")
  })

  it("the page lists each dependency, and what isn't set up with its command", async () => {
    const text = await overview()
    for (const name of ["Database", "Blob store", "Event log", "Backups", "Mail", "Version"]) {
      assert.include(text, name)
    }
    assert.include(text, "No backup store is configured")
    assert.include(text, "npx nacre backup --help")
  })

  it("each fault comes first, with the command or page that mends it, though nothing responds", async () => {
    const view = await ask(world, admin.did, "security")
    const device = { id: "a", createdAt: 0, seenAt: 0, userAgent: undefined, address: "" }
    const operating: Operating = {
      visitor: { device, csrf: "", cookies: [] },
      account: { did: admin.did, authenticatedAt: world.now(), remembered: true },
      view,
      role: "admin",
      now: world.now(),
      tabs: [],
      notice: undefined
    }
    const url = new URL("http://pds.example.com/admin")
    const unavailable = Effect.fail(
      new SequencerUnavailable({ operation: "a test", cause: new Error("broken") })
    )
    const error = Effect.succeed("error" as const)
    const { body } = await world.beneath(
      Effect.gen(function* () {
        const sequencer = yield* Sequencer
        return yield* overviewPage.show(operating, url.searchParams).pipe(
          Effect.provideService(Sequencer, { ...sequencer, subscribers: () => unavailable }),
          Effect.provideService(Readiness, {
            d1: error,
            r2: error,
            sequencer: error,
            disk: Effect.succeed("full" as const),
            backups: Effect.succeed({ lastGoodAt: 1, faulty: 2, isLate: true }),
            alerts: Effect.undefined
          }),
          Effect.provideService(CurrentRequest, currentRequest(new Request(url), url))
        )
      })
    )
    const text = body.toString()
    assert.include(text, "6 things need you.")
    assert.strictEqual(text.match(/npx nacre logs/g)?.length, 3)
    assert.include(text, "Full. Make room")
    assert.include(text, "npx nacre backup now")
    assert.include(text, "2 accounts or objects failed")
    assert.include(text, "PUBLIC_URL")
    assert.isBelow(text.lastIndexOf('tag bad"'), text.indexOf('tag good"'))
  })

  it("a relay that rejected the request is a fault with its response, escaped", async () => {
    const relays = [
      { relay: "https://relay.example.com", at: world.now(), ok: false, message: "<b>no</b>" },
      { relay: "https://other.example.com", at: world.now(), ok: true },
      { relay: "https://new.example.com", ok: false }
    ]
    const text = streamLines({ seq: 1, readers: [], places: [], relays }, world.now())
      .map((line) => lineOf(line).toString())
      .join("")
    assert.include(text, "&lt;b&gt;no&lt;/b&gt;")
    assert.include(text, "npx nacre relays")
    assert.deepStrictEqual(
      [...text.matchAll(/class="tag (\w*)"/g)].map(([, kind]) => kind),
      ["bad", "good", "", "good"]
    )
  })

  it("the charts show each past hour once, and every event and sign-up in one of them", async () => {
    const tick = () => world.beneath(notePastHours)
    const hours = () => world.beneath(Effect.flatMap(HostCounts, (counts) => counts.hours(0)))
    await tick()
    world.advance(hour)
    await signUp(world, "late-one")
    world.advance(hour)
    await tick()
    await tick()
    const noted = await hours()
    assert.strictEqual(new Set(noted.map((one) => one.hour)).size, noted.length)
    const { events } = await world.beneath(Effect.flatMap(Sequencer, ({ status }) => status))
    const { accounts } = await Effect.runPromise(world.directory.list({ limit: 100 }))
    const sum = (of: "events" | "signUps") => noted.reduce((total, one) => total + one[of], 0)
    assert.isAbove(events, 10)
    assert.deepStrictEqual([sum("events"), sum("signUps")], [events, accounts.length])
    const text = await overview()
    assert.match(text, /24 hours: \d+ in total, at most \d+ in an hour/)
    assert.match(text, /aria-label="Sign-ups, 30 days: \d+ in total/)
    world.advance((keptHours + 30) * hour)
    await tick()
    const kept = await hours()
    assert.isTrue(kept.every((one) => one.hour >= Math.floor(world.now() / hour) - keptHours))
  })

  it("the chart of requests shows what was answered in each hour, and that some were refused", async () => {
    const counted = async () => {
      await world.beneath(flushCounters)
      const hours = await world.beneath(
        Effect.flatMap(Counters, (counters) => counters!.requests(0))
      )
      return hours.reduce(
        (sums, { ok: good, refused, failed }) => [
          sums[0]! + good,
          sums[1]! + refused,
          sums[2]! + failed
        ],
        [0, 0, 0]
      )
    }
    const [good, refused, failed] = await counted()
    for (let at = 0; at < 3; at++) await world.ask("/xrpc/_health")
    for (let at = 0; at < 2; at++) await world.ask("/nothing-here")
    assert.deepStrictEqual(await counted(), [good! + 3, refused! + 2, failed!])
    const text = await overview()
    assert.match(
      text,
      /Requests, 24 hours: \d+ in total, at most \d+ in an hour, \d+ refused, 0 failed/
    )
    assert.match(text, /Requests, 30 days: \d+ in total/)
    assert.include(text, "The counts of a process’s last minute can be missing")
    world.advance((keptRequestHours + 2) * hour)
    assert.deepStrictEqual(await counted(), [0, 0, 0])
  })

  it("the chart of storage shows the newest sum of each day, and only 30 days are kept", async () => {
    const day = 24 * hour
    const today = Math.floor(world.now() / day) + 1
    const tomorrow = today + 1
    // Far from midnight, where the test itself would cross into another day.
    world.advance(today * day + hour - world.now())
    await world.beneath(notePastHours)
    assert.notInclude(await overview(), "Stored blobs")
    // A note of the version before, which kept no days.
    const sum = { accounts: 1, records: 1, blobBytes: 1 }
    await world.beneath(
      Effect.flatMap(WatchNotes, (notes) =>
        notes.set("storage", { begunAt: 0, sum, last: { ...sum, at: 0 } })
      )
    )
    assert.notInclude(await overview(), "Stored blobs")
    const { accounts } = await Effect.runPromise(world.directory.list({ limit: 100 }))
    assert.isBelow(accounts.length, 20)
    const stored = async () => {
      const sizes = await Promise.all(accounts.map(({ did }) => ask(world, did, "size")))
      return sizes.reduce((all, { used }) => all + used, 0)
    }
    await world.beneath(sumStorage)
    const before = await stored()
    assert.deepStrictEqual(await world.beneath(storageDays), [{ day: today, blobBytes: before }])
    const size = bytes(before)
    assert.include(
      await overview(),
      `aria-label="Stored blobs, 30 days: ${size} at the last count, at most ${size}"`
    )
    world.advance(tomorrow * day + hour - world.now())
    await world.beneath(sumStorage)
    await signUp(world, "fuller")
    world.advance(7 * hour)
    await world.beneath(sumStorage)
    const { used } = await ask(world, "did:web:fuller.test", "size")
    assert.isAbove(used, 0)
    assert.deepStrictEqual((await world.beneath(storageDays)).slice(1), [
      { day: tomorrow, blobBytes: before + used }
    ])
    for (let at = 0; at < 32; at++) {
      world.advance(day)
      await world.beneath(sumStorage)
    }
    const days = await world.beneath(storageDays)
    const last = Math.floor(world.now() / day)
    assert.deepStrictEqual(
      days.map((one) => one.day),
      Array.from({ length: 30 }, (_, at) => last - 29 + at)
    )
  })
})
