import * as Effect from "effect/Effect"
import { OAuthRequests } from "./OAuthRequests.ts"

/** What is good for one use. */
type Kind = "dpop" | "assertion" | "code_challenge" | "service"

/** Uses something that is good once, until it could not be used anyway; false where it was used before. */
export const useOnce = Effect.fn("useOnce")(function* (
  kind: Kind,
  parts: ReadonlyArray<string>,
  expiresAt: number
) {
  return yield* (yield* OAuthRequests).useOnce(`${kind}:${JSON.stringify(parts)}`, expiresAt)
})
