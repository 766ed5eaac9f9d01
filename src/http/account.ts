import * as Effect from "effect/Effect"
import { seenFrom } from "../core/sessions/seenFrom.ts"
import { tellOwner } from "../services/accounts/tellOwner.ts"
import { recordsPath } from "../services/backups/archive/archive.ts"
import { archiveRecords } from "../services/backups/archive/records.ts"
import { Config } from "../services/host/Config.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { Auth } from "../services/sessions/Auth.ts"
import { errorResponse, failures, wireError } from "./errors.ts"
import { finishBody } from "./responses.ts"
import { accountMethods } from "./methods.ts"
import { placeOf } from "./sessions/place.ts"
import { credentialsOf, serve } from "./Xrpc.ts"

/** Streams the records for an archive; only the Worker asks for them, as the administrator. */
const serveRecords = Effect.fnUntraced(
  function* (request: Request) {
    yield* (yield* Auth).authenticate(credentialsOf(request), { kind: "admin" }, recordsPath)
    return yield* archiveRecords
  },
  Effect.catch((failure) => Effect.succeed(errorResponse(wireError(failure))))
)

/** Answers an XRPC request in its account's object. */
const serveAccount = Effect.fnUntraced(function* (request: Request) {
  const { jsonLimit } = yield* Config
  const url = new URL(request.url)
  if (url.pathname === recordsPath) return yield* serveRecords(request)
  const from = seenFrom(request.headers.get("user-agent"), placeOf(request))
  const answer = yield* serve(accountMethods, { jsonLimit }, request, url).pipe(
    Effect.ensuring(tellOwner),
    Effect.provideService(RequestOrigin, { from })
  )
  yield* finishBody(request)
  return answer
})

/** The HTTP app of an account's object. */
export const accountApp = { serve: serveAccount, failures }
