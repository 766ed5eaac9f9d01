import { assert, describe, it } from "@effect/vitest"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import { askBack, begin, publish, replayTurn } from "../../src/layers/stream/feed.ts"
import { type Connected, stuckBytes, unread } from "../../src/layers/stream/room.ts"
import { refuseWithoutSeat, seats } from "../../src/layers/stream/seats.ts"
import { make, open } from "../../src/layers/host/sql/SqlStorageNode.ts"
import { collector, events } from "./sequencer.contract.ts"

const did = "did:example:a"

const unreported = (message: string) => assert.fail(message)

/** A connection whose reader reads on demand; the server learns only from the reply to a close. */
class Peer implements Connected {
  position: number | "live" = "live"
  closedAt: number | undefined
  owed = 0
  readonly closes: Array<number> = []
  readonly frames = collector()
  readonly since: number
  readonly network: string | undefined
  private readonly clock: { readonly now: number }

  constructor(clock: { readonly now: number }, since = 0, network?: string) {
    this.clock = clock
    this.since = since
    this.network = network
  }

  get isOpen() {
    return this.closedAt === undefined
  }

  get last() {
    return this.frames.seen.at(-1)?.seq ?? 0
  }

  send(frame: Uint8Array) {
    if (!this.isOpen) return
    this.frames.add(frame)
    this.owed += frame.byteLength
  }

  close(code: number) {
    if (!this.isOpen) return
    this.closedAt = this.clock.now
    this.closes.push(code)
  }

  letGo() {
    askBack(this)
  }
}

const world = (megabytes: number) => {
  const clock = { now: Date.UTC(2026, 10, 20) }
  const log = new EventLog(make(open(":memory:")), () => clock.now)
  const a = events(did)
  const megabyte = () => log.append(did, [a.head("3a", 1_000_000)]).frames
  for (let at = 0; at < megabytes; at++) megabyte()
  const connected: Array<Peer> = []
  const turn = () => replayTurn(log, connected, clock.now, unreported)
  const connect = (cursor?: number) => {
    const peer = new Peer(clock, connected.length)
    connected.push(peer)
    begin(log, peer, cursor)
    return peer
  }
  const leave = (peer: Peer) => connected.splice(connected.indexOf(peer), 1)
  const owed = () => connected.reduce((sum, peer) => sum + peer.owed, 0)
  return { clock, log, megabyte, connected, connect, leave, turn, owed }
}

describe("subscribers that don't read", () => {
  it("all replays share one memory limit, and the reader that owes the most is asked to reconnect", () => {
    const { connected, connect, turn, owed } = world(40)
    for (let at = 0; at < 10; at++) connect(0)
    while (turn() === "more");
    for (let at = 0; at < 20; at++) assert.strictEqual(turn(), "wait")
    assert.isBelow(owed(), unread.replay + 10 * unread.free + 5_000_000)
    assert.deepStrictEqual(
      connected.flatMap(({ closes }) => closes),
      [1012]
    )
    const [closed] = connected.filter(({ isOpen }) => !isOpen)
    assert.strictEqual(closed?.owed, Math.max(...connected.map((peer) => peer.owed)))
    assert.isTrue(connected.every(({ frames }) => frames.seen.every(({ t }) => t === "#sync")))
  })

  it("readers that reconnect when asked miss no event", () => {
    const { connect, connected, megabyte, leave, turn, owed } = world(0)
    let reader = connect()
    const idle = Array.from({ length: 9 }, () => connect())
    const live: Array<number> = []
    const seen: Array<number> = []
    const comeBack = () => {
      seen.push(...reader.frames.seen.map(({ seq }) => seq))
      leave(reader)
      reader = connect(seen.at(-1))
    }
    for (let at = 0; at < 12; at++) {
      const frames = megabyte()
      live.push(...frames.map(({ seq }) => seq))
      publish(connected, frames)
      turn()
      if (!reader.isOpen) comeBack()
    }
    assert.isBelow(owed(), unread.live + 10 * unread.free + 2_000_000)
    for (const peer of idle) leave(peer)
    while (turn() === "more");
    comeBack()
    assert.deepStrictEqual(seen, live)
  })

  it("a closed connection counts as stuck when it hasn't replied for half a minute", () => {
    const { clock, connected, connect, turn } = world(40)
    connect(0)
    while (turn() === "more");
    turn()
    assert.deepStrictEqual(connected[0]?.closes, [1012])
    assert.strictEqual(stuckBytes(connected, clock.now), 0)
    clock.now += unread.patience
    assert.isAbove(stuckBytes(connected, clock.now), unread.replay - 1)
  })
})

