import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { Relays } from "../../services/stream/Relays.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import * as AlarmMemory from "../host/AlarmMemory.ts"
import { Crawls } from "./Crawls.ts"
import { EventLog } from "./EventLog.ts"
import { type Greeting, Subscriptions } from "./Subscriptions.ts"
import { begin, catchUp, publish, refuseTooSlow, type Report } from "./feed.ts"
import { type MemorySocket, SocketSubscriber } from "./SocketSubscriber.ts"
import * as Repos from "./repos.ts"
import { letGoOfMost } from "./room.ts"
import { refuseWithoutSeat } from "./seats.ts"
import { readUpgrade } from "./upgrade.ts"
import * as SqlStorageNode from "../host/sql/SqlStorageNode.ts"

/** The alarm rings for pruning no more often, in milliseconds. */
const pruneEvery = 3600 * 1000

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
    const log = new EventLog(sql, now)
    const crawls = new Crawls(log, relays.origins)
    const subscribers = new Set<SocketSubscriber>()
    const open = () => [...subscribers].filter(({ isOpen }) => isOpen)
    const connections = () => open().map(({ connection }) => connection)
    const readers = new Subscriptions(log, now, () => false)
    let over = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (over = true)))
    const background = yield* FiberSet.makeRuntime<never>()
    const report: Report = (...told) => void background(Effect.logError(...told))

    const crawl = (due: ReadonlyArray<string>) =>
      Effect.forEach(due, (relay) =>
        Effect.map(relays.requestCrawl(relay), (answer) => crawls.note(relay, now(), answer))
      )

    const onAlarm: Effect.Effect<void> = Effect.suspend(() =>
      log.prune() ? Effect.andThen(Effect.yieldNow, onAlarm) : armPrune
    )
    const alarm = yield* AlarmMemory.make(onAlarm)
    const armPrune: Effect.Effect<void> = Effect.suspend(() => {
      const due = log.nextPrune()
      return due === undefined ? Effect.void : alarm.service.by(Math.max(due, now() + pruneEvery))
    })

    const replay = (subscriber: SocketSubscriber): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (!subscriber.isOpen || catchUp(log, subscriber, report)) return Effect.void
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
      for (const subscriber of open()) {
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
      begin(log, subscriber, connection.cursor)
      startReplays()
      readers.came(connections)
      return () => {
        subscriber.gone()
        subscribers.delete(subscriber)
        // Sockets outlive the log by a moment when the server ends.
        if (!over) readers.went(subscriber.connection, connections)
      }
    }

    const refuse = ({ network }: Connection) => refuseWithoutSeat(network, [...subscribers])

    background(crawl(crawls.dueAtStart(now())))

    const service = Sequencer.of({
      append: Effect.fn("Sequencer.append")(function* (did, events) {
        const { taken, frames } = log.append(did, events)
        if (frames.length === 0) return taken
        if (publish([...subscribers], frames)) letGoOfMost([...subscribers], now())
        startReplays()
        background(crawl(crawls.due(now())))
        readers.hourly(connections)
        if (alarm.armed() === undefined) yield* armPrune
        return taken
      }),
      // Node upgrades outside of the web handler: what arrives here is no upgrade, or not one that works.
      subscribe: (request) =>
        Effect.sync(() => {
          const asked = readUpgrade(request)
          return asked instanceof Response ? asked : new Response(null, { status: 501 })
        }),
      listRepos: (page) => Effect.sync(() => Repos.listRepos(sql, page)),
      listReposByCollection: (page) => Effect.sync(() => Repos.listReposByCollection(sql, page)),
      status: Effect.sync(() => {
        return {
          seq: log.newest,
          oldest: log.oldest(),
          events: log.count(),
          subscribers: open().length
        }
      }),
      subscribers: (seqs) =>
        Effect.sync(() => ({
          seq: log.newest,
          readers: readers.all(connections()),
          relays: crawls.last,
          places: seqs.map((seq) => log.place(seq))
        }))
    })
    return { service, refuse, connect }
  })

/** Sequencer in process, over a database in memory. */
export const layer: Layer.Layer<Sequencer, never, Relays> = Layer.effect(
  Sequencer,
  Effect.map(make, ({ service }) => service)
).pipe(Layer.provide(SqlStorageNode.layer(":memory:")))
