import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { OAuthStoreUnavailable } from "./OAuthRequests.ts"

/** The refresh tokens that another server issued before this one took over its accounts. */
export interface AdoptedTokensShape {
  /** This server's form of a token; any other token unchanged. */
  ownForm(token: string): Effect.Effect<string, OAuthStoreUnavailable>
}

/** None, unless the server runs on an adopted folder. */
export const AdoptedTokens = Context.Reference<AdoptedTokensShape>("nacre/services/AdoptedTokens", {
  defaultValue: () => ({ ownForm: Effect.succeed })
})
