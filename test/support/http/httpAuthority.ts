import { type AppCredentialName, appCredentials } from "./httpAppCredentials.ts"
import { type CredentialName, credentials } from "./httpCredentials.ts"

/** What comes of a call with each kind of credential: "ok", or status and error. */
export type Row = Readonly<Record<CredentialName | AppCredentialName, string>>

const every = (outcome: string, but: Partial<Row> = {}): Row => {
  const names = [...Object.keys(credentials), ...Object.keys(appCredentials)]
  return { ...(Object.fromEntries(names.map((name) => [name, outcome])) as Row), ...but }
}

const missing = "401 AuthMissing"
const invalid = "400 InvalidToken"
const expired = "400 ExpiredToken"

/** Nobody is asked who they are. */
const open = every("ok")

const badToken = "401 invalid_token"
const badProof = "401 invalid_dpop_proof"

/** How an app fares whose credentials are not in order, wherever an app may come in. */
const noApp = {
  dpop: badToken,
  oauthExpired: badToken,
  oauthRevoked: badToken,
  oauthRefreshToken: badToken,
  oauthNoProof: badProof,
  oauthOldNonce: "401 use_dpop_nonce",
  oauthOtherKey: badToken,
  oauthOtherCall: badProof,
  oauthReplayed: badProof,
  oauthTakendown: "401 AccountTakedown"
} satisfies Partial<Row>

/** How apps fare whose credentials are in order: all but some that were let do what the method does. */
const apps = (outcome: string, but: Partial<Row> = {}): Partial<Row> => ({
  ...noApp,
  oauthAtproto: outcome,
  oauthGeneric: outcome,
  oauthRepoPost: outcome,
  oauthBlob: outcome,
  oauthRpc: outcome,
  oauthAccount: outcome,
  oauthDeactivated: outcome,
  ...but
})

const generic: Partial<Row> = { oauthGeneric: "ok", oauthDeactivated: "ok" }

/** How every kind of app fares where none may come in. */
const toAll = (outcome: string): Partial<Row> =>
  Object.fromEntries(Object.keys(appCredentials).map((name) => [name, outcome]))

const scopeMissing = "403 ScopeMissingError"

/** oauth(no) */
const closedToApps = apps("403 Forbidden")

/** Public, but an inactive account's repo is shown to its owner alone. */
const read = every("ok", {
  nothingForTakendown: "400 RepoTakendown",
  nothingForDeactivated: "400 RepoDeactivated",
  oauthTakendown: "400 RepoTakendown",
  // Everybody may read, but an app learns that it could have read as the owner.
  oauthOldNonce: "401 use_dpop_nonce"
})

/** Kinds of tokens of sessions. */
const sessionTokens = [
  "full",
  "privileged",
  "standard",
  "takendown",
  "fullBeforeTakedown",
  "deactivated",
  "expired",
  "refresh",
  "revoked",
  "otherAccount",
  "otherServer"
] as const

const nobody: Partial<Row> = {
  nothing: missing,
  nothingForTakendown: missing,
  nothingForDeactivated: missing
}

/** access:standard with checkTakedown: any session of an account that is not taken down; oauth(any). */
const standard = every(invalid, {
  ...nobody,
  full: "ok",
  privileged: "ok",
  standard: "ok",
  fullBeforeTakedown: "401 AccountTakedown",
  deactivated: "ok",
  expired,
  revoked: expired,
  // Without an account's name in the request, it is about the caller's own.
  otherAccount: "ok",
  // It speaks for an account that is not here.
  moderator: "403 AccountNotFound",
  ...apps("ok")
})

const noAppPassword: Partial<Row> = { privileged: invalid, standard: invalid }
const evenTakendown: Partial<Row> = { takendown: "ok", fullBeforeTakedown: "ok" }

/** access:full with checkTakedown. */
const full: Row = { ...standard, ...noAppPassword, ...closedToApps }

/** A write names the repo, and a deactivated account writes nothing. */
const write: Row = {
  ...standard,
  ...apps(scopeMissing, { ...generic, oauthRepoPost: "ok" }),
  deactivated: "401 AccountDeactivated",
  oauthDeactivated: "401 AccountDeactivated",
  otherAccount: "401 AuthenticationRequired"
}

