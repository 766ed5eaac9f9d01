import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { Did, Handle, Opaque, Words } from "../answers.ts"
import { type Calling, procedure, type Remote } from "../xrpc.ts"

/** The response of createSession and refreshSession. */
export const Tokens = Schema.Struct({
  did: Did,
  handle: Handle,
  email: Schema.optionalKey(Words),
  accessJwt: Opaque,
  refreshJwt: Opaque
})

/** The two tokens of a session. */
export interface TokenPair {
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** When a token expires, in milliseconds; Infinity if its form is unknown. */
const endOf = (token: string): number => {
  const payload = token.split(".")[1] ?? ""
  const claims = Schema.decodeUnknownOption(
    Schema.fromJsonString(Schema.Struct({ exp: Schema.Finite }))
  )(Buffer.from(payload, "base64url").toString("utf8"))
  return claims._tag === "Some" ? claims.value.exp * 1000 : Infinity
}

/** How long before its expiry a token is renewed, in milliseconds. */
const margin = 60_000

/** A session's tokens while in use. */
export interface Renewing {
  /** The `Authorization` header; renews the token first if it expires soon. */
  readonly authorization: Calling<string>
  /** Renews the tokens now. */
  readonly renew: Calling<void>
  /** Ends the session, or fails with the reason. */
  readonly endOrFail: Calling<unknown>
  /** Ends the session if the server can be reached. */
  readonly end: Effect.Effect<void, never, Effect.Services<Calling<void>>>
}

/** A session's tokens, renewed while in use; `onRenewed` gets each new pair. */
export const renewing = Effect.fnUntraced(function* (
  server: string,
  first: TokenPair,
  onRenewed: (tokens: typeof Tokens.Type) => Effect.Effect<void> = () => Effect.void
) {
  const tokens = yield* Ref.make(first)
  const bearer = (pick: (all: TokenPair) => string): Calling<string> =>
    Effect.map(Ref.get(tokens), (all) => `Bearer ${pick(all)}`)
  const byRefresh: Remote = { server, authorization: bearer(({ refreshJwt }) => refreshJwt) }
  const renew: Calling<void> = Effect.gen(function* () {
    const next = yield* procedure(byRefresh, "com.atproto.server.refreshSession", Tokens)
    yield* Ref.set(tokens, next)
    yield* onRenewed(next)
  })
  const authorization: Calling<string> = Effect.gen(function* () {
    const { accessJwt } = yield* Ref.get(tokens)
    if (endOf(accessJwt) - (yield* Clock.currentTimeMillis) < margin) yield* renew
    return yield* bearer((all) => all.accessJwt)
  })
  const endOrFail = procedure(byRefresh, "com.atproto.server.deleteSession", Schema.Unknown)
  return { authorization, renew, endOrFail, end: Effect.ignore(endOrFail) } satisfies Renewing
})
