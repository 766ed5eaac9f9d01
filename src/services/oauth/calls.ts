import * as Effect from "effect/Effect"
import { type Account, AccountStore, inactiveStatus } from "../accounts/AccountStore.ts"
import { GrantEnded, type NewOAuthSession, OAuthSessions } from "./OAuthSessions.ts"
import { sweepSessionsLater } from "../sessions/SessionSweep.ts"

/** The account, and the sessions of its apps; an object without an account has granted nothing. */
const granting = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  if (account === undefined) return yield* new GrantEnded({ reason: "unknown" })
  return { account, sessions: yield* OAuthSessions }
})

const assertOpen = (isOpen: boolean) =>
  isOpen ? Effect.void : Effect.fail(new GrantEnded({ reason: "account inactive" }))

const isTakenDown = (account: Account): boolean => account.takedown !== undefined

/** Opens the session that a code stands for, while the account is active. */
export const openOAuth = Effect.fnUntraced(function* (input: NewOAuthSession) {
  const { account, sessions } = yield* granting
  yield* assertOpen(inactiveStatus(account) === undefined)
  const tokens = yield* sessions.open(account.did, input)
  yield* sweepSessionsLater
  return tokens
})

/** The session of a refresh token; an app of a deactivated account goes on, that of one taken down does not. */
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

/** Does something to the sessions of the account that is here; of no account there are none. */
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

/** What was agreed to for a client before. */
export const consented = ({ clientId }: { readonly clientId: string }) =>
  onSessions((sessions) => sessions.consented(clientId)).pipe(
    Effect.map((scope) => (scope === undefined ? {} : { scope }))
  )

/** Remembers what was agreed to. */
export const rememberConsent = ({
  clientId,
  scope
}: {
  readonly clientId: string
  readonly scope: string
}) => onSessions((sessions) => sessions.rememberConsent(clientId, scope))

/** What the account's object does for the OAuth provider; the Worker has judged the client. */
export const oauthCalls = {
  openOAuth,
  peekOAuth,
  refreshOAuth,
  revokeOAuth,
  endOAuth,
  consented,
  rememberConsent
}
