import * as Effect from "effect/Effect"
import { OAuthRequests } from "./OAuthRequests.ts"

/** The kinds of single-use keys. */
type Kind = "dpop" | "assertion" | "code_challenge" | "service"

/** Uses a single-use key until it expires; false if it was used before. */
export const useOnce = Effect.fn("useOnce")(function* (
  kind: Kind,
  parts: ReadonlyArray<string>,
  expiresAt: number
) {
  return yield* (yield* OAuthRequests).useOnce(`${kind}:${JSON.stringify(parts)}`, expiresAt)
})
