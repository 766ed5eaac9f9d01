import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { DeletionDue, IncompatibleDid } from "../services/accounts/AccountStatus.ts"
import { AccountTakenDown, RepoInactive, RepoNotFound } from "../services/accounts/AccountStore.ts"
import { AccountUnavailable } from "../services/accounts/Accounts.ts"
import {
  AccountExists,
  DirectoryUnavailable,
  EmailTaken,
  HandleNotAvailable,
  InvalidInviteCode
} from "../services/accounts/Directory.ts"
import {
  EmailFactorRefused,
  InvalidEmail,
  TokenRequired
} from "../services/accounts/EmailAddress.ts"
import { PreferenceRefused } from "../services/accounts/OwnerPreferences.ts"
import { StatusRefused, SubjectNotFound } from "../services/accounts/SubjectStatus.ts"
import { SignUpRefused } from "../services/accounts/signUp/refused.ts"
import {
  BlobNotFound,
  BlobQuotaExceeded,
  BlobTakendown,
  InvalidMimeType,
  InvalidSize,
  UploadExpired
} from "../services/blobs/BlobIndex.ts"
import {
  BlobEmpty,
  BlobIncomplete,
  BlobStoreBusy,
  BlobStoreUnavailable,
  BlobTooLarge
} from "../services/blobs/BlobStore.ts"
import * as Backups from "../services/backups/BackupTarget.ts"
import { PointInTimeOff } from "../services/backups/pointInTime/PointInTime.ts"
import { PasskeyLinkOver } from "../services/factors/PasskeyLinks.ts"
import { LastPasskey, PasskeyRefused } from "../services/factors/Passkeys.ts"
import { NoAuthenticator, TooManyCodes, WrongCode } from "../services/factors/SecondFactors.ts"
import {
  InvalidRequest,
  MethodNotImplemented,
  NoSuchAccount,
  PayloadTooLarge,
  UnsupportedEncoding
} from "../services/failures.ts"
import { HandleRefused, HandleReserved, HandleUnproven } from "../services/identity/HandleProof.ts"
import {
  DidDeactivated,
  DidNotFound,
  HandleNotFound,
  IdentityUnavailable
} from "../services/identity/Identity.ts"
import { KeyUnreadable } from "../services/identity/Keys.ts"
import { PlcRefused, PlcUnavailable } from "../services/identity/PlcDirectory.ts"
import { NotOurDid, PlcOperationRefused } from "../services/identity/PlcOperations.ts"
import { ReservedKeysFull } from "../services/identity/ReservedKeys.ts"
import { OperatorRefused } from "../services/operators/Operators.ts"
import { operatorRefusals } from "./operators/refusals.ts"
import { AuditUnavailable } from "../services/operators/AuditLog.ts"
import { LimiterUnavailable, RateLimitExceeded } from "../services/limits/Limiter.ts"
import { CodeExpired, CodeInvalid } from "../services/mail/AccountCodes.ts"
import { NoEmailAddress } from "../services/mail/MailedCodes.ts"
import { MailNotSent } from "../services/mail/Mailer.ts"
import { GrantEnded } from "../services/oauth/OAuthSessions.ts"
import { ProxyTargetRefused, UnknownFeed, UpstreamFailed } from "../services/proxy/ProxyTargets.ts"
import { RecordNotFound } from "../services/repo/Records.ts"
import { InvalidSwap, InvalidWrite } from "../services/repo/Repo.ts"
import { ImportBusy, ImportRefused } from "../services/repo/RepoImport.ts"
import { RepairRefused } from "../services/repo/RepoRepair.ts"
import { ExportsBusy } from "../services/repo/exportStream.ts"
import { BlockNotFound } from "../services/repo/findBlocks.ts"
import { AppPasswordExists, AppPasswordRefused } from "../services/sessions/AppPasswords.ts"
import { Denied, OAuthDenied } from "../services/sessions/Auth.ts"
import { OwnTokenRefused } from "../services/sessions/OwnTokens.ts"
import { BadExpiration, ServiceTokenRefused } from "../services/sessions/ServiceAuth.ts"
import { PasswordChanged } from "../services/sessions/ownerView.ts"
import { SessionEnded } from "../services/sessions/Sessions.ts"
import { SequencerUnavailable } from "../services/stream/Sequencer.ts"
import { jsonType, rateLimitHeaders } from "./responses.ts"
import { emailFactorRefusedError, lastPasskeyError } from "./factors/refused.ts"
import {
  appPasswordRefusedError,
  deniedError,
  grantEndedError,
  oauthDeniedError,
  ownTokenRefusedError,
  takenDownError
} from "./sessions/denied.ts"
import { targetRefusedError, upstreamFailedError } from "./proxy/refused.ts"
import { badRequest, busy, plain, unavailable, upstream, type WireError } from "./wire.ts"

/** Pairs a failure with its error on the wire. */
const on = <F extends { readonly _tag: string }>(
  failure: Schema.Codec<F, unknown> & { readonly identifier: string },
  answer: (failure: F) => WireError
) => ({ failure, answer })

