import * as Effect from "effect/Effect"
import { reaches, type Role } from "../../core/operators/roles.ts"
import { parseAuthorization } from "../../core/sessions/authorization.ts"
import { parseJwt } from "../../core/sessions/jwt.ts"
import { isForeign } from "../../core/sessions/sessionToken.ts"
import type { Accounts } from "../../services/accounts/Accounts.ts"
import type { Operators } from "../../services/operators/Operators.ts"
import { type Credentials, Denied, type OAuthDenied } from "../../services/sessions/Auth.ts"
import type { Caller } from "../../services/sessions/Authority.ts"

const denied = (message: string) => new Denied({ error: "AuthenticationRequired", message })

/** The account that a session's access token claims; unverified. */
const claimedDid = ({ authorization }: Credentials): string | undefined => {
  const presented = parseAuthorization(authorization)
  if (presented?.scheme !== "bearer") return undefined
  const jwt = parseJwt(presented.value)
  if (jwt === undefined || isForeign(jwt)) return undefined
  const { sub } = jwt.claims
  return typeof sub === "string" ? sub : undefined
}

const later = (what: string) => (cause: unknown) =>
  Effect.andThen(
    Effect.logWarning(`an operator's ${what} could not be looked up`, cause),
    denied("The operator could not be looked up just now")
  )

/**
 * Authenticates an operator with a session of the main password that began in the last 15 minutes,
 * of an account with an authenticator. Undefined for anyone else.
 */
export const operatorCaller = Effect.fnUntraced(function* (
  {
    operators,
    accounts
  }: {
    readonly operators: Operators["Service"]
    readonly accounts: Accounts["Service"]
  },
  credentials: Credentials,
  needed: Role
): Effect.fn.Return<Caller | undefined, Denied | OAuthDenied> {
  const did = claimedDid(credentials)
  if (did === undefined) return undefined
  const role = yield* Effect.catch(operators.role(did), later("role"))
  if (role === undefined) return undefined
  const unreachable = { AccountUnavailable: later("account") }
  yield* Effect.catchTags(accounts.call(did, "proveSession", credentials), unreachable)
  const view = yield* accounts.call(did, "owner").pipe(
    Effect.catchTags({
      ...unreachable,
      RepoNotFound: () => denied("Account not found")
    })
  )
  if (!view.secondFactor) {
    return yield* denied("Operators need an authenticator: set one up under Account → Sign-in")
  }
  if (!reaches(role, needed)) {
    return yield* new Denied({ error: "Forbidden", message: `This takes the role ${needed}` })
  }
  return { kind: "operator", did, role }
})
