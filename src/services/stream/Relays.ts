import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** A relay's response to requestCrawl. */
export interface CrawlAnswer {
  readonly ok: boolean
  /** The HTTP status, if there was a response. */
  readonly status?: number
  readonly message?: string
}

/** Asks relays to read this host's event stream (com.atproto.sync.requestCrawl). */
export class Relays extends Context.Service<
  Relays,
  {
    /** The origins of the relays to ask; empty if this host cannot be crawled. */
    readonly origins: ReadonlyArray<string>
    /** Never fails: errors are in the result. */
    requestCrawl(relay: string): Effect.Effect<CrawlAnswer>
  }
>()("nacre/services/Relays") {}
