import { DurableObject } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import type {
  HostNote,
  OutboxEvent,
  SequencerStatus,
  Subscribers
} from "../../services/stream/Sequencer.ts"
import type { CrawlAnswer, Relays } from "../../services/stream/Relays.ts"
import * as AlarmDurable from "../host/AlarmDurable.ts"
import * as SqlStorageDurable from "../host/sql/SqlStorageDurable.ts"
import { replayTurn } from "../stream/feed.ts"
import { report } from "../stream/sequencerReports.ts"
import { connectionOf, HibernatingSubscriber } from "../stream/HibernatingSubscriber.ts"
import { greetingOf } from "../stream/Subscriptions.ts"
import { type Append, type Appended, JoinedAppends } from "../stream/JoinedAppends.ts"
import type * as Repos from "../stream/repos.ts"
import { stuckBytes, unread } from "../stream/room.ts"
import { SequencerCore } from "../stream/SequencerCore.ts"
import type { SequencerStub } from "../stream/SequencerObject.ts"
import { readUpgrade } from "../stream/upgrade.ts"

/** When the alarm continues pruning, in milliseconds. */
const pruneAgainAfter = 1000

/** When the alarm resumes a waiting replay that nothing else has resumed, in milliseconds. */
const resumeAfter = 30_000

/** A call of the stub, as the object answers it. */
type Answer<Call> = Call extends (...input: infer Input) => Promise<infer Output>
  ? (...input: Input) => Output | Promise<Output>
  : never

/**
 * The declared type of the Sequencer object; a class expression with private fields can't be
 * declared.
 */
export type SequencerObjectClass<Env> = new (
  ctx: DurableObjectState,
  env: Env
) => { [Name in keyof SequencerStub]: Answer<SequencerStub[Name]> } & {
  alarm(): Promise<void>
  webSocketMessage(): void
  webSocketClose(socket: WebSocket): void
  webSocketError(socket: WebSocket): void
} & DurableObject<Env>

/**
 * The class of the Sequencer object, with its relays, its limit of connections, and the retention
 * of events.
 */
