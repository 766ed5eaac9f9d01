import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Why an account is not active, as the protocol names it. */
export type InactiveStatus = "takendown" | "suspended" | "deleted" | "deactivated"

/**
 * One event on its way from an account's outbox to the log.
 *
 * `frame` is the ready WebSocket message but for the sequence number, whose 8 bytes start at `seqOffset`.
 */
export interface OutboxEvent {
  /** Rises within an account for ever (microseconds at least): the log takes each id once. */
  readonly id: number
  readonly kind: "commit" | "sync" | "identity" | "account"
  readonly frame: Uint8Array
  readonly seqOffset: number
  /** The repo's head after this event (commit, sync): what listRepos tells. */
  readonly head?: { readonly commit: string; readonly rev: string }
  /** The account's standing after this event (account). */
  readonly account?: { readonly active: boolean; readonly status?: InactiveStatus }
  /** Collections that appeared in or vanished from the repo with this event. */
  readonly collections?: {
    readonly added: ReadonlyArray<string>
    readonly removed: ReadonlyArray<string>
    /** There are no others than the ones added. */
    readonly whole?: boolean
  }
}

/** A repo as listRepos shows it. */
export interface HostedRepo {
  readonly did: string
  readonly head: string
  readonly rev: string
  readonly active: boolean
  readonly status?: InactiveStatus
}

/** How far behind the newest event a number is. */
export interface Place {
  /** How many events of the log come after it. */
  readonly behind: number
  /** Since when the first of them waits to be read, in milliseconds. */
  readonly waiting?: number
}

/** A connection of subscribeRepos, and how far it was sent the log; what it has read it alone knows. */
export interface Reader extends Place {
  /** When it connected, in milliseconds. */
  readonly since: number
  readonly userAgent?: string
  /** The network that it came from (`203.0.113.0/24`), not its address. */
  readonly network?: string
  /** The cursor that it asked for. */
  readonly cursor?: number
  readonly connected: boolean
  /** When it was connected last, in milliseconds: within an hour, where it was cut off by a restart. */
  readonly seen: number
  /** The number of the last event that it was sent, or had before by its own word. */
  readonly seq: number
}

/** A relay of the configuration, and the last requestCrawl to it. */
export interface RelayCall {
  readonly relay: string
  /** When, in milliseconds; absent while it was never asked. */
  readonly at?: number
  readonly ok: boolean
  /** The answer's HTTP status, when there was one. */
  readonly status?: number
  readonly message?: string
}

/** What an operator wants to know of the log. */
export interface SequencerStatus {
  /** The newest number; 0 when there never was an event. */
  readonly seq: number
  readonly oldest: number | undefined
  /** How many events were taken since the oldest that is kept; deleted accounts' are counted too. */
  readonly events: number
  readonly subscribers: number
}

/** Who reads the stream, and who was asked to. */
export interface Subscribers {
  readonly seq: number
  /** Who reads now, and up to twenty who have read within a month. */
  readonly readers: ReadonlyArray<Reader>
  readonly relays: ReadonlyArray<RelayCall>
  /** The places of the numbers that were asked about. */
  readonly places: ReadonlyArray<Place>
}

/** The Sequencer could not be reached or failed. */
export class SequencerUnavailable extends Schema.TaggedError<SequencerUnavailable>()(
  "SequencerUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/**
 * The host's event log: it numbers events, keeps 72 hours of frames, and feeds subscribers.
 *
 * Spec: com.atproto.sync.subscribeRepos, event stream.
 */
export class Sequencer extends Context.Service<
  Sequencer,
  {
    /** Takes events in order; ids already taken are passed over. Answers the highest id taken of this account. */
    append(
      did: string,
      events: ReadonlyArray<OutboxEvent>
    ): Effect.Effect<number, SequencerUnavailable>
    /** Answers a WebSocket upgrade of subscribeRepos (`?cursor=`). */
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
    /** Who reads, for the administrator; and how far behind these numbers are, which somebody says to have read. */
    subscribers(seqs: ReadonlyArray<number>): Effect.Effect<Subscribers, SequencerUnavailable>
  }
>()("nacre/services/Sequencer") {}
