import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { relaysReport } from "../../services/operators/watch/relays.ts"
import { Sequencer } from "../../services/stream/Sequencer.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { noteAct } from "../CurrentRequest.ts"
import { adminInput, forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The most `seq` parameters of one request. */
const most = 20

/**
 * `/admin/relays?seq=`, for the administrator: which relays were asked to crawl, who reads the
 * event stream and how far, what the watch last learned of relays, and for each `seq` that a relay
 * claims to have read, how far behind that is.
 */
export const adminRelays = Effect.fn("http.adminRelays")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/relays")
  const texts = url.searchParams.getAll("seq")
  const seqs = texts.map(Number)
  if (seqs.length > most || texts.some((text) => !/^\d{1,15}$|^[1-8]\d{15}$/.test(text))) {
    return yield* new InvalidRequest({ message: `seq must be a number, at most ${most} times` })
  }
  const stream = yield* (yield* Sequencer).subscribers(seqs)
  const report = yield* Effect.orElseSucceed(relaysReport, () => undefined)
  return ownAnswer({ ...stream, ...(report === undefined ? {} : { report }) })
})

const Reader = Schema.Struct({ id: Schema.String })

/** POST `/admin/relays/disconnect`: closes a reader's connection. */
export const disconnectReader = Effect.fn("http.disconnectReader")(function* (request: Request) {
  yield* forAdministrator(request, "admin/relays")
  const { id } = yield* adminInput(request, Reader, "id, of a reader, is needed")
  yield* noteAct({ subject: id })
  return ownAnswer({ disconnected: yield* (yield* Sequencer).disconnect(id) })
})

const Relay = Schema.Struct({ relay: Schema.String })

/** POST `/admin/relays/ask`: asks a relay to crawl now. */
export const askRelay = Effect.fn("http.askRelay")(function* (request: Request) {
  yield* forAdministrator(request, "admin/relays")
  const { relay } = yield* adminInput(request, Relay, "relay, an origin, is needed")
  yield* noteAct({ subject: relay })
  const answer = yield* (yield* Sequencer).askRelay(relay)
  if (answer === undefined) {
    return yield* new InvalidRequest({ message: "RELAYS doesn't name this relay" })
  }
  return ownAnswer(answer)
})
