import type {
  ComAtprotoServerCreateAppPassword as CreateAppPassword,
  ComAtprotoServerCreateSession as CreateSession,
  ComAtprotoServerDeactivateAccount as DeactivateAccount,
  ComAtprotoServerGetServiceAuth as GetServiceAuth,
  ComAtprotoServerRevokeAppPassword as RevokeAppPassword
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { holds } from "../../core/oauth/scopes.ts"
import { accountStatus, activate, deactivate } from "../../services/accounts/AccountStatus.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { AppPasswords } from "../../services/sessions/AppPasswords.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import { issueServiceToken } from "../../services/sessions/ServiceAuth.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { refreshSession as refresh, sessionView, signIn } from "../../services/sessions/SignIn.ts"
import { type Call, method } from "../Xrpc.ts"
import { only, owner, tokenHolder } from "../accounts/readableAccount.ts"

/** com.atproto.server.createSession: the host has found this account by the identifier. */
export const createSession = method(
  "com.atproto.server.createSession",
  { authority: { kind: "none" } },
  ({ input }: Call<CreateSession.QueryParams, CreateSession.InputSchema>) => signIn(input)
)

/** com.atproto.server.refreshSession */
export const refreshSession = method(
  "com.atproto.server.refreshSession",
  { authority: { kind: "refresh" } },
  Effect.fnUntraced(function* ({ caller }: Call) {
    const { session, token } = yield* only(caller, "refresh")
    return yield* refresh(session, token)
  })
)

/** com.atproto.server.deleteSession: ends the session; one that is over already is no error. */
export const deleteSession = method(
  "com.atproto.server.deleteSession",
  { authority: { kind: "refresh", expired: true } },
  Effect.fnUntraced(function* ({ caller }: Call) {
    const { session } = yield* only(caller, "refresh")
    yield* (yield* Sessions).end(session)
  })
)

const readsEmail = { resource: "account", attr: "email", action: "read" } as const

/** com.atproto.server.getSession: any app is told who it is, not every one the email address. */
export const getSession = method(
  "com.atproto.server.getSession",
  { authority: { kind: "session", level: "standard", oauth: "any" } },
  Effect.fnUntraced(function* ({ caller }: Call) {
    const account = yield* (yield* AccountStore).get
    const { email, emailConfirmed, ...view } = yield* sessionView(account)
    return caller.kind === "oauth" && !holds(caller.granted, readsEmail)
      ? view
      : { ...view, ...(email === undefined ? {} : { email, emailConfirmed }) }
  })
)

/** com.atproto.server.createAppPassword: the only time that the password is shown. */
export const createAppPassword = method(
  "com.atproto.server.createAppPassword",
  { authority: owner },
  Effect.fnUntraced(function* ({
    input,
    caller
  }: Call<CreateAppPassword.QueryParams, CreateAppPassword.InputSchema>) {
    const { did } = yield* only(caller, "session")
    const appPasswords = yield* AppPasswords
    return yield* appPasswords.create(did, {
      name: input.name,
      privileged: input.privileged === true
    })
  })
)

/** com.atproto.server.listAppPasswords */
export const listAppPasswords = method(
  "com.atproto.server.listAppPasswords",
  { authority: owner },
  Effect.fnUntraced(function* () {
    const appPasswords = yield* AppPasswords
    return { passwords: yield* appPasswords.list }
  })
)

/** com.atproto.server.revokeAppPassword: its sessions end with it. */
export const revokeAppPassword = method(
  "com.atproto.server.revokeAppPassword",
  { authority: owner },
  Effect.fnUntraced(function* ({
    input
  }: Call<RevokeAppPassword.QueryParams, RevokeAppPassword.InputSchema>) {
    const appPasswords = yield* AppPasswords
    yield* appPasswords.revoke(input.name)
  })
)

/** com.atproto.server.getServiceAuth */
export const getServiceAuth = method(
  "com.atproto.server.getServiceAuth",
  {
    // An OAuth token needs the permission for this very method and audience.
    authority: {
      kind: "session",
      level: "standard",
      oauth: ({ params }) => {
        const { aud, lxm = "*" } = params as GetServiceAuth.QueryParams
        return [{ resource: "rpc", lxm, aud }]
      },
      takendown: true
    }
  },
  Effect.fnUntraced(function* ({ params, caller }: Call<GetServiceAuth.QueryParams>) {
    const { did, holder } = yield* tokenHolder(caller)
    return { token: yield* issueServiceToken({ ...params, did, holder }) }
  })
)

/** com.atproto.server.checkAccountStatus */
export const checkAccountStatus = method(
  "com.atproto.server.checkAccountStatus",
  { authority: { kind: "session", level: "standard", oauth: "any" } },
  () => accountStatus()
)

/** com.atproto.server.activateAccount */
export const activateAccount = method(
  "com.atproto.server.activateAccount",
  { authority: owner },
  () => activate()
)

/** com.atproto.server.deactivateAccount */
export const deactivateAccount = method(
  "com.atproto.server.deactivateAccount",
  {
    authority: {
      ...owner,
      oauth: () => [{ resource: "account", attr: "status", action: "manage" }],
      takendown: true
    }
  },
  Effect.fnUntraced(function* ({
    input,
    caller
  }: Call<DeactivateAccount.QueryParams, DeactivateAccount.InputSchema>) {
    if (caller.kind === "oauth" && input.deleteAfter !== undefined) {
      const message = "Apps may not have an account deleted"
      return yield* new Denied({ error: "Forbidden", message })
    }
    yield* deactivate(input.deleteAfter, caller.kind === "session" ? caller : undefined)
  })
)

/** Sessions, app passwords and the standing of an account. */
export const serverMethods = [
  createSession,
  refreshSession,
  deleteSession,
  getSession,
  createAppPassword,
  listAppPasswords,
  revokeAppPassword,
  getServiceAuth,
  checkAccountStatus,
  activateAccount,
  deactivateAccount
]