describe("a subscriber that reads", () => {
  it("a reader gets every event once and no error, although each full replay asks it to reconnect", () => {
    const { log, connected, connect, leave, turn } = world(90)
    let cursor = 0
    const seen: Array<number> = []
    let visits = 0
    for (; cursor < log.newest; visits++) {
      const peer = connect(cursor)
      while (peer.isOpen && turn() === "more");
      turn()
      assert.isTrue(peer.frames.seen.every(({ t }) => t === "#sync"))
      seen.push(...peer.frames.seen.map(({ seq }) => seq))
      cursor = peer.last
      leave(peer)
    }
    assert.lengthOf(connected, 0)
    assert.isAbove(visits, 2)
    assert.isBelow(visits, 6)
    assert.deepStrictEqual(
      seen,
      log.after(0, { frames: 1000, bytes: 1e9 }).map(({ seq }) => seq)
    )
  })
})

describe("the seats of the stream", () => {
  const clock = { now: 0 }
  const from = (network: string, count: number, since = 0) =>
    Array.from({ length: count }, (_, at) => new Peer(clock, since + at, network))

  it("a network has few seats: it gets 429 and others are accepted", async () => {
    const many = from("192.0.2.0/24", seats.network)
    assert.isUndefined(refuseWithoutSeat("192.0.2.0/24", many.slice(1)))
    const refused = refuseWithoutSeat("192.0.2.0/24", many)
    assert.deepStrictEqual([refused?.status, refused?.headers.get("retry-after")], [429, "60"])
    assert.propertyVal(await refused?.json(), "error", "RateLimitExceeded")
    assert.isUndefined(refuseWithoutSeat("198.51.100.0/24", many))
    // Closed connections that haven't gone still take memory.
    for (const peer of many) peer.letGo()
    assert.strictEqual(refuseWithoutSeat("192.0.2.0/24", many)?.status, 429)
  })

  it("the network with the most seats gives up its newest when all are taken", () => {
    const few = seats.all / seats.network
    const all = Array.from({ length: few }, (_, at) => from(`10.0.${at}.0/24`, seats.network, at))
    assert.lengthOf(all.flat(), seats.all)
    const freed = all[1]?.splice(3).length ?? 0
    const [relay] = from("198.51.100.0/24", 1)
    const connected = [...all.flat(), ...from("10.0.9.0/24", freed - 1), relay!]
    assert.isUndefined(refuseWithoutSeat("203.0.113.0/24", connected))
    const closed = connected.filter(({ isOpen }) => !isOpen)
    assert.lengthOf(closed, 1)
    assert.deepInclude(closed[0], { network: "10.0.0.0/24", since: seats.network - 1 })
    assert.deepStrictEqual(closed[0]?.closes, [1012])
  })

  it("a connection gets 503 when all seats are held by networks with as few", () => {
    const connected = Array.from({ length: seats.all }, (_, at) =>
      from(`10.1.${at}.0/24`, 1)
    ).flat()
    const refused = refuseWithoutSeat("203.0.113.0/24", connected)
    assert.deepStrictEqual([refused?.status, refused?.headers.get("retry-after")], [503, "60"])
    assert.isTrue(connected.every(({ isOpen }) => isOpen))
  })
})
