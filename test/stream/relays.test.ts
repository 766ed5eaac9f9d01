import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as RelaysOutgoing from "../../src/layers/stream/RelaysOutgoing.ts"
import { Crawls } from "../../src/layers/stream/Crawls.ts"
import { EventLog } from "../../src/layers/stream/EventLog.ts"
import * as SequencerMemory from "../../src/layers/stream/SequencerMemory.ts"
import * as SqlStorageNode from "../../src/layers/host/sql/SqlStorageNode.ts"
import { Config, type Settings } from "../../src/services/host/Config.ts"
import {
  Outgoing,
  OutgoingFailed,
  type OutgoingError,
  type OutgoingRequest,
  type OutgoingResponse
} from "../../src/services/host/Outgoing.ts"
import { Relays } from "../../src/services/stream/Relays.ts"
import { events } from "./sequencer.contract.ts"

const did = "did:example:a"
type Sent = { readonly url: string; readonly request: OutgoingRequest }
type Answer = (url: string) => Effect.Effect<OutgoingResponse, OutgoingError>

const says =
  (status: number, text = ""): Answer =>
  (url) =>
    Effect.succeed({
      url,
      status,
      headers: new Headers(),
      body: Uint8Array.from(new TextEncoder().encode(text))
    })

/** Relays over an Outgoing that records requests. */
const relaysWith = (settings: Partial<Settings>, answer: Answer = says(200)) => {
  const sent: Array<Sent> = []
  const outgoing = Outgoing.of({
    request: (url, request) => {
      sent.push({ url, request })
      return answer(url)
    },
    open: () => Effect.die("not used"),
    openNow: () => Promise.reject(new Error("not used"))
  })
  const all = {
    host: "pds.example.com",
    isLocal: false,
    relays: ["https://relay.test"],
    ...settings
  }
  const layer = RelaysOutgoing.layer.pipe(
    // SAFETY: the settings that relays read.
    Layer.provide(Layer.succeed(Config, all as Settings)),
    Layer.provide(Layer.succeed(Outgoing, outgoing))
  )
  return { sent, layer }
}

const sequencerWith = (layer: Layer.Layer<Relays>) =>
  Effect.flatMap(Layer.build(Layer.merge(SqlStorageNode.layer(":memory:"), layer)), (services) =>
    Effect.provide(SequencerMemory.make, services)
  )

describe("requestCrawl", () => {
  it.effect("requestCrawl names this host to the relay", () => {
    const { sent, layer } = relaysWith({})
    return Effect.gen(function* () {
      const relays = yield* Relays
      assert.deepStrictEqual(yield* relays.requestCrawl("https://relay.test"), {
        ok: true,
        status: 200
      })
      assert.strictEqual(sent[0]?.url, "https://relay.test/xrpc/com.atproto.sync.requestCrawl")
      assert.strictEqual(sent[0]?.request.method, "POST")
      assert.strictEqual(sent[0]?.request.body, `{"hostname":"pds.example.com"}`)
    }).pipe(Effect.provide(layer))
  })

  for (const host of ["localhost", "pds.example.com:8443", "192.0.2.1", `${"a.".repeat(127)}com`]) {
    it.effect(`requestCrawl is not sent for ${host.slice(0, 24)}`, () =>
      Effect.map(Relays, ({ origins }) => assert.deepStrictEqual(origins, [])).pipe(
        Effect.provide(relaysWith({ host }).layer)
      )
    )
  }

  it.effect("a development server sends requestCrawl only to relays on the same machine", () => {
    const relays = ["https://relay.test", "http://127.0.0.1:2470"]
    const { sent, layer } = relaysWith({ host: "localhost:8787", isLocal: true, relays })
    return Effect.gen(function* () {
      const { origins, requestCrawl } = yield* Relays
      assert.deepStrictEqual(origins, ["http://127.0.0.1:2470"])
      yield* requestCrawl("http://127.0.0.1:2470")
      assert.strictEqual(sent[0]?.request.body, `{"hostname":"localhost:8787"}`)
    }).pipe(Effect.provide(layer))
  })

  it.effect("requestCrawl returns rejections and failures instead of failing", () =>
    Effect.gen(function* () {
      const ask = Effect.flatMap(Relays, (relays) => relays.requestCrawl("https://relay.test"))
      const banned = relaysWith({}, says(400, `{"error":"HostBanned"}`)).layer
      assert.deepStrictEqual(yield* Effect.provide(ask, banned), {
        ok: false,
        status: 400,
        message: `{"error":"HostBanned"}`
      })
      const dead: Answer = (url) => Effect.fail(new OutgoingFailed({ url, operation: "connect" }))
      assert.deepStrictEqual(yield* Effect.provide(ask, relaysWith({}, dead).layer), {
        ok: false,
        message: "connect"
      })
    })
  )
})

describe("the Sequencer asks relays", () => {
  it.effect("relays are asked at the start and with events, at most every 20 minutes", () => {
    const { sent, layer } = relaysWith({ relays: ["https://one.test", "https://two.test"] })
    return Effect.gen(function* () {
      const { service } = yield* sequencerWith(layer)
      const a = events(did)
      const asked = Effect.fn(function* (after: "1 second" | "19 minutes" | "2 minutes") {
        yield* TestClock.adjust(after)
        return sent.length
      })
      assert.strictEqual(yield* asked("1 second"), 2)
      yield* service.append(did, [a.identity()])
      assert.strictEqual(yield* asked("19 minutes"), 2)
      yield* service.append(did, [a.identity()])
      assert.strictEqual(yield* asked("2 minutes"), 2)
      yield* service.append(did, [a.identity()])
      yield* service.append(did, [a.identity()])
      assert.strictEqual(yield* asked("1 second"), 4)
      const { relays } = yield* service.subscribers([])
      assert.deepStrictEqual(
        relays.map(({ relay, ok }) => [relay, ok]),
        [
          ["https://one.test", true],
          ["https://two.test", true]
        ]
      )
    }).pipe(Effect.scoped)
  })

  it("relays are asked with the next event although the log restarts often and another relay never accepts", () => {
    const log = new EventLog(SqlStorageNode.make(SqlStorageNode.open(":memory:")), () => 0)
    const relays = ["https://yes.test", "https://no.test"]
    const start = () => new Crawls(log, relays)
    for (const relay of relays) start().note(relay, 0, { ok: relay === "https://yes.test" })
    const later = 3_600_000
    const crawls = start()
    assert.deepStrictEqual(crawls.dueAtStart(later), ["https://no.test"])
    assert.deepStrictEqual(crawls.due(later), ["https://yes.test"])
    assert.deepStrictEqual(crawls.due(later), [])
  })

  it.effect("relays' responses are stored with the log", () => {
    const { sent, layer } = relaysWith({}, says(400, "no"))
    return Effect.gen(function* () {
      const storage = yield* Layer.build(SqlStorageNode.layer(":memory:"))
      const start = SequencerMemory.make.pipe(Effect.provide(layer), Effect.provide(storage))
      yield* start
      yield* TestClock.adjust("1 second")
      const again = yield* start
      yield* TestClock.adjust("1 second")
      assert.strictEqual(sent.length, 1)
      const { relays } = yield* again.service.subscribers([])
      assert.deepInclude(relays[0], { relay: "https://relay.test", ok: false, status: 400 })
    }).pipe(Effect.scoped)
  })
})
