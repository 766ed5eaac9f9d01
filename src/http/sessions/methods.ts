import type {
  ComAtprotoServerCreateAccount as CreateAccount,
  ComAtprotoServerCreateAppPassword as CreateAppPassword,
  ComAtprotoServerCreateSession as CreateSession,
  ComAtprotoServerDeactivateAccount as DeactivateAccount,
  ComAtprotoServerGetServiceAuth as GetServiceAuth,
  ComAtprotoServerRevokeAppPassword as RevokeAppPassword
} from "@atproto/api"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config, type Settings } from "../../services/host/Config.ts"
import { SignUp } from "../../services/accounts/SignUp.ts"
import { givePointBack, takePoint } from "../limits/clientLimits.ts"
import { noteAccount } from "../CurrentRequest.ts"
import { briefly, jsonType, reopened, versioned, withHeaders } from "../responses.ts"
import { seenFromHeaders, seenFromRequest, tellPlace } from "./place.ts"
import { accountBehind, decoyDid, signInKey } from "./signInGate.ts"
import { type Call, method, queryAtOnce } from "../Xrpc.ts"
import { holds } from "../../core/oauth/scopes.ts"
import { accountStatus, activate, deactivate } from "../../services/accounts/AccountStatus.ts"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Identity } from "../../services/identity/Identity.ts"
import * as Soon from "../../services/host/Soon.ts"
import { AppPasswords } from "../../services/sessions/AppPasswords.ts"
import { Denied } from "../../services/sessions/Auth.ts"
import { issueServiceToken } from "../../services/sessions/ServiceAuth.ts"
import { Sessions } from "../../services/sessions/Sessions.ts"
import { refreshSession as refresh, sessionView, signIn } from "../../services/sessions/SignIn.ts"
import { only, owner, tokenHolder } from "../accounts/readableAccount.ts"
import { rules } from "../../services/limits/rules.ts"

/** The descriptions of servers, which only their settings change. */
const descriptions = new WeakMap<Settings, string>()

const describeHeaders = { "content-type": jsonType, "cache-control": briefly }

const describe = (config: Settings): string =>
  JSON.stringify({
    did: config.serviceDid,
    availableUserDomains: config.handleDomains.map((domain) => `.${domain}`),
    inviteCodeRequired: config.inviteRequired,
    blobUploadLimit: config.blobLimit,
    links: { privacyPolicy: config.privacyPolicyUrl, termsOfService: config.termsOfServiceUrl },
    contact: { email: config.contactEmail }
  })

const describeServer = queryAtOnce(
  "com.atproto.server.describeServer",
  { at: "host", authority: { kind: "none" } },
  ({ request }: Call, services: Context.Context<Config>) => {
    const config = Context.get(services, Config)
    let description = descriptions.get(config)
    if (description === undefined) descriptions.set(config, (description = describe(config)))
    return Result.succeed(versioned(request, description, describeHeaders))
  }
)

const createAccount = method(
  "com.atproto.server.createAccount",
  { at: "host", authority: { kind: "signup" }, limits: [rules.signUp], typedNames: ["handle"] },
  Effect.fnUntraced(function* ({
    input,
    caller,
    request
  }: Call<object, CreateAccount.InputSchema>) {
    const signUp = yield* SignUp
    const signedUp = yield* signUp.create({ ...input, caller, from: seenFromRequest(request) })
    yield* noteAccount(signedUp.did)
    return signedUp
  })
)

/** The request with its checked body: decoded, and with known fields only. */
const rebuild = (request: Request, input: CreateSession.InputSchema): Request => {
  const headers = new Headers(request.headers)
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) {
    headers.delete(name)
  }
  tellPlace(request, headers)
  const { identifier, password, authFactorToken, allowTakendown } = input
  return new Request(request.url, {
    method: "POST",
    headers,
    body: JSON.stringify({ identifier, password, authFactorToken, allowTakendown })
  })
}

/** com.atproto.server.createSession: finds the account, and forwards the sign-in to its object. */
const findSession = method(
  "com.atproto.server.createSession",
  { at: "host", authority: { kind: "none" }, limits: [rules.signIn, rules.signInCode] },
  Effect.fnUntraced(function* ({ input, request }: Call<object, CreateSession.InputSchema>) {
    const { identifier } = input
    const entry = yield* accountBehind(identifier)
    const key = signInKey(identifier, entry?.did)
    const headers = yield* takePoint(request, rules.signIn, key)
    if (entry !== undefined) yield* noteAccount(entry.did)
    const accounts = yield* Accounts
    const did = entry?.did ?? decoyDid(identifier)
    const answer = yield* accounts.forward(did, rebuild(request, input))
    // Knowing the password isn't guessing it: only failures count.
    if (answer.ok) yield* givePointBack(request, rules.signIn, key)
    return withHeaders(reopened(answer), headers)
  })
)

