import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SeenFrom } from "../../core/sessions/seenFrom.ts"
import type { Permission } from "../../core/oauth/types.ts"
import { Config } from "../host/Config.ts"
import { RequestOrigin } from "../host/RequestOrigin.ts"
import { Auth, authenticate, type Credentials, isQuery, permit } from "./Auth.ts"
import type { Caller, SessionLevel } from "./Authority.ts"
import { deletionDay, proveDeletion } from "../accounts/AccountDeletion.ts"
import { deletion } from "../accounts/heldDeletion.ts"
import { PendingDeletion } from "../accounts/PendingDeletion.ts"
import { PendingMigration } from "../accounts/PendingMigration.ts"
import { activate } from "../accounts/AccountStatus.ts"
import { AccountHistory, countRefused, seenAs } from "../accounts/AccountHistory.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { fitPassword } from "../accounts/signUp/fields.ts"
import { type Passkey, Passkeys } from "../factors/Passkeys.ts"
import { SecondFactors } from "../factors/SecondFactors.ts"
import { AccountCodes } from "../mail/AccountCodes.ts"
import { mailCode } from "../mail/MailedCodes.ts"
import { OAuthSessions, type SeenOAuthSession } from "../oauth/OAuthSessions.ts"
import { type AppPassword, AppPasswords, type NewAppPassword } from "./AppPasswords.ts"
import { Denied } from "./Auth.ts"
import { type OwnToken, OwnTokens } from "./OwnTokens.ts"
import { provePassword as proveOwnPassword, renewHash, slowToFail } from "./PasswordProof.ts"
import { resetPassword } from "./PasswordReset.ts"
import { Passwords } from "./Passwords.ts"
import { Sessions } from "./Sessions.ts"
import {
  type OwnerView,
  currentAccount,
  goodAccount,
  notTakenDown,
  versionOf,
  viewOf
} from "./ownerView.ts"

/** The sign-in data that `/account` shows. */
export interface SecurityView extends OwnerView {
  readonly passkeyList: ReadonlyArray<Passkey>
  readonly authenticatorSince?: number
  readonly recoveryCodesLeft: number
  /** When the account will be deleted (ISO), if its owner deactivated it. */
  readonly deleteAfter?: string
  /** Whether it is deleted then because its owner or an operator asked for its deletion. */
  readonly deletionHeld: boolean
  /** Whether it has never been active here: its move to this server isn't finished. */
  readonly arriving: boolean
  readonly appPasswords: ReadonlyArray<AppPassword>
  readonly ownTokens: ReadonlyArray<OwnToken>
  readonly apps: ReadonlyArray<SeenOAuthSession>
  /** Sessions opened with a password over XRPC. */
  readonly sessions: ReadonlyArray<{
    readonly id: string
    readonly createdAt: number
    readonly expiresAt: number
    readonly appPassword?: string
    readonly from: SeenFrom
  }>
}

/** The longest life of an access token, in days. */
export const maxTokenDays = 366

// Every rejection has this hint, so it doesn't reveal that an app password was valid.
const wrongPassword = () =>
  new Denied({
    error: "AuthenticationRequired",
    message:
      "Wrong name or password. Use the account's own password: app passwords do not open this page"
  })

/** What the sign-in pages need to know about the account. */
const owner = () => Effect.flatMap(currentAccount, viewOf)

const provePassword = Effect.fnUntraced(function* ({ password }: { readonly password: string }) {
  const proof = proveOwnPassword(password).pipe(
    Effect.tapError(() => countRefused("password")),
    Effect.mapError(wrongPassword)
  )
  const account = yield* slowToFail(Effect.flatMap(proof, notTakenDown))
  const renewed = yield* Effect.orElseSucceed(renewHash(account, password), () => account)
  return yield* viewOf(renewed)
})

/** The sign-in data that `/account` shows. */
const security = Effect.fnUntraced(function* () {
  const account = yield* currentAccount
  const { authenticatorSince, recoveryCodesLeft } = yield* (yield* SecondFactors).status
  const sessions = yield* (yield* Sessions).list
  const deleteAfter = yield* deletionDay(account)
  return {
    ...(yield* viewOf(account)),
    passkeyList: yield* (yield* Passkeys).list,
    ...(authenticatorSince === undefined ? {} : { authenticatorSince }),
    recoveryCodesLeft,
    ...(deleteAfter === undefined ? {} : { deleteAfter }),
    deletionHeld: (yield* PendingDeletion).get() !== undefined,
    arriving: (yield* PendingMigration).until() !== undefined,
    appPasswords: yield* (yield* AppPasswords).list,
    ownTokens: yield* (yield* OwnTokens).list,
    apps: yield* (yield* OAuthSessions).list,
    sessions: sessions.map(({ id, createdAt, expiresAt, appPassword, from }) => ({
      id,
      createdAt,
      expiresAt,
      from,
      ...(appPassword === undefined ? {} : { appPassword })
    }))
  }
})