const inactiveName = {
  takendown: "RepoTakendown",
  suspended: "RepoSuspended",
  deactivated: "RepoDeactivated",
  deleted: "RepoNotFound"
} as const

/** The one table from failures to errors on the wire. */
export const wire = [
  on(InvalidRequest, plain(400, "InvalidRequest")),
  on(PayloadTooLarge, ({ limit }) => ({
    status: 413,
    error: "PayloadTooLarge",
    message: `The request body is larger than ${limit} bytes`
  })),
  on(UnsupportedEncoding, ({ encoding }) => ({
    status: 415,
    error: "UnsupportedMediaType",
    message: `Unsupported Content-Encoding: ${encoding}`
  })),
  on(MethodNotImplemented, () => ({
    status: 501,
    error: "MethodNotImplemented",
    message: "Method Not Implemented"
  })),
  on(NoSuchAccount, () => badRequest("NotFound", "Account not found")),
  on(Denied, deniedError),
  on(OAuthDenied, oauthDeniedError),
  on(GrantEnded, grantEndedError),
  on(RepoNotFound, ({ did }) => badRequest("RepoNotFound", `Could not find repo for DID: ${did}`)),
  on(RepoInactive, ({ did, status }) =>
    badRequest(inactiveName[status], `Repo has been ${status}: ${did}`)
  ),
  on(AccountTakenDown, takenDownError),
  on(RecordNotFound, ({ uri }) => badRequest("RecordNotFound", `Could not locate record: ${uri}`)),
  on(BlockNotFound, ({ cids }) =>
    badRequest("BlockNotFound", `Could not find cids: ${cids.join(", ")}`)
  ),
  on(ExportsBusy, busy),
  on(BlobNotFound, ({ cid }) => badRequest("BlobNotFound", `Could not find blob: ${cid}`)),
  on(BlobQuotaExceeded, plain(400, "BlobQuotaExceeded")),
  on(BlobTakendown, plain(400, "BlobTakendown")),
  on(UploadExpired, plain(400, "InvalidRequest")),
  on(BlobTooLarge, plain(413, "PayloadTooLarge")),
  on(BlobEmpty, plain(400, "InvalidRequest")),
  on(BlobIncomplete, plain(400, "InvalidRequest")),
  on(ImportBusy, busy),
  on(BlobStoreBusy, busy),
  on(BlobStoreUnavailable, () => unavailable("The blob store is unavailable")),
  on(InvalidMimeType, plain(400, "InvalidMimeType")),
  on(InvalidSize, plain(400, "InvalidSize")),
  on(InvalidWrite, plain(400, "InvalidRequest")),
  on(InvalidSwap, plain(400, "InvalidSwap")),
  on(ImportRefused, plain(400, "InvalidRequest")),
  on(RepairRefused, plain(400, "RepairRefused")),
  on(RateLimitExceeded, (exceeded) => ({
    status: 429,
    error: "RateLimitExceeded",
    message: "Rate Limit Exceeded",
    headers: {
      ...rateLimitHeaders(exceeded),
      "retry-after": String(exceeded.retryAfter ?? exceeded.windowSeconds)
    }
  })),
  on(AuditUnavailable, () =>
    unavailable(
      "The audit log is unavailable. What was asked for may be done: look before you repeat it"
    )
  ),
  on(OperatorRefused, ({ reason }) => badRequest("InvalidRequest", operatorRefusals[reason])),
  on(LimiterUnavailable, () => unavailable("The rate limiter is unavailable")),
  on(SignUpRefused, ({ error, message }) => badRequest(error, message)),
  on(HandleNotAvailable, ({ handle }) =>
    badRequest("HandleNotAvailable", `Handle already taken: ${handle}`)
  ),
  on(EmailTaken, ({ email }) => badRequest("InvalidRequest", `Email already taken: ${email}`)),
  on(AccountExists, ({ did }) =>
    badRequest(
      "AlreadyExists",
      `Repo already exists: ${did}. Sign in to it here, and go on with what checkAccountStatus says is missing`
    )
  ),
  on(InvalidInviteCode, () =>
    badRequest("InvalidInviteCode", "Provided invite code not available")
  ),
  on(DirectoryUnavailable, ({ operation }) =>
    unavailable(`The account directory is unavailable (${operation})`)
  ),
  on(HandleNotFound, () => badRequest("HandleNotFound", "Unable to resolve handle")),
  on(DidNotFound, ({ did }) => badRequest("DidNotFound", `Could not resolve DID: ${did}`)),
  on(DidDeactivated, ({ did }) => badRequest("DidDeactivated", `DID has been deactivated: ${did}`)),
  on(IdentityUnavailable, ({ subject }) => upstream(`Could not resolve ${subject} just now`)),
  on(PlcOperationRefused, plain(400, "InvalidRequest")),
  on(PlcRefused, ({ reason }) =>
    badRequest("InvalidRequest", `The PLC directory refused the operation: ${reason}`)
  ),
  on(PlcUnavailable, () => upstream("The PLC directory could not be reached")),
  on(SessionEnded, () => badRequest("ExpiredToken", "Token has been revoked")),
  // Official clients recognize a wrong code by this text.
  on(WrongCode, () => ({
    status: 401,
    error: "AuthenticationRequired",
    message: "Token is invalid"
  })),
  on(TooManyCodes, ({ retryAfterSeconds }) => ({
    status: 429,
    error: "RateLimitExceeded",
    message: "Too many wrong codes",
    headers: { "retry-after": String(retryAfterSeconds) }
  })),
  on(NoAuthenticator, () =>
    badRequest("InvalidRequest", "The account has no authenticator to do this with")
  ),
  on(PasskeyRefused, () => ({
    status: 401,
    error: "AuthenticationRequired",
    message: "The passkey could not be verified"
  })),
  on(LastPasskey, lastPasskeyError),
  on(OwnTokenRefused, ownTokenRefusedError),
  on(AppPasswordRefused, appPasswordRefusedError),
  on(ReservedKeysFull, () => unavailable("Too many keys wait for their accounts. Try again later")),
  on(PasswordChanged, () => badRequest("ExpiredToken", "The password is another one by now")),
  on(PasskeyLinkOver, () => badRequest("ExpiredToken", "This link has expired")),
  on(AppPasswordExists, ({ name }) =>
    badRequest("InvalidRequest", `There is an app password of this name already: ${name}`)
  ),
  on(BadExpiration, plain(400, "BadExpiration")),
  on(ServiceTokenRefused, plain(400, "InvalidRequest")),
  on(SubjectNotFound, () => badRequest("NotFound", "Subject not found")),
  on(StatusRefused, plain(400, "InvalidRequest")),
  on(IncompatibleDid, plain(400, "InvalidRequest")),
  on(DeletionDue, ({ did }) =>
    badRequest("InvalidRequest", `The account is being deleted: ${did}`)
  ),
  on(CodeInvalid, () => badRequest("InvalidToken", "Token is invalid")),
  on(CodeExpired, () => badRequest("ExpiredToken", "Token is expired")),
  on(InvalidEmail, () => badRequest("InvalidEmail", "This is not the account's email address")),
  on(TokenRequired, () => badRequest("TokenRequired", "Confirmation token required")),
  on(EmailFactorRefused, emailFactorRefusedError),
  on(NoEmailAddress, () => badRequest("InvalidRequest", "The account has no email address")),
  on(MailNotSent, () => upstream("The mail could not be sent")),
  on(HandleRefused, plain(400, "InvalidHandle")),
  on(HandleReserved, plain(400, "HandleNotAvailable")),
  on(HandleUnproven, () => badRequest("InvalidHandle", "External handle did not resolve to DID")),
  on(NotOurDid, ({ did }) =>
    badRequest("InvalidRequest", `This server's key may not change the DID: ${did}`)
  ),
  on(KeyUnreadable, () => unavailable("A reserved signing key cannot be opened")),
  on(PreferenceRefused, plain(400, "InvalidRequest")),
  on(AccountUnavailable, () => unavailable("The account cannot be reached at the moment")),
  on(ProxyTargetRefused, targetRefusedError),
  on(UnknownFeed, ({ feed }) => badRequest("UnknownFeed", `could not resolve feed did: ${feed}`)),
  on(UpstreamFailed, upstreamFailedError),
  on(Backups.BackupsOff, plain(400, "BackupsOff")),
  on(Backups.RestoreFirst, plain(409, "RestoreFirst")),
  on(PointInTimeOff, plain(400, "PointInTimeOff")),
  on(Backups.BackupDamaged, plain(500, "BackupDamaged")),
  on(Backups.BackupSourceFailed, ({ message }) => unavailable(message)),
  on(Backups.BackupTargetFailed, ({ message }) => unavailable(message)),
  on(SequencerUnavailable, ({ operation }) =>
    unavailable(`The event log is unavailable (${operation})`)
  )
] as const

