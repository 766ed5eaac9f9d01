import * as Effect from "effect/Effect"
import { Config } from "../services/host/Config.ts"
import { failures } from "./errors.ts"
import { finishBody } from "./responses.ts"
import { accountMethods } from "./methods.ts"
import { serve } from "./Xrpc.ts"

/** Answers an XRPC request in its account's object. */
export const serveAccount = Effect.fnUntraced(function* (request: Request) {
  const { jsonLimit } = yield* Config
  const answer = yield* serve(accountMethods, { jsonLimit }, request, new URL(request.url))
  yield* finishBody(request)
  return answer
})

/** The HTTP app of an account's object. */
export const accountApp = { serve: serveAccount, failures }
