import { type AppCredentialName, appCredentials } from "./httpAppCredentials.ts"
import { type CredentialName, credentials } from "./httpCredentials.ts"

/** The outcome of a call with each kind of credential: "ok", or status and error. */
export type Row = Readonly<Record<CredentialName | AppCredentialName, string>>

const every = (outcome: string, but: Partial<Row> = {}): Row => {
  const names = [...Object.keys(credentials), ...Object.keys(appCredentials)]
  return { ...(Object.fromEntries(names.map((name) => [name, outcome])) as Row), ...but }
}

const missing = "401 AuthMissing"
const invalid = "400 InvalidToken"
const expired = "400 ExpiredToken"

/** No credentials are required. */
const open = every("ok")

const badToken = "401 invalid_token"
const badProof = "401 invalid_dpop_proof"

/** The outcome for invalid app credentials, wherever apps are allowed. */
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

/** The outcome for valid app credentials: only some were granted the method. */
const apps = (outcome: string, but: Partial<Row> = {}): Partial<Row> => ({
  ...noApp,
  // App passwords and access tokens with a scope are treated as apps; these may only read.
  readOnly: outcome,
  readToken: outcome,
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

/** The outcome for every kind of app if none is allowed. */
const toAll = (outcome: string): Partial<Row> =>
  Object.fromEntries(Object.keys(appCredentials).map((name) => [name, outcome]))

const scopeMissing = "403 ScopeMissingError"

/** oauth(no) */
const closedToApps = apps("403 Forbidden")

/** Public, but an inactive account's repo is only visible to its owner. */
const read = every("ok", {
  nothingForTakendown: "400 RepoTakendown",
  nothingForDeactivated: "400 RepoDeactivated",
  oauthTakendown: "400 RepoTakendown",
  // Public, but an app learns that it could have read as the owner.
  oauthOldNonce: "401 use_dpop_nonce"
})

/** Kinds of tokens of sessions. */
const sessionTokens = [
  "full",
  "privileged",
  "standard",
  "readOnly",
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
  // Without an account in the request, it is the caller's own.
  otherAccount: "ok",
  // It acts for an account that doesn't exist here.
  moderator: "403 AccountNotFound",
  ...apps("ok")
})

const noAppPassword: Partial<Row> = { privileged: invalid, standard: invalid }
const evenTakendown: Partial<Row> = { takendown: "ok", fullBeforeTakedown: "ok" }

/** access:full with checkTakedown. */
const full: Row = { ...standard, ...noAppPassword, ...closedToApps }

/** No scope makes an app password or access token reach what takes the main password. */
const fullByPermission = (but: Partial<Row> = {}): Row => ({
  ...full,
  ...apps(scopeMissing, but),
  readOnly: "403 Forbidden",
  readToken: "403 Forbidden"
})

/** A write names the repo, and a deactivated account can't write. */
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

/** The same callers, authorized but rejected for their input: they have a did:web. */
const refused = (row: Row): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, outcome]) => [
      name,
      outcome === "ok" ? "400 InvalidRequest" : outcome
    ])
  ) as Row

const admin = every("401 AuthenticationRequired", { ...nobody, admin: "ok" })

/**
 * The administrator, and a moderation service with its token for this method: other Bearer tokens
 * are invalid.
 */
const moderator: Row = {
  ...admin,
  ...Object.fromEntries(
    [...sessionTokens, "oauthAsBearer"].map((name) => [name, "401 BadJwtType"])
  ),
  garbage: "401 BadJwt",
  readToken: "401 BadJwt",
  service: "401 UntrustedIss",
  serviceOtherMethod: "401 BadJwtLexiconMethod",
  serviceOtherAudience: "401 BadJwtAudience",
  moderator: "ok"
}

/**
 * The callers that each method allows, written from the protocol and not from the code.
 *
 * Stricter than the reference on purpose: app passwords can't list or revoke app passwords, change
 * a handle, confirm an address, or submit a PLC operation.
 */
