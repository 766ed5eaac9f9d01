import { assert, describe, it } from "@effect/vitest"
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import { begin, catchUp } from "../../src/layers/stream/feed.ts"
import type { Subscriber } from "../../src/layers/stream/room.ts"
import { listRepos } from "../../src/layers/stream/repos.ts"
import { carBytes } from "../../src/core/repo/car.ts"
import { CarParser } from "../../src/core/repo/carParser.ts"
import { encode } from "../../src/core/repo/cbor.ts"
import { cidForCbor } from "../../src/core/repo/cid.ts"
import { commitFrame } from "../../src/core/repo/frame.ts"
import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import type { OutboxEvent } from "../../src/services/stream/Sequencer.ts"
import { collector, events } from "./sequencer.contract.ts"

/** How long an event is kept: three days. */
const keptFor = 72 * 3_600_000

const did = "did:example:a"
const start = Date.UTC(2026, 10, 20)
const hour = 3600 * 1000

/** A log with the test's clock, and a function that reopens it as after a restart. */
const world = () => {
  const sql = make(open(":memory:"))
  const clock = { now: start }
  const reopen = () => new EventLog(sql, () => clock.now)
  // Ids are microseconds, as an outbox assigns them.
  return { sql, clock, reopen, log: reopen(), make: events(did, start * 1000) }
}

const take = (log: EventLog, ...batch: ReadonlyArray<OutboxEvent>) => log.append(did, batch).frames

/** For logs without damage. */
const unreported = (message: string) => assert.fail(message)

/** A commit with a record of this many bytes. */
const commitEvent = (id: number, bytes: number): OutboxEvent => {
  const [block, record] = [encode({ commit: id }), new Uint8Array(bytes)]
  const commit = cidForCbor(block)
  const blocks = carBytes(commit, [
    { cid: cidForCbor(record), bytes: record },
    { cid: commit, bytes: block }
  ])
  const [repo, rev, time] = ["did:example:b", `3commit${id}`, new Date(start).toISOString()]
  const frame = commitFrame({ repo, commit, rev, since: null, blocks, ops: [], time })
  return {
    id,
    kind: "commit",
    frame: frame.bytes,
    seqOffset: frame.seqOffset,
    head: { commit: commit.toString(), rev }
  }
}

const reader = () => {
  const { seen, add } = collector()
  const closes: Array<number> = []
  const subscriber: Subscriber = {
    position: "live",
    send: add,
    close: (code) => closes.push(code)
  }
  return { seen, closes, subscriber }
}

describe("the log's sequence numbers", () => {
  it("sequence numbers are the time in microseconds, or the last one plus one", () => {
    const { log, make } = world()
    const [first, second] = take(log, make.identity(), make.identity())
    assert.strictEqual(first?.seq, start * 1000)
    assert.strictEqual(second?.seq, start * 1000 + 1)
  })

  it("sequence numbers increase when the clock steps back, and after a restart", () => {
    const { log, clock, make, reopen } = world()
    const [first] = take(log, make.identity())
    clock.now -= hour
    const [second] = take(log, make.identity())
    assert.strictEqual(second?.seq, (first?.seq ?? 0) + 1)
    const [third] = take(reopen(), make.identity())
    assert.strictEqual(third?.seq, (first?.seq ?? 0) + 2)
  })

  it("sequence numbers increase after storage was lost or restored", () => {
    const { log, make } = world()
    const sent = Array.from({ length: 5000 }, () => make.identity())
    const last = take(log, ...sent).at(-1)?.seq ?? 0
    const later = world()
    later.clock.now = start + 1000
    const [next] = take(later.log, make.identity())
    assert.isAbove(next?.seq ?? 0, last)
  })

  it("sequence numbers increase after everything was pruned and the clock went back", () => {
    const { log, clock, make, reopen } = world()
    const [only] = take(log, make.identity())
    clock.now += keptFor + hour
    assert.isFalse(log.prune())
    assert.strictEqual(log.count(), 0)
    clock.now = start - hour
    const again = reopen()
    assert.strictEqual(again.newest, only?.seq)
    assert.strictEqual(take(again, make.identity())[0]?.seq, (only?.seq ?? 0) + 1)
  })

  it("stored frames contain their sequence numbers", () => {
    const { log, make } = world()
    take(log, make.head("3a"), make.account(true), make.identity())
    const { seen, subscriber } = reader()
    begin(log, subscriber, 0)
    assert.isTrue(catchUp(log, subscriber, unreported))
    assert.deepStrictEqual(
      seen.map(({ seq }) => seq),
      [start * 1000, start * 1000 + 1, start * 1000 + 2]
    )
  })
})

