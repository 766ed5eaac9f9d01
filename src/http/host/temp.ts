import type { ComAtprotoTempCheckHandleAvailability as CheckHandle } from "@atproto/api"
import * as Effect from "effect/Effect"
import { handleAvailability } from "../../services/identity/HandleAvailability.ts"
import { fitEmail, refuse } from "../../services/accounts/signUp/fields.ts"
import { type Call, method } from "../Xrpc.ts"
import { rules } from "../../services/limits/rules.ts"

const open = { at: "host", authority: { kind: "none" } } as const

/** This server has no queue: every account may be used. */
const checkSignupQueue = method("com.atproto.temp.checkSignupQueue", open, () =>
  Effect.succeed({ activated: true })
)

const nsid = "com.atproto.temp.checkHandleAvailability"

const checkHandleAvailability = method(
  nsid,
  { ...open, limits: [rules.handleAvailability] },
  Effect.fnUntraced(function* ({ params }: Call<CheckHandle.QueryParams>) {
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

/** Methods for the sign-up pages of apps. */
export const tempMethods = [checkSignupQueue, checkHandleAvailability]
