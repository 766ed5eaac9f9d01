import * as Effect from "effect/Effect"
import { rotateHostKey } from "../../services/identity/keys/rotateHostKey.ts"
import { rotateMasterKey } from "../../services/identity/keys/rotateMasterKey.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"

/** The part of a rotation that one request does; the next request continues. */
const aRequest = { millis: 20_000, operations: 400 }

/** POST `/admin/keys/master`: continues the rotation of the master key; the response has its progress. */
export const rotateMaster = Effect.fn("http.rotateMaster")(function* (request: Request) {
  yield* forAdministrator(request, "admin/keys")
  return ownAnswer(yield* rotateMasterKey(aRequest))
})

/** POST `/admin/keys/plc`: continues the rotation of the host's key in DIDs; the response has its progress. */
export const rotatePlc = Effect.fn("http.rotatePlc")(function* (request: Request) {
  yield* forAdministrator(request, "admin/keys")
  return ownAnswer(yield* rotateHostKey(aRequest))
})
