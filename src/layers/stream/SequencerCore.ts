import * as Result from "effect/Result"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { HostNote, SequencerStatus, Subscribers } from "../../services/stream/Sequencer.ts"
import { Crawls } from "./Crawls.ts"
import { EventLog } from "./EventLog.ts"
import { begin, closeCode, publish } from "./feed.ts"
import type { Numbered } from "./frames.ts"
import type { Append, Appended } from "./JoinedAppends.ts"
import * as Repos from "./repos.ts"
import type { Connected } from "./room.ts"
import { refuseWithoutSeat } from "./seats.ts"
import { type Connection, Subscriptions } from "./Subscriptions.ts"

/** A subscriber and its connection. */
export interface Member extends Connected {
  readonly connection: Connection
}

/** What a shell provides: its connections and its clock. */
export interface SequencerShell<S extends Member> {
  /** Every connection, including those that were closed but are not gone. */
  connected(): ReadonlyArray<S>
  now(): number
  /** How long events are kept, in milliseconds; 72 hours unless it is set. */
  readonly keptFor?: number
  /** Whether a connection in the log's notes is still open. */
  isHere(id: string): boolean
}

/** Minimum time between two pruning alarms, in milliseconds. */
const pruneEvery = 3600 * 1000

/**
 * The Sequencer: its log, its subscribers, and the relays that it calls.
 *
 * Synchronous. A shell provides sockets, the alarm and background work: a Durable Object or this
 * process.
 */
export class SequencerCore<S extends Member> {
  readonly log: EventLog
  readonly #sql: SqlStorage["Service"]
  readonly #shell: SequencerShell<S>
  readonly #subscriptions: Subscriptions
  #crawls: Crawls | undefined

  constructor(sql: SqlStorage["Service"], shell: SequencerShell<S>) {
    this.#sql = sql
    this.#shell = shell
    this.log = new EventLog(sql, () => shell.now(), undefined, shell.keptFor)
    this.#subscriptions = new Subscriptions(
      this.log,
      () => shell.now(),
      (id) => shell.isHere(id)
    )
  }

  /** The subscribers with open connections. */
  open(): Array<S> {
    return this.#shell.connected().filter(({ isOpen }) => isOpen)
  }

  /** The response that rejects a connection for which there is no seat. */
  refuse(network: string | undefined): Response | undefined {
    return refuseWithoutSeat(network, this.#shell.connected())
  }

  /** Starts a stream at its cursor; false if it was rejected. */
  begin(subscriber: S, cursor: number | undefined): boolean {
    return begin(this.log, subscriber, cursor)
  }

  /** Notes a new connection. */
  came(): void {
    this.#subscriptions.came(this.#connections)
  }

  /** Notes that a connection ended. */
  went(connection: Connection): void {
    this.#subscriptions.went(connection, this.#connections)
  }

  /** Notes once an hour how far each reader is. */
  noteHourly(): void {
    this.#subscriptions.hourly(this.#connections)
  }

  /**
   * Adds the events of some accounts and sends them; a call that fails adds nothing, and no other
   * fails with it. `isNew` if there were any events, `isFull` if it must free room.
   */
  append(calls: ReadonlyArray<Append>): {
    readonly appended: Appended
    readonly isNew: boolean
    readonly isFull: boolean
  } {
    const frames: Array<Numbered> = []
    const appended = calls.map(({ did, events }) =>
      Result.try({
        try: () => {
          const added = this.log.append(did, events)
          frames.push(...added.frames)
          return added.taken
        },
        catch: (cause) => cause
      })
    )
    if (frames.length === 0) return { appended, isNew: false, isFull: false }
    return { appended, isNew: true, isFull: publish(this.#shell.connected(), frames) }
  }

  /** When the alarm should prune next, in milliseconds. */
  nextPrune(): number | undefined {
    const due = this.log.nextPrune()
    return due === undefined ? undefined : Math.max(due, this.#shell.now() + pruneEvery)
  }

  /** Sets the relays; returns those to ask at once. */
  meetRelays(origins: ReadonlyArray<string>): ReadonlyArray<string> {
    this.#crawls = new Crawls(this.log, origins)
    return this.#crawls.dueAtStart(this.#shell.now())
  }

  /** The relays to ask after an event; undefined before any are known. */
  dueCrawls(): ReadonlyArray<string> | undefined {
    return this.#crawls?.due(this.#shell.now())
  }

  /** Notes a relay's response. */
  noteCrawl(relay: string, answer: Parameters<Crawls["note"]>[2]): void {
    this.#crawls?.note(relay, this.#shell.now(), answer)
  }

  listRepos(page: Parameters<typeof Repos.listRepos>[1]) {
    return Repos.listRepos(this.#sql, page)
  }

  listReposByCollection(page: Parameters<typeof Repos.listReposByCollection>[1]) {
    return Repos.listReposByCollection(this.#sql, page)
  }

  status(): SequencerStatus {
    return {
      seq: this.log.newest,
      oldest: this.log.oldest(),
      events: this.log.count(),
      subscribers: this.open().length,
      bytes: this.#sql.size()
    }
  }

  subscribers(seqs: ReadonlyArray<number>): Subscribers {
    return {
      seq: this.log.newest,
      readers: this.#subscriptions.all(this.#connections()),
      relays: this.#crawls?.last ?? [],
      places: seqs.map((seq) => this.log.place(seq))
    }
  }

  /** Closes a connection; false if none has this id. */
  disconnect(id: string): boolean {
    const member = this.open().find(({ connection }) => connection.id === id)
    member?.close(closeCode.policy, "disconnected by the operator")
    return member !== undefined
  }

  /** Whether a relay is configured. */
  knows(relay: string): boolean {
    return this.#crawls?.last.some((call) => call.relay === relay) === true
  }

  /** A note of the host. */
  note(name: HostNote): string | undefined {
    return this.log.note(`host ${name}`)
  }

  setNote(name: HostNote, text: string | undefined): void {
    if (text === undefined) this.log.dropNote(`host ${name}`)
    else this.log.setNote(`host ${name}`, text.slice(0, 4096))
  }

  readonly #connections = () => this.open().map(({ connection }) => connection)
}