const refresh = every(invalid, {
  ...nobody,
  refresh: "ok",
  moderator: "403 AccountNotFound",
  oauthRefreshToken: badToken
})

/** The same people, let in to be refused for what they ask: they have a did:web. */
const refused = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, outcome]) => [
      name,
      outcome === "ok" ? "400 InvalidRequest" : outcome
    ])
  ) as Row

const admin = every("401 AuthenticationRequired", { ...nobody, admin: "ok" })

/** The administrator, and a moderation service by its token for this method: other Bearer tokens are none of its. */
const moderator: Row = {
  ...admin,
  ...Object.fromEntries(
    [...sessionTokens, "oauthAsBearer"].map((name) => [name, "401 BadJwtType"])
  ),
  garbage: "401 BadJwt",
  service: "401 UntrustedIss",
  serviceOtherMethod: "401 BadJwtLexiconMethod",
  serviceOtherAudience: "401 BadJwtAudience",
  moderator: "ok"
}

/**
 * Who may call which method, written from the protocol and not from the code.
 *
 * Stricter than the reference on purpose: app passwords neither list nor revoke app passwords, change no handle, confirm
 * no address and submit no PLC operation.
 */
export const authorities: Readonly<Record<string, Row>> = {
  // The takendown scope sees the preferences, so that they can be moved.
  "app.bsky.actor.getPreferences": {
    ...standard,
    ...evenTakendown,
    ...apps(scopeMissing, generic),
    // It has to say whose.
    moderator: "400 InvalidRequest"
  },
  "app.bsky.actor.putPreferences": { ...standard, ...apps(scopeMissing, generic) },
  "com.atproto.admin.deleteAccount": admin,
  "com.atproto.admin.disableAccountInvites": moderator,
  "com.atproto.admin.disableInviteCodes": moderator,
  "com.atproto.admin.enableAccountInvites": moderator,
  "com.atproto.admin.getAccountInfo": moderator,
  "com.atproto.admin.getAccountInfos": moderator,
  "com.atproto.admin.getInviteCodes": moderator,
  "com.atproto.admin.getSubjectStatus": moderator,
  "com.atproto.admin.searchAccounts": admin,
  "com.atproto.admin.sendEmail": moderator,
  "com.atproto.admin.updateAccountEmail": admin,
  "com.atproto.admin.updateAccountHandle": admin,
  "com.atproto.admin.updateAccountPassword": admin,
  "com.atproto.admin.updateAccountSigningKey": admin,
  "com.atproto.admin.updateSubjectStatus": moderator,
  "com.atproto.identity.getRecommendedDidCredentials": standard,
  "com.atproto.identity.refreshIdentity": open,
  // Whoever is taken down may take the identity along.
  "com.atproto.identity.requestPlcOperationSignature": refused({
    ...full,
    ...evenTakendown,
    ...apps(scopeMissing, { oauthAccount: "ok" })
  }),
  "com.atproto.identity.resolveDid": open,
  "com.atproto.identity.resolveHandle": open,
  "com.atproto.identity.resolveIdentity": open,
  // The code that the call shows is another's, for another.
  "com.atproto.identity.signPlcOperation": refused({
    ...full,
    ...evenTakendown,
    ...apps(scopeMissing, { oauthAccount: "ok" }),
    otherAccount: invalid
  }),
  "com.atproto.identity.submitPlcOperation": refused({
    ...full,
    ...apps(scopeMissing, { oauthAccount: "ok" })
  }),
  // The handle that the call asks for is another's, for another.
  "com.atproto.identity.updateHandle": {
    ...full,
    ...apps(scopeMissing, { oauthAccount: "ok" }),
    otherAccount: "400 HandleNotAvailable"
  },
  "com.atproto.repo.applyWrites": write,
  "com.atproto.repo.createRecord": write,
  "com.atproto.repo.deleteRecord": write,
  "com.atproto.repo.describeRepo": read,
  "com.atproto.repo.getRecord": read,
  "com.atproto.repo.importRepo": {
    ...full,
    ...apps(scopeMissing, { oauthAccount: "ok" }),
    // Somebody else's repo, and signed by somebody else.
    otherAccount: "400 InvalidRequest"
  },
  "com.atproto.repo.listMissingBlobs": standard,
  "com.atproto.repo.listRecords": read,
  "com.atproto.repo.putRecord": write,
  // A service may upload for its user, by the user's own token; and repeat it.
  "com.atproto.repo.uploadBlob": {
    ...standard,
    ...apps(scopeMissing, { ...generic, oauthBlob: "ok" }),
    // It might be a service token, and is judged as one.
    oauthAsBearer: "401 BadJwtType",
    service: "ok",
    serviceOtherMethod: "401 BadJwtLexiconMethod",
    serviceOtherAudience: "401 BadJwtAudience"
  },
  "com.atproto.server.activateAccount": full,
  "com.atproto.server.checkAccountStatus": standard,
  // Whoever may read the address may not yet confirm it.
  "com.atproto.server.confirmEmail": {
    ...full,
    ...apps(scopeMissing),
    otherAccount: "400 InvalidEmail"
  },
  // None, or a service token of who moves in, or the administrator's word; a session is none of these.
  "com.atproto.server.createAccount": every("401 BadJwtType", {
    nothing: "ok",
    nothingForTakendown: "ok",
    nothingForDeactivated: "ok",
    garbage: "401 BadJwt",
    service: "ok",
    serviceOtherMethod: "401 BadJwtLexiconMethod",
    serviceOtherAudience: "401 BadJwtAudience",
    moderator: "ok",
    admin: "ok",
    wrongAdmin: "401 AuthenticationRequired",
    dpop: missing,
    ...toAll(missing),
    oauthAsBearer: "401 BadJwtType"
  }),
  "com.atproto.server.createAppPassword": full,
  "com.atproto.server.createInviteCode": admin,
  "com.atproto.server.createInviteCodes": admin,
  "com.atproto.server.createSession": {
    ...open,
    takendown: "401 AccountTakedown",
    fullBeforeTakedown: "401 AccountTakedown",
    nothingForTakendown: "401 AccountTakedown",
    oauthTakendown: "401 AccountTakedown"
  },
  "com.atproto.server.deactivateAccount": {
    ...full,
    ...evenTakendown,
    ...apps(scopeMissing, { oauthAccount: "ok" })
  },
  "com.atproto.server.deleteAccount": open,
  "com.atproto.server.deleteSession": refresh,
  "com.atproto.server.describeServer": open,
  "com.atproto.server.getAccountInviteCodes": full,
  // The takendown scope is for tokens to createAccount only; the call asks for another method.
  "com.atproto.server.getServiceAuth": {
    ...standard,
    ...apps(scopeMissing, { ...generic, oauthRpc: "ok" }),
    fullBeforeTakedown: invalid
  },
  "com.atproto.server.getSession": standard,
  "com.atproto.server.listAppPasswords": full,
  "com.atproto.server.refreshSession": refresh,
  "com.atproto.server.requestAccountDelete": full,
  "com.atproto.server.requestEmailConfirmation": { ...full, ...apps(scopeMissing) },
  "com.atproto.server.requestEmailUpdate": full,
  "com.atproto.server.requestPasswordReset": open,
  "com.atproto.server.reserveSigningKey": open,
  "com.atproto.server.resetPassword": open,
  "com.atproto.server.revokeAppPassword": full,
  // The address is the first one's, and is not given to another.
  "com.atproto.server.updateEmail": { ...full, otherAccount: "400 InvalidRequest" },
  "com.atproto.sync.getBlob": read,
  "com.atproto.sync.getBlocks": read,
  "com.atproto.sync.getCheckout": read,
  "com.atproto.sync.getHead": read,
  "com.atproto.sync.getLatestCommit": read,
  "com.atproto.sync.getRecord": read,
  "com.atproto.sync.getRepo": read,
  "com.atproto.sync.getRepoStatus": open,
  "com.atproto.sync.listBlobs": read,
  "com.atproto.sync.listRepos": open,
  "com.atproto.sync.listReposByCollection": open,
  "com.atproto.sync.subscribeRepos": every("426"),
  "com.atproto.temp.checkHandleAvailability": open,
  "com.atproto.temp.checkSignupQueue": open
}

/** Reads of deactivated or taken-down accounts, by who is nobody to them. */
export const publicReads: ReadonlyArray<string> = Object.keys(authorities).filter(
  (nsid) => authorities[nsid] === read
)