describe("pruning", () => {
  it("pruning keeps 72 hours, works in steps and removes the parts of long frames", () => {
    const { log, clock, make, sql } = world()
    const kept = keptFor / hour
    assert.strictEqual(kept, 72)
    take(log, ...Array.from({ length: 2500 }, () => make.identity()), make.head("3a", 2_100_000))
    clock.now += 10 * hour
    take(log, make.head("3b", 2_100_000))
    clock.now = start + keptFor
    assert.strictEqual(log.count(), 2502)
    clock.now += hour
    let steps = 1
    while (log.prune()) steps += 1
    assert.strictEqual(steps, 3)
    assert.strictEqual(log.count(), 1)
    const parts = [...sql.exec("SELECT DISTINCT seq FROM event_part").raw()]
    assert.deepStrictEqual(parts, [[log.newest]])
  })

  it("nextPrune is when the oldest event expires, and undefined without events", () => {
    const { log, clock, make } = world()
    assert.isUndefined(log.nextPrune())
    take(log, make.identity())
    const due = log.nextPrune() ?? 0
    assert.isAtLeast(due, start + keptFor)
    clock.now = due
    log.prune()
    assert.isUndefined(log.nextPrune())
  })

  it("pruning keeps events for the given time", () => {
    const { clock, make, sql } = world()
    const log = new EventLog(sql, () => clock.now, undefined, 24 * hour)
    take(log, make.identity())
    assert.isAtLeast(log.nextPrune() ?? 0, start + 24 * hour)
    clock.now = start + 24 * hour - 1
    log.prune()
    assert.strictEqual(log.count(), 1)
    clock.now = log.nextPrune() ?? 0
    log.prune()
    assert.strictEqual(log.count(), 0)
  })

  it("pruning keeps the heads of repos, and eventually forgets deleted accounts", () => {
    const { log, clock, make, sql } = world()
    const gone = events("did:example:gone", start * 1000)
    log.append("did:example:gone", [gone.head("3g"), gone.account(false, "deleted")])
    take(log, make.head("3a"))
    const rows = () => [...sql.exec("SELECT did FROM repo ORDER BY did").raw()].flat()
    log.prune()
    assert.deepStrictEqual(rows(), [did, "did:example:gone"])
    clock.now += keptFor + hour
    log.prune()
    assert.deepStrictEqual(rows(), [did])
    assert.strictEqual(listRepos(sql, { limit: 5 }).repos[0]?.rev, "3a")
  })

  it("a reader from before the window gets OutdatedCursor and continues at the oldest event", () => {
    const { log, clock, make } = world()
    const [old] = take(log, make.identity())
    clock.now += keptFor
    take(log, make.identity())
    clock.now += hour
    log.prune()
    for (const cursor of [0, -1, -1000, 5, (old?.seq ?? 0) - 1]) {
      const { seen, subscriber } = reader()
      begin(log, subscriber, cursor)
      catchUp(log, subscriber, unreported)
      assert.strictEqual(seen[0]?.t, "#info")
      assert.deepStrictEqual(seen[0]?.body["name"], "OutdatedCursor")
      assert.deepStrictEqual(
        seen.slice(1).map(({ seq }) => seq),
        [log.newest]
      )
    }
    // A reader of the last pruned event misses nothing.
    const { seen, subscriber } = reader()
    begin(log, subscriber, old?.seq)
    catchUp(log, subscriber, unreported)
    assert.deepStrictEqual(
      seen.map(({ t }) => t),
      ["#identity"]
    )
  })

  it("a replay that pruning overtakes still reaches the head", () => {
    const { log, clock, make } = world()
    const { seen, subscriber } = reader()
    take(log, ...Array.from({ length: 1500 }, () => make.identity()))
    begin(log, subscriber, 0)
    assert.isFalse(catchUp(log, subscriber, unreported))
    clock.now += keptFor + hour
    while (log.prune());
    assert.isTrue(catchUp(log, subscriber, unreported))
    assert.strictEqual(subscriber.position, "live")
    assert.strictEqual(seen.length, 1001)
    assert.strictEqual(seen.at(-1)?.body["name"], "OutdatedCursor")
  })
})

