import * as Effect from "effect/Effect"
import { issueTokens } from "../../services/oauth/issueTokens.ts"
import { proveKey } from "../../services/oauth/provenKey.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { answer, endpoint, shownIn } from "./endpoint.ts"

/** `/oauth/token`: exchanges a code or a refresh token for tokens. Spec: RFC 6749 3.2. */
export const token = endpoint(
  "token",
  Effect.fnUntraced(function* ({ form, request }) {
    const jkt = yield* proveKey(shownIn(request))
    const tokens = yield* issueTokens(form, jkt)
    yield* noteAccount(tokens.sub)
    return answer(tokens)
  })
)
