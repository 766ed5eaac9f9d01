import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { CrawlAnswer } from "./Relays.ts"

/** Why an account is not active, in the protocol's terms. */
export type InactiveStatus = "takendown" | "suspended" | "deleted" | "deactivated"

/**
 * One event on its way from an account's outbox to the log.
 *
 * `frame` is the complete WebSocket message except for the sequence number, whose 8 bytes start at
 * `seqOffset`.
 */
export interface OutboxEvent {
  /**
   * Always increases within an account (at least with the microseconds): the log takes each id
   * once.
   */
  readonly id: number
  readonly kind: "commit" | "sync" | "identity" | "account"
  readonly frame: Uint8Array
  readonly seqOffset: number
  /** The repo's head after this event (commit, sync), for listRepos. */
  readonly head?: { readonly commit: string; readonly rev: string }
  /** The account's status after this event (account). */
  readonly account?: { readonly active: boolean; readonly status?: InactiveStatus }
  /** The collections that the repo gained or lost with this event. */
  readonly collections?: {
    readonly added: ReadonlyArray<string>
    readonly removed: ReadonlyArray<string>
    /** The repo has no collections other than those added. */
    readonly whole?: boolean
  }
}

/** A repo as listRepos returns it. */
export interface HostedRepo {
  readonly did: string
  readonly head: string
  readonly rev: string
  readonly active: boolean
  readonly status?: InactiveStatus
}

/** How far behind the newest event a sequence number is. */
export interface Place {
  /** How many events in the log come after it. */
  readonly behind: number
  /** Since when the first of them has been unread, in milliseconds. */
  readonly waiting?: number
}

/**
 * A connection of subscribeRepos, and how far the log was sent to it; only the reader knows what it
 * has read.
 */
export interface Reader extends Place {
  /** Names the connection; undefined from an object of an older version. */
  readonly id?: string
  /** Connection time, in milliseconds. */
  readonly since: number
  readonly userAgent?: string
  /** The client's network (`203.0.113.0/24`), rather than its address. */
  readonly network?: string
  /** The requested cursor. */
  readonly cursor?: number
  readonly connected: boolean
  /** When it was last connected, in milliseconds; accurate to an hour after a restart. */
  readonly seen: number
  /** The last sequence number that it was sent, or that it claimed to have. */
  readonly seq: number
}

/** A configured relay, and the last requestCrawl to it. */
export interface RelayCall {
  readonly relay: string
  /** Time of the call, in milliseconds; undefined if it was never called. */
  readonly at?: number
  readonly ok: boolean
  /** The HTTP status, if there was a response. */
  readonly status?: number
  readonly message?: string
}

/** The log's state for operators. */
export interface SequencerStatus {
  /** The newest sequence number; 0 before the first event. */
  readonly seq: number
  readonly oldest: number | undefined
  /** How many events were added since the oldest kept one, including those of deleted accounts. */
  readonly events: number
  readonly subscribers: number
  /** The size of its database; absent from an object of an older version. */
  readonly bytes?: number
}

/** Who reads the stream, and which relays were asked to. */
export interface Subscribers {
  readonly seq: number
  /** Current readers, and up to twenty from the last month. */
  readonly readers: ReadonlyArray<Reader>
  readonly relays: ReadonlyArray<RelayCall>
  /** The places of the requested sequence numbers. */
  readonly places: ReadonlyArray<Place>
}

/** The names of the host's notes in the log's object. */
export type HostNote = "database outage"

/** The Sequencer could not be reached or failed. */
export class SequencerUnavailable extends Schema.TaggedError<SequencerUnavailable>()(
  "SequencerUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/**
 * The host's event log: numbers events, keeps frames for 72 hours and feeds subscribers.
 *
 * Spec: com.atproto.sync.subscribeRepos, event stream.
 */
export class Sequencer extends Context.Service<
  Sequencer,
  {
    /** Adds events in order; skips ids that it already has. Returns the account's highest id. */
    append(
      did: string,
      events: ReadonlyArray<OutboxEvent>
    ): Effect.Effect<number, SequencerUnavailable>
    /**
     * Does the same without a fiber, where the platform holds the call until what this turn wrote
     * is stored; rejects with the error.
     */
    readonly appendNow?:
      | ((did: string, events: ReadonlyArray<OutboxEvent>) => Promise<number>)
      | undefined
    /** Responds to a WebSocket upgrade of subscribeRepos (`?cursor=`). */
    subscribe(request: Request): Effect.Effect<Response, SequencerUnavailable>
    listRepos(page: {
      readonly cursor?: string
      readonly limit: number
    }): Effect.Effect<
      { readonly repos: ReadonlyArray<HostedRepo>; readonly cursor?: string },
      SequencerUnavailable
    >
    listReposByCollection(page: {
      readonly collection: string
      readonly cursor?: string
      readonly limit: number
    }): Effect.Effect<
      { readonly dids: ReadonlyArray<string>; readonly cursor?: string },
      SequencerUnavailable
    >
    readonly status: Effect.Effect<SequencerStatus, SequencerUnavailable>
    /** The subscribers, for the administrator, and how many events each given sequence number lags. */
    subscribers(seqs: ReadonlyArray<number>): Effect.Effect<Subscribers, SequencerUnavailable>
    /** Closes a reader's connection; false if there is none with this id. */
    disconnect(id: string): Effect.Effect<boolean, SequencerUnavailable>
    /** Asks a configured relay to crawl now; undefined for any other. */
    askRelay(relay: string): Effect.Effect<CrawlAnswer | undefined, SequencerUnavailable>
    /** A short text that the host keeps here, because its database can fail. */
    note(name: HostNote): Effect.Effect<string | undefined, SequencerUnavailable>
    /** Stores such a text; `undefined` removes it. */
    setNote(name: HostNote, text: string | undefined): Effect.Effect<void, SequencerUnavailable>
  }
>()("nacre/services/Sequencer") {}
