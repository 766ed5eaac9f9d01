import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { calledName } from "../../core/identity/calledName.ts"
import { newPassword } from "../account/create.ts"
import { Opaque } from "../answers.ts"
import { note } from "../output.ts"
import { ask, askSecret, canAsk } from "../prompts.ts"
import { secretVariable, type Session, signIn } from "../session.ts"
import { type Calling, procedure, query } from "../xrpc.ts"
import { hostOf, standingAt } from "./network.ts"

const createAccount = "com.atproto.server.createAccount"

/** Requests a service token for creating the account on another server. */
export const tokenFor = Effect.fnUntraced(function* (from: Session, to: string) {
  const { did } = yield* hostOf(to)
  const { token } = yield* query(
    from,
    "com.atproto.server.getServiceAuth",
    Schema.Struct({ token: Opaque }),
    { aud: did, lxm: createAccount }
  )
  return token
})

/**
 * The handle on the new server: the owner's own domain, or the same name under the server's first
 * domain.
 */
export const handleAt = Effect.fnUntraced(function* (
  to: string,
  {
    handle: before,
    oldDomains
  }: { readonly handle: string; readonly oldDomains: ReadonlyArray<string> },
  wanted: Option.Option<string>
) {
  const { availableUserDomains } = yield* hostOf(to)
  const [domain] = availableUserDomains
  if (Option.isSome(wanted)) {
    const name = calledName(wanted.value)
    return name.includes(".") || domain === undefined ? name : `${name}${domain}`
  }
  const isOwn = !oldDomains.some((one) => before.endsWith(one))
  const initial = isOwn || domain === undefined ? before : `${before.split(".")[0]}${domain}`
  if (!(yield* canAsk)) return initial
  return yield* ask({ message: "Your handle on the new server", otherwise: "--handle", initial })
})

/** The variable for the new server's second factor; each server has its own codes. */
const codeThere = "NACRE_NEW_CODE"

/** Signs in to the existing account on the new server. */
export const signInThere = Effect.fnUntraced(function* (to: string, did: string) {
  const password =
    (yield* secretVariable("NACRE_NEW_PASSWORD")) ??
    (yield* askSecret({
      message: `Password of the account on ${to}`,
      otherwise: "NACRE_NEW_PASSWORD=… or NACRE_NEW_PASSWORD_FILE=<file>"
    }))
  return yield* signIn(to, did, password, codeThere)
})

/** An account to create on a server, with a token signed by its DID's key. */
export interface Arriving {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  readonly invite: Option.Option<string>
  readonly token: Calling<string>
}

/** Creates the account on the new server, deactivated, unless it exists; then signs in. */
export const arrive = Effect.fn("cli.arrive")(function* (to: string, arriving: Arriving) {
  const { did, handle, email, invite, token } = arriving
  if ((yield* standingAt({ server: to }, did)) !== undefined) {
    yield* note(`The account already exists on ${to}`)
    return yield* signInThere(to, did)
  }
  yield* note(`Choose a password for the account on ${to}`)
  const { password } = yield* newPassword(false)
  const authorization = Effect.map(token, (jwt) => `Bearer ${jwt}`)
  yield* procedure({ server: to, authorization }, createAccount, Schema.Unknown, {
    did,
    handle,
    email,
    password: Redacted.value(password),
    inviteCode: Option.getOrUndefined(invite)
  })
  yield* note(`Created the account on ${to} as ${handle}, deactivated for now`)
  return yield* signIn(to, did, password, codeThere)
})
