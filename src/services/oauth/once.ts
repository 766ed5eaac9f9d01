import { OAuthRequests } from "./OAuthRequests.ts"
import { spanned } from "../operators/spanned.ts"

/** The kinds of single-use keys. */
type Kind = "dpop" | "assertion" | "code_challenge" | "service"

/** Uses a single-use key until it expires; false if it was used before. */
export const useOnce = spanned("useOnce")(function* (
  kind: Kind,
  parts: ReadonlyArray<string>,
  expiresAt: number
) {
  return yield* (yield* OAuthRequests).useOnce(`${kind}:${JSON.stringify(parts)}`, expiresAt)
})
