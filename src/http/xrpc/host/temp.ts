import * as Effect from "effect/Effect"
import { method } from "../../Xrpc.ts"

const checkSignupQueue = method(
  "com.atproto.temp.checkSignupQueue",
  { authority: { kind: "none" } },
  () => Effect.succeed({ activated: true })
)

/** There is no queue here: everybody who has an account may use it. */
export const tempMethods = [checkSignupQueue]
