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

/** What an operator wants to know of the log. */
export interface SequencerStatus {
  readonly seq: number
  readonly oldest: number | undefined
  readonly events: number
  readonly subscribers: number
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
