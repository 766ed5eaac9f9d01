import type { ComAtprotoTempCheckHandleAvailability as CheckHandle } from "@atproto/api"
import * as Effect from "effect/Effect"
import { handleAvailability } from "../../services/identity/HandleAvailability.ts"
import { fitEmail, refuse } from "../../services/accounts/signUp/fields.ts"
import { takePoint } from "../limits/clientLimits.ts"
import { type Call, method } from "../Xrpc.ts"

const open = { authority: { kind: "none" } } as const

/** A sign-up page asks while its person types. */
const availabilityLimits = [{ limit: 300, windowSeconds: 300 }]

/** There is no queue here: everybody who has an account may use it. */
const checkSignupQueue = method("com.atproto.temp.checkSignupQueue", open, () =>
  Effect.succeed({ activated: true })
)

const nsid = "com.atproto.temp.checkHandleAvailability"

const checkHandleAvailability = method(
  nsid,
  open,
  Effect.fnUntraced(function* ({ params, request }: Call<CheckHandle.QueryParams>) {
    yield* takePoint(request, "checkHandleAvailability", availabilityLimits)
    const { handle, email, birthDate } = params
    if (email !== undefined) {
      yield* Effect.mapError(fitEmail(email), ({ message }) => refuse("InvalidEmail", message))
    }
    const found = yield* handleAvailability({ handle, email, birthDate })
    const result = found.available
      ? { $type: `${nsid}#resultAvailable` }
      : { $type: `${nsid}#resultUnavailable`, suggestions: found.suggestions }
    return { handle, result }
  })
)

/** What the sign-up pages of apps ask. */
export const tempMethods = [checkSignupQueue, checkHandleAvailability]
