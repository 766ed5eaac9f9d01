import type {
  AppBskyActorGetPreferences as GetPreferences,
  AppBskyActorPutPreferences as PutPreferences
} from "@atproto/api"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Data } from "../../core/repo/cbor.ts"
import { toJson } from "../../core/repo/json.ts"
import type { Caller, NeedsOf } from "../../services/sessions/Authority.ts"
import type { Preferences } from "../../services/accounts/Preferences.ts"
import {
  putPreferences as put,
  shownPreferences
} from "../../services/accounts/OwnerPreferences.ts"
import { type Call, method, queryAtOnce } from "../Xrpc.ts"

/**
 * An app needs the permission of the AppView whose methods these are, although this server
 * implements them.
 */
const need =
  (lxm: string, kind: { readonly query?: true } = {}): NeedsOf =>
  ({ appView = "did:web:api.bsky.app#bsky_appview" }) => [
    { resource: "rpc", lxm, aud: appView, ...kind }
  ]

/** Sessions of the main password have full access, and a moderation service reads as they do. */
const isOwner = (caller: Caller): boolean =>
  caller.kind === "moderator" ||
  (caller.kind === "session" && (caller.level === "full" || caller.level === "takendown"))

/** app.bsky.actor.getPreferences: stored here rather than in the AppView. */
const getPreferences = queryAtOnce(
  "app.bsky.actor.getPreferences",
  {
    at: "account",
    authority: {
      kind: "session",
      level: "standard",
      oauth: need("app.bsky.actor.getPreferences", { query: true }),
      takendown: true,
      moderator: true
    }
  },
  ({ caller }: Call<GetPreferences.QueryParams>, services: Context.Context<Preferences>) =>
    Result.succeed({ preferences: shownPreferences(isOwner(caller), services) })
)

const putPreferences = method(
  "app.bsky.actor.putPreferences",
  {
    at: "account",
    authority: {
      kind: "session",
      level: "standard",
      oauth: need("app.bsky.actor.putPreferences")
    }
  },
  Effect.fnUntraced(function* ({
    input,
    caller
  }: Call<PutPreferences.QueryParams, PutPreferences.InputSchema>) {
    // SAFETY: the input is in the data model, and the JSON has the same shape.
    const preferences = toJson(
      input.preferences as Data
    ) as PutPreferences.InputSchema["preferences"]
    yield* put(preferences, isOwner(caller))
  })
)

/** Methods for an account's preferences. */
export const actorMethods = [getPreferences, putPreferences]
