import * as Effect from "effect/Effect"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The most `seq` parameters of one request. */
const most = 20

/**
 * `/admin/relays?seq=`, for the administrator: which relays were asked to crawl, who reads the
 * event stream and how far, and for each `seq` that a relay claims to have read, how far behind
 * that is.
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
