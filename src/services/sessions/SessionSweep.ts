import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Alarm } from "../host/Alarm.ts"
import { OAuthSessions } from "../oauth/OAuthSessions.ts"
import { Sessions } from "./Sessions.ts"

const day = 24 * 60 * 60 * 1000

/** Requests a sweep within a day, by which time a newly opened session may have expired. */
export const sweepSessionsLater = Effect.gen(function* () {
  yield* (yield* Alarm).by((yield* Clock.currentTimeMillis) + day)
})

/** Removes expired sessions of people and apps, once a day. */
export const sweepSessions = Effect.gen(function* () {
  yield* (yield* Sessions).sweep
  yield* (yield* OAuthSessions).sweep
})
