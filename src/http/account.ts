import * as Effect from "effect/Effect"
import { seenFrom } from "../core/sessions/seenFrom.ts"
import { tellOwner } from "../services/accounts/tellOwner.ts"
import { Config } from "../services/host/Config.ts"
import { RequestOrigin } from "../services/host/RequestOrigin.ts"
import { failures } from "./errors.ts"
import { finishBody } from "./responses.ts"
import { accountMethods } from "./methods.ts"
import { placeOf } from "./sessions/place.ts"
import { serve } from "./Xrpc.ts"

/** Answers an XRPC request in its account's object. */
const serveAccount = Effect.fnUntraced(function* (request: Request) {
  const { jsonLimit } = yield* Config
  const from = seenFrom(request.headers.get("user-agent"), placeOf(request))
  const answer = yield* serve(accountMethods, { jsonLimit }, request, new URL(request.url)).pipe(
    Effect.ensuring(tellOwner),
    Effect.provideService(RequestOrigin, { from })
  )
  yield* finishBody(request)
  return answer
})

/** The HTTP app of an account's object. */
export const accountApp = { serve: serveAccount, failures }
