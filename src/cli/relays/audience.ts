import * as Schema from "effect/Schema"
import { Did, Opaque, Origin, Words } from "../answers.ts"
import { query, type Remote } from "../xrpc.ts"

const optional = Schema.optionalKey

const Place = {
  behind: Schema.Int,
  /** When the oldest unread event was written, in milliseconds since 1970. */
  waiting: optional(Schema.Finite)
}

const Reader = Schema.Struct({
  id: optional(Opaque),
  since: Schema.Finite,
  userAgent: optional(Words),
  network: optional(Words),
  cursor: optional(Schema.Finite),
  connected: Schema.Boolean,
  seen: Schema.Finite,
  seq: Schema.Finite,
  ...Place
})

const RelayCall = Schema.Struct({
  relay: Origin,
  at: optional(Schema.Finite),
  ok: Schema.Boolean,
  status: optional(Schema.Int),
  message: optional(Words)
})

const Claim = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("known"),
    status: optional(Words),
    seq: optional(Schema.Finite),
    accounts: optional(Schema.Int)
  }),
  Schema.Struct({ kind: Schema.Literals(["unknown", "silent"]), why: Words })
])

/** What the watch last learned of relays and readers. */
const Report = Schema.Struct({
  at: Schema.Finite,
  events: Schema.Struct({ hour: Schema.Int, day: Schema.Int }),
  relays: Schema.Array(
    Schema.Struct({
      relay: Origin,
      at: Schema.Finite,
      claim: Claim,
      behind: optional(Schema.Int),
      waiting: optional(Schema.Finite),
      throttled: Schema.Array(Did),
      askedAgain: Schema.Int,
      askedAgainAt: optional(Schema.Finite)
    })
  ),
  readers: Schema.Record(
    Opaque,
    Schema.Struct({ seq: Schema.Finite, rate: optional(Schema.Finite) })
  )
})

/** A relay's response to a request to crawl. */
export const CrawlAnswer = Schema.Struct({
  ok: Schema.Boolean,
  status: optional(Schema.Int),
  message: optional(Words)
})

const Audience = Schema.Struct({
  seq: Schema.Finite,
  readers: Schema.Array(Reader),
  relays: Schema.Array(RelayCall),
  places: Schema.Array(Schema.Struct(Place)),
  report: optional(Report)
})

/** Who reads the stream, and the relays that the server asks. */
export type Audience = typeof Audience.Type

/** A subscriber to the event stream, as the server knows it. */
export type Reader = typeof Reader.Type

/** A relay that the server calls, and its response. */
export type RelayCall = typeof RelayCall.Type

/** How far a number is behind the newest event. */
export type Place = Pick<Reader, "behind" | "waiting">

/**
 * The event stream's subscribers, and how far these numbers are behind; requires the administrator.
 */
export const audienceOf = (admin: Remote, seqs: ReadonlyArray<number> = []) =>
  query(admin, "admin/relays", Audience, { seq: seqs.map(String) })
