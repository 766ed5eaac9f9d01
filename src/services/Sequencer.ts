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

/** A connection of subscribeRepos, and how far it was sent the log. */
export interface Reader {
  /** When it connected, in milliseconds. */
  readonly since: number
  readonly userAgent?: string
  /** The cursor that it asked for. */
  readonly cursor?: number
  /** The last number it was sent while it catches up; "live" when it has everything. */
  readonly position: number | "live"
  /** When it went; absent while it is connected. */
  readonly until?: number
}

/** The last requestCrawl to a relay. */
export interface RelayCall {
  readonly relay: string
  /** When, in milliseconds. */
  readonly at: number
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
  /** Who reads now, and who read last (forgotten when the object sleeps). */
  readonly readers: ReadonlyArray<Reader>
  readonly relays: ReadonlyArray<RelayCall>
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
  }
>()("nacre/services/Sequencer") {}
