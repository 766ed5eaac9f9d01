import type {
  AppBskyActorGetPreferences as GetPreferences,
  AppBskyActorPutPreferences as PutPreferences
} from "@atproto/api"
import * as Effect from "effect/Effect"
import type { Data } from "../../core/repo/cbor.ts"
import { toJson } from "../../core/repo/json.ts"
import type { Caller, NeedsOf } from "../../services/sessions/Authority.ts"
import {
  putPreferences as put,
  shownPreferences
} from "../../services/accounts/OwnerPreferences.ts"
import { type Call, method } from "../Xrpc.ts"

/** By the protocol an app needs the permission of the app view whose methods these are, although they are answered here. */
const need =
  (lxm: string): NeedsOf =>
  ({ appView = "did:web:api.bsky.app#bsky_appview" }) => [{ resource: "rpc", lxm, aud: appView }]

/** The main password's sessions see and set everything, and a moderation service sees what they see. */
const isOwner = (caller: Caller): boolean =>
  caller.kind === "moderator" ||
  (caller.kind === "session" && (caller.level === "full" || caller.level === "takendown"))

/** app.bsky.actor.getPreferences: kept here, not in the app view. */
export const getPreferences = method(
  "app.bsky.actor.getPreferences",
  {
    at: "account",
    authority: {
      kind: "session",
      level: "standard",
      oauth: need("app.bsky.actor.getPreferences"),
      takendown: true,
      moderator: true
    }
  },
  Effect.fnUntraced(function* ({ caller }: Call<GetPreferences.QueryParams>) {
    return { preferences: yield* shownPreferences(isOwner(caller)) }
  })
)

/** app.bsky.actor.putPreferences */
export const putPreferences = method(
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
    // SAFETY: the input is in the data model, and what was JSON becomes JSON of the same shape.
    const preferences = toJson(
      input.preferences as Data
    ) as PutPreferences.InputSchema["preferences"]
    yield* put(preferences, isOwner(caller))
  })
)

/** The preferences of an account. */
export const actorMethods = [getPreferences, putPreferences]
