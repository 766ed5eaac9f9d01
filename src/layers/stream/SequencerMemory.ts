import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
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

/** A consumer falls behind if it doesn't take a page of its replay within this time. */
const pageTimeout = "30 seconds"

/** A connection, as described by the server that upgraded it. */
export type Connection = Omit<Greeting, "id" | "since">

/** The Sequencer in this process; its server hands it upgraded sockets. */
export interface MemorySequencer {
  readonly service: Sequencer["Service"]
  /** The response that rejects a connection for which there is no seat. */
  refuse(connection: Connection): Response | undefined
  /** Feeds a socket from now on; call the returned function when the socket has closed. */
  connect(socket: MemorySocket, connection: Connection): () => void
}

/** The Sequencer over any SqlStorage, in this process; it keeps events as long as `keptFor` says, in milliseconds. */
export const makeWith = (
  keptFor?: number
): Effect.Effect<MemorySequencer, never, SqlStorage | Relays | Scope.Scope> =>
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const relays = yield* Relays
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const subscribers = new Set<SocketSubscriber>()
    const core = new SequencerCore(sql, {
      connected: () => [...subscribers],
      now,
      ...(keptFor === undefined ? {} : { keptFor }),
      isHere: () => false
    })
    let over = false
    yield* Effect.addFinalizer(() => Effect.sync(() => (over = true)))
    const background = yield* FiberSet.makeRuntime<never>()
    const report: Report = (...parts) => void background(Effect.logError(...parts))

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
      try {
        core.begin(subscriber, connection.cursor)
      } catch (cause) {
        subscribers.delete(subscriber)
        throw cause
      }
      startReplays()
      core.came()
      return () => {
        subscriber.gone()
        subscribers.delete(subscriber)
        // Sockets outlive the log by a moment when the server stops.
        if (!over) core.went(subscriber.connection)
      }
    }

    const refuse = ({ network }: Connection) => core.refuse(network)

    background(crawl(core.meetRelays(relays.origins)))

    const service = Sequencer.of({
      append: Effect.fn("Sequencer.append")(function* (did, events) {
        const { appended, isNew, isFull } = core.append([{ did, events }])
        const taken = Result.getOrThrowWith(appended[0]!, (cause) => cause)
        if (!isNew) return taken
        if (isFull) letGoOfMost([...subscribers], now())
        startReplays()
        background(crawl(core.dueCrawls() ?? []))
        core.noteHourly()
        if (alarm.armed() === undefined) yield* armPrune
        return taken
      }),
      // Node upgrades outside of the web handler, so a request here is not a valid upgrade.
      subscribe: (request) =>
        Effect.sync(() => {
          const asked = readUpgrade(request)
          return asked instanceof Response ? asked : new Response(null, { status: 501 })
        }),
      listRepos: (page) => Effect.sync(() => core.listRepos(page)),
      listReposByCollection: (page) => Effect.sync(() => core.listReposByCollection(page)),
      status: Effect.sync(() => core.status()),
      subscribers: (seqs) => Effect.sync(() => core.subscribers(seqs)),
      disconnect: (id) => Effect.sync(() => core.disconnect(id)),
      askRelay: Effect.fn("Sequencer.askRelay")(function* (relay) {
        if (!core.knows(relay)) return undefined
        const answer = yield* relays.requestCrawl(relay)
        core.noteCrawl(relay, answer)
        return answer
      }),
      note: (name) => Effect.sync(() => core.note(name)),
      setNote: (name, text) => Effect.sync(() => core.setNote(name, text))
    })
    return { service, refuse, connect }
  })

/** The Sequencer over any SqlStorage, in this process. */
export const make = makeWith()

/** The Sequencer in this process, over an in-memory database. */
export const layer: Layer.Layer<Sequencer, never, Relays> = Layer.effect(
  Sequencer,
  Effect.map(make, ({ service }) => service)
).pipe(Layer.provide(SqlStorageNode.layer(":memory:")))
