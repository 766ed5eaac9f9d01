import * as Effect from "effect/Effect"
import { Auth } from "../services/Auth.ts"
import { countRequest } from "./clientLimits.ts"
import { jsonType, privateHeaders } from "./responseHeaders.ts"
import { credentialsOf } from "./Xrpc.ts"

/** Counts a request for an address of our own beside XRPC, and turns away everybody but the administrator. */
export const forAdministrator = Effect.fnUntraced(function* (request: Request, name: string) {
  yield* countRequest(request, "")
  yield* (yield* Auth).authenticate(credentialsOf(request), { kind: "admin" }, name)
})

/** What such an address answers: JSON that nobody keeps. */
export const ownAnswer = (value: object): Response =>
  new Response(JSON.stringify(value), {
    headers: { ...privateHeaders, "cache-control": "no-store", "content-type": jsonType }
  })
