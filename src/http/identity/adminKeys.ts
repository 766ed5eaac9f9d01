import * as Effect from "effect/Effect"
import { rotateMasterKey } from "../../services/identity/keys/rotateMasterKey.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The part of a rotation that one request does; the next request continues. */
const aRequest = { millis: 20_000, operations: 400 }

/** POST `/admin/keys/master`: continues the rotation of the master key; the response has its progress. */
export const rotateMaster = Effect.fn("http.rotateMaster")(function* (request: Request) {
  yield* forAdministrator(request, "admin/keys")
  return ownAnswer(yield* rotateMasterKey(aRequest))
})