/**
 * Notes that a browser has signed in, unless the password has changed since the proof; returns
 * whether it hasn't.
 */
const browserSignedIn = Effect.fnUntraced(function* (input: { readonly passwordVersion: string }) {
  const account = yield* currentAccount
  if (input.passwordVersion !== (yield* versionOf(account))) return false
  const now = yield* Clock.currentTimeMillis
  const history = yield* AccountHistory
  const { from } = yield* RequestOrigin
  history.signedIn({ kind: "sign-in", way: "browser", ...seenAs(from) }, now)
  return true
})

/** Ends every session opened with the old password, with an app password or by an app. */
const changePassword = Effect.fnUntraced(function* ({ password }: { readonly password: string }) {
  const fit = yield* fitPassword(password)
  yield* currentAccount
  const hashed = yield* (yield* Passwords).hash(fit)
  const sessions = yield* Sessions
  const apps = yield* OAuthSessions
  yield* (yield* AccountStore).update({ password: hashed }, { kind: "password" })
  yield* sessions.endAll()
  yield* apps.endAll
})

const createAppPassword = Effect.fnUntraced(function* (input: NewAppPassword) {
  const { did } = yield* currentAccount
  return yield* (yield* AppPasswords).create(did, input)
})

const reactivate = Effect.fnUntraced(function* () {
  yield* goodAccount
  yield* activate()
})

const pendingCodes = Effect.fnUntraced(function* () {
  const { did } = yield* (yield* AccountStore).get
  return yield* (yield* AccountCodes).pending(did)
})

const revokeAppPassword = Effect.fnUntraced(function* ({ name }: { readonly name: string }) {
  yield* currentAccount
  return yield* (yield* AppPasswords).revoke(name)
})

const createOwnToken = Effect.fnUntraced(function* (input: {
  readonly name: string
  readonly scope: string
  readonly days: number
}) {
  const { did } = yield* currentAccount
  const now = yield* Clock.currentTimeMillis
  const days = Math.min(Math.max(1, Math.floor(input.days)), maxTokenDays)
  const token = { name: input.name, scope: input.scope, expiresAt: now + days * 86_400_000 }
  return yield* (yield* OwnTokens).create(did, token)
})

const revokeOwnToken = Effect.fnUntraced(function* ({ name }: { readonly name: string }) {
  yield* currentAccount
  return yield* (yield* OwnTokens).revoke(name)
})

const endSession = Effect.fnUntraced(function* ({ session }: { readonly session: string }) {
  yield* currentAccount
  return yield* (yield* Sessions).end(session)
})

/**
 * Authorizes a session or an OAuth app for a method that the Worker adds.
 *
 * An app needs `rpc:<nsid>?aud=<this server>#atproto_pds`, as for a method of any other service.
 */
const authorizeMethod = Effect.fnUntraced(function* (
  input: Credentials & {
    readonly nsid: string
    readonly level: SessionLevel
    /**
     * What an OAuth app needs: the permission for this method, nothing (`any`), or it never
     * suffices (`no`).
     */
    readonly oauth: "permission" | "any" | "no"
  }
) {
  const { nsid, level, oauth } = input
  const { serviceDid } = yield* Config
  const needs: ReadonlyArray<Permission> =
    oauth === "permission"
      ? [
          {
            resource: "rpc",
            lxm: nsid,
            aud: `${serviceDid}#atproto_pds`,
            ...(isQuery(input) ? ({ query: true } as const) : {})
          }
        ]
      : []
  const authority = {
    kind: "session",
    level,
    oauth: oauth === "permission" ? () => needs : oauth,
    active: true
  } as const
  const caller = yield* authenticate(input, authority, nsid)
  yield* Effect.fromResult(permit(caller, needs))
  return { caller }
})

/** Checks the caller of such a method again, once the body has come. */
const recheckMethod = Effect.fnUntraced(function* ({ caller }: { readonly caller: Caller }) {
  const authority = { kind: "session", level: "standard", oauth: "any", active: true } as const
  yield* Effect.fromResult((yield* Auth).recheck(caller, authority))
})

/** Deletes the account with its password and a mailed code, for the protocol's method. */
const deleteAccount = Effect.fnUntraced(function* (proof: {
  readonly password: string
  readonly code: string
}) {
  yield* proveDeletion(proof)
  yield* deletion
})

/** A page of the account's history. */
const history = Effect.fnUntraced(function* (page: {
  readonly before?: number
  readonly limit: number
}) {
  yield* currentAccount
  return (yield* AccountHistory).page(page)
})

/**
 * Calls to the account's object from the sign-in and account pages, and for people without a
 * session.
 */
export const sessionCalls = {
  owner,
  browserSignedIn,
  history,
  provePassword,
  security,
  changePassword,
  createAppPassword,
  revokeAppPassword,
  createOwnToken,
  revokeOwnToken,
  endSession,
  reactivate,
  requestPasswordReset: () => mailCode("reset_password"),
  resetPassword,
  deleteAccount,
  pendingCodes,
  authorizeMethod,
  recheckMethod
}
