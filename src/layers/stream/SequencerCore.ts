import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { OutboxEvent, SequencerStatus, Subscribers } from "../../services/stream/Sequencer.ts"
import { Crawls } from "./Crawls.ts"
import { EventLog } from "./EventLog.ts"
import { begin, publish } from "./feed.ts"
import * as Repos from "./repos.ts"
import type { Connected } from "./room.ts"
import { refuseWithoutSeat } from "./seats.ts"
import { type Connection, Subscriptions } from "./Subscriptions.ts"

/** A subscriber that knows its connection. */
export interface Member extends Connected {
  readonly connection: Connection
}

/** What a shell brings: its connections, and its clock. */
export interface SequencerShell<S extends Member> {
  /** Every connection, also those that were closed and are not gone. */
  connected(): ReadonlyArray<S>
  now(): number
  /** Whether a connection that the log remembers is still here. */
  isHere(id: string): boolean
}

/** The alarm fires for pruning no more often, in milliseconds. */
const pruneEvery = 3600 * 1000

/**
 * The Sequencer: its log, its subscribers, and the relays that it asks.
 *
 * Synchronous. A shell brings sockets, alarm and background work: a Durable Object, or this process.
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
    this.log = new EventLog(sql, () => shell.now())
    this.#subscriptions = new Subscriptions(
      this.log,
      () => shell.now(),
      (id) => shell.isHere(id)
    )
  }

  /** The subscribers whose connections are open. */
  open(): Array<S> {
    return this.#shell.connected().filter(({ isOpen }) => isOpen)
  }

  /** Refuses a connection for which there is no seat. */
  refuse(network: string | undefined): Response | undefined {
    return refuseWithoutSeat(network, this.#shell.connected())
  }

  /** Starts a stream by its cursor; false when it was refused. */
  begin(subscriber: S, cursor: number | undefined): boolean {
    return begin(this.log, subscriber, cursor)
  }

  /** Notes that a connection has come. */
  came(): void {
    this.#subscriptions.came(this.#connections)
  }

  /** Notes that a connection has gone. */
  went(connection: Connection): void {
    this.#subscriptions.went(connection, this.#connections)
  }

  /** Notes once an hour how far everyone has read. */
  noteHourly(): void {
    this.#subscriptions.hourly(this.#connections)
  }

  /** Takes events of one account and sends them; `isNew` where there were any, `isFull` where room must be made. */
  append(
    did: string,
    events: ReadonlyArray<OutboxEvent>
  ): { readonly taken: number; readonly isNew: boolean; readonly isFull: boolean } {
    const { taken, frames } = this.log.append(did, events)
    if (frames.length === 0) return { taken, isNew: false, isFull: false }
    return { taken, isNew: true, isFull: publish(this.#shell.connected(), frames) }
  }

  /** When the alarm is to prune next, in milliseconds. */
  nextPrune(): number | undefined {
    const due = this.log.nextPrune()
    return due === undefined ? undefined : Math.max(due, this.#shell.now() + pruneEvery)
  }

  /** Gets to know the relays; answers those to ask at once. */
  meetRelays(origins: ReadonlyArray<string>): ReadonlyArray<string> {
    this.#crawls = new Crawls(this.log, origins)
    return this.#crawls.dueAtStart(this.#shell.now())
  }

  /** The relays to ask after an event; undefined while none are known. */
  dueCrawls(): ReadonlyArray<string> | undefined {
    return this.#crawls?.due(this.#shell.now())
  }

  /** Notes what a relay answered. */
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
      subscribers: this.open().length
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

  readonly #connections = () => this.open().map(({ connection }) => connection)
}