/** Every failure of a method. */
export type Failure = (typeof wire)[number]["failure"]["Type"]

const answers: ReadonlyMap<string, unknown> = new Map(
  wire.map(({ failure, answer }) => [failure.identifier, answer])
)

let union: Schema.Codec<Failure, unknown> | undefined

/** Created at the first failure instead of at the Worker's start. */
const codec = () =>
  (union ??= Schema.Union(
    wire.map(({ failure }) => failure)
    // SAFETY: a union of the table's schemas.
  ) as unknown as Schema.Codec<Failure, unknown>)

/** Encodes and decodes failures between the Worker and an account's object. */
export const failures = {
  encode: (failure: Failure) => Effect.orDie(Schema.encodeEffect(codec())(failure)),
  decode: (encoded: unknown) => Schema.decodeUnknownOption(codec())(encoded)
}

/** The error for a failure on the wire. */
export const wireError = (failure: Failure): WireError =>
  // SAFETY: the table holds each tag's own function.
  (answers.get(failure._tag) as (failure: Failure) => WireError)(failure)

/** The response for an error, in the protocol's form. */
export const errorResponse = (error: WireError): Response =>
  new Response(JSON.stringify({ error: error.error, message: error.message }), {
    status: error.status,
    headers: { "content-type": jsonType, ...error.headers }
  })

/** A failure as a response. */
export const asError = (failure: Failure): Response => errorResponse(wireError(failure))
