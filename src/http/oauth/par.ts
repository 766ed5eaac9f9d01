import * as Effect from "effect/Effect"
import { proveKey } from "../../services/oauth/provenKey.ts"
import { pushRequest } from "../../services/oauth/pushRequest.ts"
import { answer, endpoint, shownIn } from "./endpoint.ts"

/** `/oauth/par`: a client pushes its request before it sends the user's browser. Spec: RFC 9126. */
export const par = endpoint(
  "par",
  Effect.fnUntraced(function* ({ form, request }) {
    const jkt = yield* proveKey(shownIn(request))
    const { requestUri, expiresIn } = yield* pushRequest(form, jkt)
    return answer({ request_uri: requestUri, expires_in: expiresIn }, 201)
  })
)
