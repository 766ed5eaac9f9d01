import * as Effect from "effect/Effect"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** Numbers that one request may ask about. */
const most = 20

/**
 * `/admin/relays?seq=`: which relays were asked to crawl, who reads the event stream and how far, for the administrator;
 * and for each `seq`, which a relay says to have read, how far behind that is.
 */
export const adminRelays = Effect.fn("http.adminRelays")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/relays")
  const texts = url.searchParams.getAll("seq")
  const seqs = texts.map(Number)
  if (seqs.length > most || texts.some((text) => !/^\d{1,15}$|^[1-8]\d{15}$/.test(text))) {
    return yield* new InvalidRequest({ message: `seq must be a number, at most ${most} times` })
  }
  return ownAnswer(yield* (yield* Sequencer).subscribers(seqs))
})