describe("a log without room", () => {
  const step = { events: 1000, bytes: 200_000 }
  const other = "did:example:b"
  const small = { most: 3_000_000, near: 3_000_000, large: 10_000, step }

  it("a full log drops its oldest events at any age and reports it to older readers", () => {
    const { sql, make } = world()
    const log = new EventLog(sql, () => start, small)
    const [first] = take(log, make.identity())
    log.append(other, [events(other, start * 1000).identity()])
    for (let at = 0; at < 100; at++) {
      take(log, make.head("3a", 200_000))
      assert.isAtMost(sql.size(), small.most + 500_000)
    }
    const late = log.append(other, [events(other, start * 1000 + 9).identity()]).frames
    assert.isAbove(log.prunedTo, first?.seq ?? 0)
    const { seen, subscriber } = reader()
    begin(log, subscriber, first?.seq)
    while (!catchUp(log, subscriber, unreported));
    assert.strictEqual(seen[0]?.body["name"], "OutdatedCursor")
    assert.isAbove(seen.length, 10)
    assert.strictEqual(seen.at(-1)?.seq, late[0]?.seq)
  })

  it("a log with little room stores a large commit as #sync under its number, but sends it in full", () => {
    const { sql, make } = world()
    const log = new EventLog(sql, () => start, { ...small, near: 600_000 })
    const commits = [commitEvent(1, 5000), commitEvent(2, 50_000), commitEvent(3, 50_000)]
    const live = commits.flatMap((commit, at) => {
      if (at === 2) take(log, make.head("3a", 700_000))
      return log.append(other, [commit]).frames
    })
    const { seen, subscriber } = reader()
    begin(log, subscriber, 0)
    while (!catchUp(log, subscriber, unreported));
    assert.deepStrictEqual(
      seen.filter(({ size }) => size < 600_000).map(({ t, seq }) => [t, seq]),
      [
        ["#commit", live[0]?.seq],
        ["#commit", live[1]?.seq],
        ["#sync", live[2]?.seq]
      ]
    )
    assert.isAbove(live[2]?.frame.byteLength ?? 0, 50_000)
    const sync = seen.at(-1)
    assert.isBelow(sync?.size ?? 0, 1000)
    assert.deepInclude(sync?.body, { did: other, rev: "3commit3" })
    const car = new CarParser()
    car.push(sync?.body["blocks"] as Uint8Array)
    assert.strictEqual(car.roots?.[0]?.toString(), commits[2]?.head?.commit)
    assert.strictEqual(car.next()?.cid.toString(), commits[2]?.head?.commit)
    assert.isUndefined(car.next())
  })

  it("full storage makes room for everyone except the account that holds most of it", () => {
    const database = open(":memory:")
    database.exec("PRAGMA max_page_count = 1000")
    const log = new EventLog(make(database), () => start)
    const a = events(did, start * 1000)
    const fill = (bytes: number) => {
      for (;;) take(log, a.head("3a", bytes))
    }
    for (const bytes of [200_000, 2000, 10]) assert.throws(() => fill(bytes), "full")
    const b = events(other, start * 1000)
    assert.strictEqual(log.append(other, [b.head("3b", 300_000)]).frames.length, 1)
    assert.isAbove(log.prunedTo, 0)
    // There is room for the one that waited, too, now that it holds less.
    assert.strictEqual(take(log, a.identity()).length, 1)
  })
})

