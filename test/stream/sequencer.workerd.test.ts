import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import * as SequencerObject from "../../src/layers/stream/SequencerObject.ts"
import { make } from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { Sequencer } from "../../src/services/stream/Sequencer.ts"
import { collector, events, type Listener, sequencerContract } from "./sequencer.contract.ts"
import { sqlStorageContract } from "../host/sqlStorage.contract.ts"
import { SEQUENCER } from "../host/workerdWorld.ts"

type Stub = DurableObjectStub & SequencerObject.SequencerStub

// SAFETY: the object's class has these methods.
const freshStub = () => SEQUENCER.get(SEQUENCER.newUniqueId()) as Stub

const sequencerOf = (stub: Stub) =>
  Effect.runSync(
    Effect.provide(
      Sequencer,
      SequencerObject.layer(() => stub)
    )
  )

const listen = async (stub: Stub, cursor?: number | string): Promise<Listener> => {
  const query = cursor === undefined ? "" : `?cursor=${cursor}`
  const response = await stub.fetch(
    new Request(`http://pds.test/xrpc/com.atproto.sync.subscribeRepos${query}`, {
      headers: {
        upgrade: "websocket",
        "user-agent": "contract",
        "cf-connecting-ip": "127.0.0.1",
        "sec-websocket-protocol": "xrpc.v1.json"
      }
    })
  )
  const socket = response.webSocket
  if (socket === null) throw new Error(`no upgrade: ${response.status}`)
  const { seen, add, until } = collector()
  const closed = new Promise<number>((resolve) =>
    socket.addEventListener("close", ({ code }) => resolve(code))
  )
  socket.binaryType = "arraybuffer"
  socket.addEventListener("message", ({ data }) => add(new Uint8Array(data as ArrayBuffer)))
  socket.accept()
  return {
    seen,
    until,
    closed,
    say: (text) => socket.send(text),
    close: () => socket.close(1000, "done")
  }
}

sqlStorageContract("a Durable Object", async (body) => {
  await runInDurableObject(freshStub(), (_object, state) => body(make(state.storage)))
})

describe("SqlStorage over a Durable Object", () => {
  it("the database can be emptied although a reader stopped before the last row", () =>
    runInDurableObject(freshStub(), async (_object, { storage }) => {
      const sql = make(storage)
      sql.exec("CREATE TABLE t (k INTEGER PRIMARY KEY)")
      for (let k = 0; k < 3; k++) sql.exec("INSERT INTO t VALUES (?)", k)
      for (const [k] of sql.exec("SELECT k FROM t ORDER BY k").raw()) if (k === 1) break
      await storage.deleteAll()
      assert.throws(() => sql.exec("SELECT k FROM t"), "no such table")
    }))
})

sequencerContract("a Durable Object", async (body) => {
  const stub = freshStub()
  await body({
    sequencer: sequencerOf(stub),
    subscribe: (cursor) => listen(stub, cursor),
    sql: (statement) =>
      runInDurableObject(stub, (_object, { storage }) => void storage.sql.exec(statement))
  })
})

