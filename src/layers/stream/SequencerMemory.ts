import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { Relays } from "../../services/stream/Relays.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import * as AlarmMemory from "../host/AlarmMemory.ts"
import type { Greeting } from "./Subscriptions.ts"
import { catchUp, refuseTooSlow, type Report } from "./feed.ts"
import { type MemorySocket, SocketSubscriber } from "./SocketSubscriber.ts"
import { letGoOfMost } from "./room.ts"
import { SequencerCore } from "./SequencerCore.ts"
import { readUpgrade } from "./upgrade.ts"
import * as SqlStorageNode from "../host/sql/SqlStorageNode.ts"

/** A consumer that does not take a page of its replay in this time does not keep up. */
const pageTimeout = "30 seconds"

/** What the one who upgraded a connection tells of it. */
export type Connection = Omit<Greeting, "id" | "since">

/** The Sequencer in process, and where its server hands over upgraded sockets. */
export interface MemorySequencer {
  readonly service: Sequencer["Service"]
  /** Refuses a connection for which there is no seat. */
  refuse(connection: Connection): Response | undefined
  /** Feeds a socket from here on; call the answer when the socket has closed. */
  connect(socket: MemorySocket, connection: Connection): () => void
}

/** The Sequencer over any SqlStorage, in process. */
export const make: Effect.Effect<MemorySequencer, never, SqlStorage | Relays | Scope.Scope> =
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const relays = yield* Relays
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const subscribers = new Set<SocketSubscriber>()
    const core = new SequencerCore(sql, {
      connected: () => [...subscribers],
      now,
      isHere: () => false
    })
    let over = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (over = true)))
    const background = yield* FiberSet.makeRuntime<never>()
    const report: Report = (...told) => void background(Effect.logError(...told))

    const crawl = (due: ReadonlyArray<string>) =>
      Effect.forEach(due, (relay) =>
        Effect.map(relays.requestCrawl(relay), (answer) => core.noteCrawl(relay, answer))
      )

    const onAlarm: Effect.Effect<void> = Effect.suspend(() =>
      core.log.prune() ? Effect.andThen(Effect.yieldNow, onAlarm) : armPrune
    )
    const alarm = yield* AlarmMemory.make(onAlarm)
    const armPrune: Effect.Effect<void> = Effect.suspend(() => {
      const due = core.nextPrune()
      return due === undefined ? Effect.void : alarm.service.by(due)
    })

    const replay = (subscriber: SocketSubscriber): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (!subscriber.isOpen || catchUp(core.log, subscriber, report)) return Effect.void
        return subscriber.drained.pipe(
          Effect.timeoutOrElse({
            duration: pageTimeout,
            orElse: () => Effect.sync(() => refuseTooSlow(subscriber))
          }),
          Effect.andThen(replay(subscriber))
        )
      })

    const replaying = new Set<SocketSubscriber>()
    const startReplays = () => {
      for (const subscriber of core.open()) {
        if (subscriber.position === "live" || replaying.has(subscriber)) continue
        replaying.add(subscriber)
        const end = Effect.sync(() => replaying.delete(subscriber))
        background(Effect.ensuring(replay(subscriber), end))
      }
    }

    const connect = (socket: MemorySocket, connection: Connection) => {
      const greeting = { id: crypto.randomUUID(), since: now(), ...connection }
      const subscriber = new SocketSubscriber(socket, greeting)
      subscribers.add(subscriber)
      core.begin(subscriber, connection.cursor)
      startReplays()
      core.came()
      return () => {
        subscriber.gone()
        subscribers.delete(subscriber)
        // Sockets outlive the log by a moment when the server ends.
        if (!over) core.went(subscriber.connection)
      }
    }

    const refuse = ({ network }: Connection) => core.refuse(network)

    background(crawl(core.meetRelays(relays.origins)))

    const service = Sequencer.of({
      append: Effect.fn("Sequencer.append")(function* (did, events) {
        const { taken, isNew, isFull } = core.append(did, events)
        if (!isNew) return taken
        if (isFull) letGoOfMost([...subscribers], now())
        startReplays()
        background(crawl(core.dueCrawls() ?? []))
        core.noteHourly()
        if (alarm.armed() === undefined) yield* armPrune
        return taken
      }),
      // Node upgrades outside of the web handler: what arrives here is no upgrade, or not one that works.
      subscribe: (request) =>
        Effect.sync(() => {
          const asked = readUpgrade(request)
          return asked instanceof Response ? asked : new Response(null, { status: 501 })
        }),
      listRepos: (page) => Effect.sync(() => core.listRepos(page)),
      listReposByCollection: (page) => Effect.sync(() => core.listReposByCollection(page)),
      status: Effect.sync(() => core.status()),
      subscribers: (seqs) => Effect.sync(() => core.subscribers(seqs))
    })
    return { service, refuse, connect }
  })

/** Sequencer in process, over a database in memory. */
export const layer: Layer.Layer<Sequencer, never, Relays> = Layer.effect(
  Sequencer,
  Effect.map(make, ({ service }) => service)
).pipe(Layer.provide(SqlStorageNode.layer(":memory:")))
