import * as Effect from "effect/Effect"
import { type Account, AccountStore, inactiveStatus } from "../accounts/AccountStore.ts"
import { GrantEnded, type NewOAuthSession, OAuthSessions } from "./OAuthSessions.ts"
import { sweepSessionsLater } from "../sessions/SessionSweep.ts"

/** The account and its apps' sessions; an object without an account has granted nothing. */
const granting = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  if (account === undefined) return yield* new GrantEnded({ reason: "unknown" })
  return { account, sessions: yield* OAuthSessions }
})

const assertOpen = (isOpen: boolean) =>
  isOpen ? Effect.void : Effect.fail(new GrantEnded({ reason: "account inactive" }))

const isTakenDown = (account: Account): boolean => account.takedown !== undefined

/** Opens the session of a code while the account is active. */
export const openOAuth = Effect.fnUntraced(function* (input: NewOAuthSession) {
  const { account, sessions } = yield* granting
  yield* assertOpen(inactiveStatus(account) === undefined)
  const tokens = yield* sessions.open(account.did, input)
  yield* sweepSessionsLater
  return tokens
})

/**
 * The session of a refresh token; an app of a deactivated account may continue, of a taken-down one
 * it may not.
 */
export const peekOAuth = Effect.fnUntraced(function* ({
  refreshToken,
  jkt
}: {
  readonly refreshToken: string
  readonly jkt: string
}) {
  const { account, sessions } = yield* granting
  const session = yield* sessions.peek(refreshToken, jkt)
  yield* assertOpen(!isTakenDown(account))
  return session
})

/** Uses a refresh token. */
export const refreshOAuth = Effect.fnUntraced(function* ({
  refreshToken,
  ...use
}: {
  readonly refreshToken: string
  readonly clientId: string
  readonly jkt: string
  readonly granted: string
}) {
  const { account, sessions } = yield* granting
  yield* assertOpen(!isTakenDown(account))
  return yield* sessions.refresh(account.did, refreshToken, use)
})

/** Changes the sessions of this object's account, if it has one. */
const onSessions = <A>(
  use: (sessions: OAuthSessions["Service"]) => Effect.Effect<A>
): Effect.Effect<A | undefined, never, AccountStore | OAuthSessions> =>
  granting.pipe(
    Effect.flatMap(({ sessions }) => use(sessions)),
    Effect.orElseSucceed(() => undefined)
  )

/** Revokes by either token. */
export const revokeOAuth = ({
  token,
  clientId
}: {
  readonly token: string
  readonly clientId: string
}) => onSessions((sessions) => sessions.revoke(token, clientId))

/** Ends a session. */
export const endOAuth = ({ session }: { readonly session: string }) =>
  onSessions((sessions) => sessions.end(session))

/** The previous consent to a client. */
export const consented = ({ clientId }: { readonly clientId: string }) =>
  onSessions((sessions) => sessions.consented(clientId)).pipe(
    Effect.map((scope) => (scope === undefined ? {} : { scope }))
  )

/** Stores a consent. */
export const rememberConsent = ({
  clientId,
  scope
}: {
  readonly clientId: string
  readonly scope: string
}) => onSessions((sessions) => sessions.rememberConsent(clientId, scope))

/** Calls for the OAuth provider; the Worker has authenticated the client. */
export const oauthCalls = {
  openOAuth,
  peekOAuth,
  refreshOAuth,
  revokeOAuth,
  endOAuth,
  consented,
  rememberConsent
}