describe("the Sequencer object and hibernation", () => {
  it("live streams survive an eviction without a gap", async () => {
    const stub = freshStub()
    const a = events("did:example:a")
    const listener = await listen(stub)
    await stub.append("did:example:a", [a.identity()])
    await listener.until(1)
    await evictDurableObject(stub)
    await stub.append("did:example:a", [a.identity(), a.identity()])
    const seen = await listener.until(3)
    assert.strictEqual(seen.length, 3)
    assert.strictEqual(seen[2]?.seq, (await stub.status()).seq)
    assert.strictEqual((await stub.subscribers([])).readers[0]?.userAgent, "contract")
  })

  it("the alarm continues a replay that hibernation interrupted", async () => {
    const stub = freshStub()
    const a = events("did:example:a")
    await stub.append("did:example:a", [a.identity(), a.identity(), a.identity()])
    const listener = await listen(stub)
    const { oldest } = await stub.status()
    // As if the object had slept after the first event of a replay.
    await runInDurableObject(stub, async (_object, state) => {
      for (const socket of state.getWebSockets()) {
        socket.serializeAttachment({ since: 0, cursor: 0, position: oldest })
      }
      await state.storage.setAlarm(Date.now() + 60_000)
    })
    await evictDurableObject(stub)
    assert.isTrue(await runDurableObjectAlarm(stub))
    assert.strictEqual((await listener.until(2)).length, 2)
    await stub.append("did:example:a", [a.identity()])
    const seen = await listener.until(3)
    assert.deepStrictEqual(
      seen.map(({ seq }) => seq),
      [...new Set(seen.map(({ seq }) => seq))].toSorted((one, other) => one - other)
    )
    assert.strictEqual(seen[2]?.seq, (await stub.status()).seq)
  })

  it("the object closes when the client closes, and remembers it", async () => {
    const stub = freshStub()
    const listener = await listen(stub)
    listener.close()
    assert.strictEqual(await listener.closed, 1000)
    assert.strictEqual((await stub.status()).subscribers, 0)
    const { readers } = await stub.subscribers([])
    assert.strictEqual(readers[0]?.userAgent, "contract")
  })

  it("past and current readers are remembered over an eviction", async () => {
    const stub = freshStub()
    const gone = await listen(stub)
    gone.close()
    await gone.closed
    const stays = await listen(stub, 0)
    await evictDurableObject(stub)
    await stub.append("did:example:a", [events("did:example:a").identity()])
    await stays.until(1)
    const told = async () =>
      (await stub.subscribers([])).readers.map(({ connected, cursor }) => [connected, cursor])
    assert.deepStrictEqual(await told(), [[true, 0]])
    stays.close()
    await stays.closed
    await evictDurableObject(stub)
    assert.deepStrictEqual(await told(), [[false, 0]])
    assert.strictEqual((await stub.subscribers([])).readers[0]?.behind, 0)
  })

  it("connections lost with the object's memory count as gone", async () => {
    const stub = freshStub()
    const listener = await listen(stub)
    const closed = await runInDurableObject(stub, (_object, state) => {
      for (const socket of state.getWebSockets()) socket.serializeAttachment({ id: "of another" })
      return state.getWebSockets().length
    })
    assert.strictEqual(closed, 1)
    await evictDurableObject(stub)
    const { readers } = await stub.subscribers([])
    assert.deepStrictEqual(
      readers.map(({ connected, userAgent }) => [connected, userAgent]),
      [
        [true, undefined],
        [false, "contract"]
      ]
    )
    listener.close()
  })

  it("the first event sets the alarm, and the next doesn't", async () => {
    const stub = freshStub()
    const a = events("did:example:a")
    const armed = () => runInDurableObject(stub, (_object, state) => state.storage.getAlarm())
    assert.isNull(await armed())
    await stub.append("did:example:a", [a.identity()])
    const first = await armed()
    assert.isAbove(first ?? 0, Date.now() + 71 * 3600 * 1000)
    await stub.append("did:example:a", [a.identity()])
    assert.strictEqual(await armed(), first)
  })
})

describe("the Sequencer object with little room", () => {
  it("the reader that owes the most is asked to reconnect, and gets the rest from its cursor", async () => {
    const stub = freshStub()
    const a = events("did:example:a")
    for (let at = 0; at < 15; at++) {
      await stub.append("did:example:a", [a.head("3a", 2_000_000), a.head("3b", 2_000_000)])
    }
    const seen: Array<number> = []
    const codes: Array<number> = []
    const { seq } = await stub.status()
    while (seen.at(-1) !== seq) {
      const listener = await listen(stub, seen.at(-1) ?? 0)
      const ended = await Promise.race([listener.closed, listener.until(30 - seen.length)])
      if (typeof ended === "number") codes.push(ended)
      assert.isTrue(listener.seen.every(({ t }) => t === "#sync"))
      seen.push(...listener.seen.map((frame) => frame.seq))
      listener.close()
    }
    assert.isAtLeast(codes.length, 1)
    assert.deepStrictEqual([...new Set(codes)], [1012])
    assert.lengthOf(new Set(seen), 30)
    assert.deepStrictEqual(
      seen,
      seen.toSorted((one, other) => one - other)
    )
  })
})

describe("the rows that the log bills", () => {
  it("a post bills two rows and one for its removal, and more only for a new repo or collection", async () => {
    await runInDurableObject(freshStub(), (_object, state) => {
      let written = 0
      const sql = make(state.storage)
      const counting: typeof sql = {
        ...sql,
        exec: (query, ...bindings) => {
          const cursor = sql.exec<never>(query, ...bindings)
          written += cursor.rowsWritten
          return cursor
        }
      }
      const rowsOf = (body: () => void) => {
        written = 0
        body()
        return written
      }
      let now = Date.now()
      const log = new EventLog(counting, () => now)
      const a = events("did:example:a")
      const take = (event: ReturnType<typeof a.head>) => () => log.append("did:example:a", [event])
      const posts = { added: ["app.post"], removed: [] }
      // The event, the repo's row and its index entry, the collection and its index entry.
      assert.strictEqual(rowsOf(take(a.head("3a", 3600, posts))), 5)
      assert.strictEqual(rowsOf(take(a.head("3b", 3600))), 2)
      assert.strictEqual(rowsOf(take(a.head("3c", 2_500_000))), 4)
      now += 80 * 3600 * 1000
      // Three events, two parts, and the note of the position.
      assert.strictEqual(
        rowsOf(() => log.prune()),
        6
      )
      assert.strictEqual(log.count(), 0)
      assert.strictEqual(
        rowsOf(() => log.prune()),
        0
      )
    })
  })
})