export const sequencerClass = <Env>(
  meetRelays: (env: Env) => Promise<Relays["Service"] | undefined>,
  isCapped: (env: Env) => boolean,
  retention: (env: Env) => number
): SequencerObjectClass<Env> =>
  class extends DurableObject<Env> {
    readonly #core: SequencerCore<HibernatingSubscriber>
    readonly #joined = new JoinedAppends((calls) => this.#append(calls))
    readonly #alarm: Promise<AlarmDurable.ObjectAlarm>
    readonly #subscribers = new WeakMap<WebSocket, HibernatingSubscriber>()
    /** The connections, until one comes. The platform would make a new list for each event. */
    #known: ReadonlyArray<HibernatingSubscriber> | undefined
    #relays: Relays["Service"] | undefined
    #starting: Promise<boolean> | undefined
    #pruneArmed = false
    #replaying = false
    /** Whether something changed while a replay was about to wait. */
    #isAskedAgain = false

    constructor(ctx: DurableObjectState, env: Env) {
      super(ctx, env)
      const here = new Set(ctx.getWebSockets().map((socket) => connectionOf(socket).id))
      this.#core = new SequencerCore(SqlStorageDurable.make(ctx.storage), {
        connected: () => this.#connected(),
        now: () => Date.now(),
        keptFor: retention(env),
        isHere: (id) => here.has(id)
      })
      this.#alarm = AlarmDurable.make(ctx.storage)
      ctx.waitUntil(this.#start())
      ctx.waitUntil(this.#replay())
    }

    /** Loads the relays; after a failure the next event retries. */
    #start(): Promise<boolean> {
      return (this.#starting ??= this.#meetRelays())
    }

    async #meetRelays(): Promise<boolean> {
      const found = await meetRelays(this.env)
      this.#starting = undefined
      if (found === undefined) return false
      this.#relays = found
      this.ctx.waitUntil(this.#crawl(this.#core.meetRelays(found.origins)))
      return true
    }

    /** Answers a WebSocket upgrade of subscribeRepos. */
    override fetch(request: Request): Response {
      this.#known = undefined
      const asked = readUpgrade(request)
      if (asked instanceof Response) return asked
      const greeting = greetingOf(request.headers)
      if (isCapped(this.env)) {
        const refused = this.#core.refuse(greeting.network)
        if (refused !== undefined) return refused
      }
      const { 0: client, 1: server } = new WebSocketPair()
      this.ctx.acceptWebSocket(server)
      const subscriber = HibernatingSubscriber.accepted(server, {
        id: crypto.randomUUID(),
        since: Date.now(),
        ...asked,
        ...greeting
      })
      this.#subscribers.set(server, subscriber)
      this.#known = undefined
      if (this.#core.begin(subscriber, asked.cursor)) this.ctx.waitUntil(this.#replay())
      this.#core.came()
      return new Response(null, { status: 101, webSocket: client })
    }

    /** Appends events of one account; returns the highest id taken. */
    append(did: string, events: ReadonlyArray<OutboxEvent>): number | Promise<number> {
      return this.#joined.append({ did, events })
    }

    #append(calls: ReadonlyArray<Append>): Appended {
      // The platform delays the messages until the appended events are stored.
      const { appended, isNew, isFull } = this.#core.append(calls)
      if (!isNew) return appended
      if (isFull) this.ctx.waitUntil(this.#replay())
      if (!this.#pruneArmed) this.ctx.waitUntil(this.#armPrune())
      this.#crawlDue()
      this.#core.noteHourly()
      return appended
    }

    listRepos(page: Parameters<typeof Repos.listRepos>[1]) {
      return this.#core.listRepos(page)
    }

    listReposByCollection(page: Parameters<typeof Repos.listReposByCollection>[1]) {
      return this.#core.listReposByCollection(page)
    }

    status(): SequencerStatus {
      return this.#core.status()
    }

    async subscribers(seqs: ReadonlyArray<number>): Promise<Subscribers> {
      await this.#starting
      return this.#core.subscribers(seqs)
    }

    disconnect(id: string): boolean {
      return this.#core.disconnect(id)
    }

    async askRelay(relay: string): Promise<CrawlAnswer | undefined> {
      if (this.#relays === undefined) await this.#start()
      if (this.#relays === undefined || !this.#core.knows(relay)) return undefined
      const answer = await Effect.runPromise(this.#relays.requestCrawl(relay))
      this.#core.noteCrawl(relay, answer)
      return answer
    }

    note(name: HostNote): string | undefined {
      return this.#core.note(name)
    }

    setNote(name: HostNote, text: string | undefined): void {
      this.#core.setNote(name, text)
    }

    override async alarm(): Promise<void> {
      const alarm = await this.#alarm
      alarm.fired()
      this.#pruneArmed = false
      this.#core.noteHourly()
      if (this.#prune()) await Effect.runPromise(alarm.service.by(Date.now() + pruneAgainAfter))
      await this.#armPrune()
      await this.#replay()
    }

    /** Frames of the client are ignored. */
    override webSocketMessage(): void {}

    override webSocketClose(socket: WebSocket): void {
      const subscriber = this.#subscriber(socket)
      this.#known = this.#connected().filter((one) => one !== subscriber)
      // The close frame is the response to the client's own; nothing is sent if the client
      // disconnected without one.
      subscriber.gone()
      this.#core.went(subscriber.connection)
      // Other replays may have waited for the room.
      this.ctx.waitUntil(this.#replay())
    }

    override webSocketError(socket: WebSocket): void {
      this.webSocketClose(socket)
    }

    #subscriber(socket: WebSocket): HibernatingSubscriber {
      const subscriber = this.#subscribers.get(socket) ?? HibernatingSubscriber.woken(socket)
      this.#subscribers.set(socket, subscriber)
      return subscriber
    }

    /** Every connection, including closed ones that still exist. */
    #connected(): ReadonlyArray<HibernatingSubscriber> {
      return (this.#known ??= this.ctx.getWebSockets().map((socket) => this.#subscriber(socket)))
    }

    /**
     * Prunes one batch; returns whether more remains. Damage must not stop the alarm's other work.
     */
    #prune(): boolean {
      try {
        return this.#core.log.prune()
      } catch (cause) {
        report("the oldest events cannot be removed", cause)
        return false
      }
    }

    async #armPrune(): Promise<void> {
      this.#pruneArmed = true
      const due = this.#core.nextPrune()
      if (due === undefined) return
      const { service } = await this.#alarm
      await Effect.runPromise(service.by(due))
    }

    #crawlDue(): void {
      const due = this.#core.dueCrawls()
      if (due === undefined) {
        // Also counts the event that woke the object.
        this.ctx.waitUntil(this.#start().then((known) => (known ? this.#crawlDue() : undefined)))
        return
      }
      if (due.length > 0) this.ctx.waitUntil(this.#crawl(due))
    }

    async #crawl(due: ReadonlyArray<string>): Promise<void> {
      for (const relay of due) {
        if (this.#relays === undefined) return
        const answer = await Effect.runPromise(this.#relays.requestCrawl(relay))
        this.#core.noteCrawl(relay, answer)
      }
    }

    /**
     * Sends everyone who is behind the events up to the head, as far as there is room.
     *
     * While it waits for readers, it sets no timer: the object may sleep until the alarm or a
     * request wakes it, and then continues from the positions in the attachments.
     */
    async #replay(): Promise<void> {
      this.#isAskedAgain = true
      if (this.#replaying) return
      this.#replaying = true
      try {
        for (let turn = 0; ; turn++) {
          this.#isAskedAgain = false
          const next = replayTurn(this.#core.log, this.#connected(), Date.now(), report)
          if (next === "done") return
          if (next === "wait" || turn === 1) {
            const { service } = await this.#alarm
            await Effect.runPromise(service.by(Date.now() + resumeAfter))
          }
          if (next === "wait" && !this.#isAskedAgain) {
            this.#restartIfStuck()
            return
          }
          // Lets the sockets send, and other requests run.
          await scheduler.wait(0)
        }
      } finally {
        this.#replaying = false
      }
    }

    /**
     * Restarts the object if connections that don't read occupy the room of those that do.
     *
     * The platform can't discard their queued messages otherwise: a close frame queues behind them.
     * Readers reconnect with their cursors, and accounts resend what was on its way.
     */
    #restartIfStuck(): void {
      const bytes = stuckBytes(this.#connected(), Date.now())
      if (bytes < unread.replay / 2) return
      const message = `${bytes} bytes wait for subscribers that do not read; the event stream begins anew`
      report(message)
      this.ctx.abort(message)
    }
  }
