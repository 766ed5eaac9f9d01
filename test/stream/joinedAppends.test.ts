import { assert, describe, it } from "@effect/vitest"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { JoinedAppends } from "../../src/layers/stream/JoinedAppends.ts"
import { SequencerCore } from "../../src/layers/stream/SequencerCore.ts"
import type { OutboxEvent } from "../../src/services/stream/Sequencer.ts"
import { SocketSubscriber } from "../../src/layers/stream/SocketSubscriber.ts"
import { collector, events } from "./sequencer.contract.ts"

/** A log with one live subscriber, whose time passes on demand. */
const world = () => {
  const sql = SqlStorageNode.make(SqlStorageNode.open(":memory:"))
  const { seen, add } = collector()
  const stored = () => [...sql.exec("SELECT seq FROM event ORDER BY seq").raw()].flat()
  let time = 1_800_000_000_000
  let timer: (() => void) | undefined
  /** The accounts of each turn. */
  const turns: Array<ReadonlyArray<string>> = []
  const socket = {
    bufferedAmount: 0,
    send: (frame: Uint8Array) => {
      add(frame)
      // What is sent was stored before.
      assert.include(stored(), seen.at(-1)!.seq)
    },
    close: () => {}
  }
  const subscriber = new SocketSubscriber(socket, { id: "one", since: 0 })
  const core = new SequencerCore(sql, {
    connected: () => [subscriber],
    now: () => time,
    isHere: () => true
  })
  core.begin(subscriber, undefined)
  const joined = new JoinedAppends(
    (calls) => {
      turns.push(calls.map(({ did }) => did.slice(-1)))
      return core.append(calls).appended
    },
    { now: () => time, later: (_, run) => (timer = run) }
  )
  const of = new Map(["a", "b", "c"].map((name) => [name, events(`did:example:${name}`)]))
  const append = (name: string, event: OutboxEvent = of.get(name)!.identity()) =>
    joined.append({ did: `did:example:${name}`, events: [event] })
  const pass = (milliseconds: number) => {
    time += milliseconds
    const run = timer
    timer = undefined
    run?.()
  }
  return { append, pass, turns, seen, stored, of: (name: string) => of.get(name)! }
}

describe("calls of the log that arrive together", () => {
  it("a call that comes alone runs at once, and so do the next ones of its account", () => {
    const { append, pass, turns } = world()
    assert.deepStrictEqual([append("a"), append("a")], [1, 2])
    pass(2)
    assert.strictEqual(append("b"), 1)
    assert.deepStrictEqual(turns, [["a"], ["a"], ["b"]])
  })

  it("calls that come shortly after another account's run in one turn", async () => {
    const { append, pass, turns, seen, stored } = world()
    assert.strictEqual(append("a"), 1)
    const others = [append("b"), append("c"), append("a")]
    assert.deepStrictEqual(turns, [["a"]])
    assert.lengthOf(seen, 1)
    pass(2)
    assert.deepStrictEqual(await Promise.all(others), [1, 1, 2])
    assert.deepStrictEqual(turns, [["a"], ["b", "c", "a"]])
    assert.deepStrictEqual(
      seen.map(({ seq }) => seq),
      stored()
    )
    const next = append("b")
    assert.instanceOf(next, Promise)
    pass(2)
    assert.strictEqual(await next, 2)
    pass(2)
    assert.strictEqual(append("c"), 2)
  })

  it("a call that fails adds nothing, and those of its turn are stored, sent and answered", async () => {
    const { append, pass, seen, stored, of } = world()
    const broken = { ...of("b").identity(), seqOffset: -1 }
    append("a")
    const calls = [append("c"), append("b", broken), append("a")]
    pass(2)
    const [c, b, a] = await Promise.allSettled(calls)
    assert.deepStrictEqual(
      [c?.status, b?.status, a?.status],
      ["fulfilled", "rejected", "fulfilled"]
    )
    assert.deepStrictEqual(
      seen.map(({ did }) => did.slice(-1)),
      ["a", "c", "a"]
    )
    assert.lengthOf(stored(), 3)
    pass(2)
    assert.throws(() => append("b", broken))
    pass(2)
    // It wasn't taken, so it may come again.
    assert.strictEqual(append("b", { ...broken, seqOffset: of("b").identity().seqOffset }), 1)
  })

  it("a turn that fails answers every call", async () => {
    const failing = new JoinedAppends(
      (calls) => {
        if (calls.length > 1) throw new Error("no sockets")
        return []
      },
      { now: () => 1, later: (_, run) => queueMicrotask(run) }
    )
    assert.throws(() => failing.append({ did: "a", events: [] }))
    const calls = ["b", "c"].map(async (did) => failing.append({ did, events: [] }))
    const settled = await Promise.allSettled(calls)
    assert.deepStrictEqual(
      settled.map(({ status }) => status),
      ["rejected", "rejected"]
    )
  })
})