/** com.atproto.server.createSession, in the account's object. */
const createSession = method(
  "com.atproto.server.createSession",
  { at: "account", authority: { kind: "none" } },
  ({ input, request }: Call<CreateSession.QueryParams, CreateSession.InputSchema>) =>
    signIn({ ...input, from: seenFromHeaders(request) })
)

const refreshSession = method(
  "com.atproto.server.refreshSession",
  { at: "account", authority: { kind: "refresh" } },
  Effect.fnUntraced(function* ({ caller }: Call) {
    const { session, token } = yield* only(caller, "refresh")
    return yield* refresh(session, token)
  })
)

/** com.atproto.server.deleteSession: ends the session; succeeds if it has already ended. */
const deleteSession = method(
  "com.atproto.server.deleteSession",
  { at: "account", authority: { kind: "refresh", expired: true } },
  Effect.fnUntraced(function* ({ caller }: Call) {
    const { session } = yield* only(caller, "refresh")
    yield* (yield* Sessions).end(session)
  })
)

const readsEmail = { resource: "account", attr: "email", action: "read" } as const

/** com.atproto.server.getSession: every app gets the DID, but not every app the email address. */
const getSession = queryAtOnce(
  "com.atproto.server.getSession",
  { at: "account", authority: { kind: "session", level: "standard", oauth: "any" } },
  ({ caller }: Call<object>, services: Context.Context<AccountStore | Config | Identity>) => {
    const account = Context.get(services, AccountStore).find()
    if (Result.isFailure(account)) return Result.fail(account.failure)
    return Soon.map(sessionView(account.success, services), (view) => {
      if (caller.kind !== "oauth" || holds(caller.granted, readsEmail)) return view
      const { did, handle, didDoc, active, status } = view
      return { did, handle, didDoc, active, status }
    })
  }
)

/** com.atproto.server.createAppPassword: returns the password this once. */
const createAppPassword = method(
  "com.atproto.server.createAppPassword",
  { at: "account", authority: owner },
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

const listAppPasswords = method(
  "com.atproto.server.listAppPasswords",
  { at: "account", authority: owner },
  Effect.fnUntraced(function* () {
    const appPasswords = yield* AppPasswords
    const passwords = yield* appPasswords.list
    return {
      passwords: passwords.map(({ name, privileged, createdAt }) => ({
        name,
        privileged,
        createdAt
      }))
    }
  })
)

/** com.atproto.server.revokeAppPassword: also ends its sessions. */
const revokeAppPassword = method(
  "com.atproto.server.revokeAppPassword",
  { at: "account", authority: owner },
  Effect.fnUntraced(function* ({
    input
  }: Call<RevokeAppPassword.QueryParams, RevokeAppPassword.InputSchema>) {
    const appPasswords = yield* AppPasswords
    yield* appPasswords.revoke(input.name)
  })
)

const getServiceAuth = queryAtOnce(
  "com.atproto.server.getServiceAuth",
  {
    // An OAuth token needs the permission for this method and audience.
    at: "account",
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
  (
    { params, caller }: Call<GetServiceAuth.QueryParams>,
    services: Parameters<typeof issueServiceToken>[1]
  ) => {
    const holder = tokenHolder(caller)
    if (holder === undefined) return Effect.die(new Error("the caller is no session"))
    return Soon.map(issueServiceToken({ ...params, ...holder }, services), (token) => ({ token }))
  }
)

const checkAccountStatus = method(
  "com.atproto.server.checkAccountStatus",
  { at: "account", authority: { kind: "session", level: "standard", oauth: "any" } },
  () => accountStatus()
)

const activateAccount = method(
  "com.atproto.server.activateAccount",
  { at: "account", authority: owner },
  () => activate()
)

const deactivateAccount = method(
  "com.atproto.server.deactivateAccount",
  {
    at: "account",
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

/**
 * Methods for the server's description, sign-in, sessions, app passwords and the account's status.
 */
export const serverMethods = [
  describeServer,
  createAccount,
  findSession,
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