export const authorities: Readonly<Record<string, Row>> = {
  // The takendown scope can read the preferences, to move them.
  "app.bsky.actor.getPreferences": {
    ...standard,
    ...evenTakendown,
    ...apps(scopeMissing, { ...generic, readOnly: "ok", readToken: "ok" }),
    // It must name an account.
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
  // A taken-down account may move its identity.
  "com.atproto.identity.requestPlcOperationSignature": refused({
    ...fullByPermission({ oauthAccount: "ok" }),
    ...evenTakendown
  }),
  "com.atproto.identity.resolveDid": open,
  "com.atproto.identity.resolveHandle": open,
  "com.atproto.identity.resolveIdentity": open,
  // The code in the call belongs to another account.
  "com.atproto.identity.signPlcOperation": refused({
    ...fullByPermission({ oauthAccount: "ok" }),
    ...evenTakendown,
    otherAccount: invalid
  }),
  "com.atproto.identity.submitPlcOperation": refused({
    ...fullByPermission({ oauthAccount: "ok" })
  }),
  // The handle in the call belongs to another account.
  "com.atproto.identity.updateHandle": {
    ...fullByPermission({ oauthAccount: "ok" }),
    otherAccount: "400 HandleNotAvailable"
  },
  "com.atproto.repo.applyWrites": write,
  "com.atproto.repo.createRecord": write,
  "com.atproto.repo.deleteRecord": write,
  "com.atproto.repo.describeRepo": read,
  "com.atproto.repo.getRecord": read,
  "com.atproto.repo.importRepo": {
    ...fullByPermission({ oauthAccount: "ok" }),
    // Another account's repo, signed by another account.
    otherAccount: "400 InvalidRequest"
  },
  "com.atproto.repo.listMissingBlobs": standard,
  "com.atproto.repo.listRecords": read,
  "com.atproto.repo.putRecord": write,
  // A service may upload for its user with the user's own token, repeatedly.
  "com.atproto.repo.uploadBlob": {
    ...standard,
    ...apps(scopeMissing, { ...generic, oauthBlob: "ok" }),
    // It might be a service token, and is checked as one.
    oauthAsBearer: "401 BadJwtType",
    service: "ok",
    serviceOtherMethod: "401 BadJwtLexiconMethod",
    serviceOtherAudience: "401 BadJwtAudience"
  },
  "com.atproto.server.activateAccount": full,
  "com.atproto.server.checkAccountStatus": standard,
  // Permission to read the address doesn't include confirming it.
  "com.atproto.server.confirmEmail": {
    ...fullByPermission(),
    otherAccount: "400 InvalidEmail"
  },
  // Allowed: no credentials, the mover's service token, or the administrator's; a session is none
  // of these.
  "com.atproto.server.createAccount": every("401 BadJwtType", {
    nothing: "ok",
    nothingForTakendown: "ok",
    nothingForDeactivated: "ok",
    garbage: "401 BadJwt",
    readToken: "401 BadJwt",
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
    ...fullByPermission({ oauthAccount: "ok" }),
    ...evenTakendown
  },
  "com.atproto.server.deleteAccount": open,
  "com.atproto.server.deleteSession": refresh,
  "com.atproto.server.describeServer": open,
  "com.atproto.server.getAccountInviteCodes": full,
  // The takendown scope only gets tokens for createAccount; the call names another method.
  "com.atproto.server.getServiceAuth": {
    ...standard,
    ...apps(scopeMissing, { ...generic, oauthRpc: "ok" }),
    fullBeforeTakedown: invalid
  },
  "com.atproto.server.getSession": standard,
  "com.atproto.server.listAppPasswords": full,
  "com.atproto.server.refreshSession": refresh,
  "com.atproto.server.requestAccountDelete": full,
  "com.atproto.server.requestEmailConfirmation": fullByPermission(),
  "com.atproto.server.requestEmailUpdate": full,
  "com.atproto.server.requestPasswordReset": open,
  "com.atproto.server.reserveSigningKey": open,
  "com.atproto.server.resetPassword": open,
  "com.atproto.server.revokeAppPassword": full,
  // The address belongs to the first account, so nobody else can take it.
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

/** Reads of deactivated or taken-down accounts by unrelated callers. */
export const publicReads: ReadonlyArray<string> = Object.keys(authorities).filter(
  (nsid) => authorities[nsid] === read
)
