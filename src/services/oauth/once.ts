import * as Effect from "effect/Effect"
import { toBase64Url } from "../../identity/base64url.ts"
import { sha256 } from "../../repo/cid.ts"
import { OAuthRequests } from "../OAuthRequests.ts"

/** What is good for one use: proofs, assertions, and what a client makes anew for each request. */
type Kind = "dpop" | "assertion" | "code_challenge" | "state"

/** The key of something that is good once: short and of one length, however long its parts are. */
const keyOf = (kind: Kind, parts: ReadonlyArray<string>): string =>
  `${kind}:${toBase64Url(sha256(JSON.stringify(parts)))}`

/** Uses something that is good once, until it could not be used anyway; false where it was used before. */
export const useOnce = Effect.fn("useOnce")(function* (
  kind: Kind,
  parts: ReadonlyArray<string>,
  expiresAt: number
) {
  return yield* (yield* OAuthRequests).useOnce(keyOf(kind, parts), expiresAt)
})