describe("a page of a replay", () => {
  it("a page of a replay has limited bytes, except for a single frame", () => {
    const { log, make } = world()
    for (let at = 0; at < 6; at++) take(log, make.head("3a", 400_000))
    take(log, make.head("3b", 4_000_000), make.identity())
    const { seen, subscriber } = reader()
    begin(log, subscriber, 0)
    const pages: Array<number> = []
    for (let before = 0, head = false; !head; before = seen.length) {
      head = catchUp(log, subscriber, unreported)
      pages.push(seen.length - before)
    }
    assert.deepStrictEqual(pages, [3, 3, 1, 1])
  })
})

describe("a damaged page of the log", () => {
  /** A log of 400 events in a file with an overwritten page in the middle. */
  const damaged = (bounds?: ConstructorParameters<typeof EventLog>[2]) => {
    const folder = mkdtempSync(join(tmpdir(), "nacre-log-"))
    const path = join(folder, "log.sqlite")
    const before = open(path)
    const a = events(did, start * 1000)
    const batch = Array.from({ length: 400 }, () => a.head("3a", 1000))
    const taken = new EventLog(make(before), () => start).append(did, batch).frames
    before.exec("PRAGMA wal_checkpoint(TRUNCATE)")
    const pages = Number(Object.values(before.prepare("PRAGMA page_count").get() ?? {})[0])
    before.close()
    const file = openSync(path, "r+")
    const page = new Uint8Array(4096).fill(0xab)
    writeSync(file, page, 0, page.length, Math.floor(pages / 2) * page.length)
    closeSync(file)
    const after = open(path)
    const clock = { now: start }
    return {
      log: new EventLog(make(after), () => clock.now, bounds),
      make: a,
      taken,
      clock,
      close: () => {
        after.close()
        rmSync(folder, { recursive: true })
      }
    }
  }

  it("a replay that reaches damage ends, and events before and after it stay readable", () => {
    const { log, make, taken, close } = damaged()
    const { seen, closes, subscriber } = reader()
    const reports: Array<string> = []
    begin(log, subscriber, 0)
    while (!catchUp(log, subscriber, (message) => reports.push(message)));
    assert.deepStrictEqual(closes, [1011])
    assert.lengthOf(reports, 1)
    const last = seen.pop()
    assert.strictEqual(last?.body["error"], "InternalServerError")
    assert.deepStrictEqual(
      seen.map(({ seq }) => seq),
      taken.slice(0, seen.length).map(({ seq }) => seq)
    )
    assert.isTrue(seen.length > 50 && seen.length < 350)
    const later = reader()
    begin(log, later.subscriber, taken[390]?.seq)
    while (!catchUp(log, later.subscriber, unreported));
    assert.lengthOf(later.seen, 9)
    assert.strictEqual(log.append(did, [make.identity()]).frames.length, 1)
    close()
  })

  it("a damaged log accepts new events, although it can't be pruned", () => {
    const step = { events: 1000, bytes: 16_000_000 }
    const { log, make, clock, close } = damaged({ most: 1, near: 1, large: 10_000, step })
    clock.now += 2 * keptFor
    assert.throws(() => log.prune(), "malformed")
    for (let at = 0; at < 3; at++) {
      assert.strictEqual(log.append(did, [make.identity()]).frames.length, 1)
    }
    close()
  })
})
