import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Did, Handle, Words } from "../answers.ts"
import { CallFailed } from "../failure.ts"
import { note } from "../output.ts"
import { query } from "../xrpc.ts"
import { type OwnerProfile, profileWriter } from "./profiles.ts"
import { renewing } from "./tokens.ts"

/**
 * How old a session may be for actions that need a recent sign-in, in milliseconds: one minute less
 * than the server allows.
 */
const recent = 14 * 60_000

/** The errors for a session that has ended. */
const ended = new Set(["ExpiredToken", "InvalidToken", "AuthenticationRequired"])

const isEnded = (error: unknown): boolean =>
  error instanceof CallFailed && error.status < 500 && ended.has(error.error)

const Mine = Schema.Struct({ did: Did, handle: Handle, email: Schema.optionalKey(Words) })

/** Resumes and renews a profile's stored session; undefined if it has ended. */
export const resumed = Effect.fn("cli.resumed")(function* (profile: OwnerProfile) {
  const { server, did } = profile
  const write = yield* profileWriter(profile.name)
  const tokens = yield* renewing(server, profile, ({ handle, accessJwt, refreshJwt }) =>
    Effect.catch(write({ ...profile, handle, accessJwt, refreshJwt }), ({ message }) =>
      note(message)
    )
  )
  const ask = query(
    { server, authorization: tokens.authorization },
    "com.atproto.server.getSession",
    Mine
  )
  const mine = yield* ask.pipe(
    // The token may have expired early; only a refresh shows whether the session continues.
    Effect.catchIf(isEnded, () => Effect.andThen(tokens.renew, ask)),
    Effect.catchIf(isEnded, () => Effect.undefined)
  )
  if (mine === undefined || mine.did !== did) return undefined
  return { server, did, handle: mine.handle, email: mine.email, ...tokens }
})

/** Whether a profile's session is too old for actions that need a recent sign-in. */
export const isStale = (profile: OwnerProfile) =>
  Effect.map(Clock.currentTimeMillis, (now) => now - profile.signedInAt > recent)
