import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"

/** What a relay said to requestCrawl. */
export interface CrawlAnswer {
  readonly ok: boolean
  /** The HTTP status, when there was an answer. */
  readonly status?: number
  readonly message?: string
}

/** Asks relays to read this host's event stream (com.atproto.sync.requestCrawl). */
export class Relays extends Context.Service<
  Relays,
  {
    /** The origins of the relays to ask; none when this host cannot be crawled. */
    readonly origins: ReadonlyArray<string>
    /** Never fails: what went wrong is in the answer. */
    requestCrawl(relay: string): Effect.Effect<CrawlAnswer>
  }
>()("nacre/services/Relays") {}
