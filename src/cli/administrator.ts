import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { ReasonFlag } from "./flags.ts"
import { operatorProfile, storedAdminPassword } from "./login/profiles.ts"
import { copiedAdminPassword, localServer, theServer } from "./place.ts"
import { askSecret } from "./prompts.ts"
import { secretVariable, signInAs } from "./session.ts"
import type { Remote } from "./xrpc.ts"

/** The administrator's password, without a prompt. */
const knownAdminPassword = Effect.fnUntraced(function* (server: string) {
  const given = yield* secretVariable("NACRE_ADMIN_PASSWORD")
  // Never sent to another server: a move has two.
  if (given !== undefined && server === (yield* theServer)) return given
  const local = yield* localServer
  if (local?.url === server && local.account !== undefined) {
    return Redacted.make(local.account.adminPassword)
  }
  return (yield* storedAdminPassword(server)) ?? (yield* copiedAdminPassword(server))
})

/** The administrator of a server, with a known password. */
export const asAdministrator = Effect.fnUntraced(function* (
  server: string,
  password: Redacted.Redacted
) {
  const basic = Buffer.from(`admin:${Redacted.value(password)}`).toString("base64")
  const reason = yield* ReasonFlag
  return {
    server,
    authorization: Effect.succeed(`Basic ${basic}`),
    ...(reason._tag === "Some" ? { reason: reason.value } : {})
  } satisfies Remote
})

/**
 * The administrator of a server, without a prompt; NACRE_ADMIN_PASSWORD is for the command's own
 * server only.
 */
export const knownAdministrator = Effect.fnUntraced(function* (server: string) {
  const password = yield* knownAdminPassword(server)
  return password === undefined ? undefined : yield* asAdministrator(server, password)
})

/** The administrator of a server, and the password. */
export const administratorOf = Effect.fnUntraced(function* (server: string) {
  const password =
    (yield* knownAdminPassword(server)) ??
    (yield* askSecret({
      message: `Administrator password of ${server}`,
      otherwise: "NACRE_ADMIN_PASSWORD=… or NACRE_ADMIN_PASSWORD_FILE=<file>"
    }))
  return { remote: yield* asAdministrator(server, password), password }
})

/** The operator of a server who is signed in, unless NACRE_ADMIN_PASSWORD is set. */
const operatorOf = Effect.fnUntraced(function* (server: string) {
  if ((yield* secretVariable("NACRE_ADMIN_PASSWORD")) !== undefined) return undefined
  const profile = yield* operatorProfile(server)
  if (profile === undefined) return undefined
  const { authorization } = yield* signInAs(server, profile.did, { isRecent: true })
  const reason = yield* ReasonFlag
  return {
    server,
    authorization,
    ...(reason._tag === "Some" ? { reason: reason.value } : {})
  } satisfies Remote
})

/** The administrator of the command's server, or the operator who is signed in there. */
export const administrator = Effect.gen(function* () {
  const server = yield* theServer
  return (yield* operatorOf(server)) ?? (yield* administratorOf(server)).remote
})
