import * as Schema from "effect/Schema"
import type { CodeExpired, CodeInvalid } from "../services/mail/AccountCodes.ts"
import type { DeletionDue, IncompatibleDid } from "../services/accounts/AccountStatus.ts"
import type { RepoInactive, RepoNotFound } from "../services/accounts/AccountStore.ts"
import type { Rejected } from "../services/accounts/Accounts.ts"
import type { AppPasswordExists, AppPasswordRefused } from "../services/sessions/AppPasswords.ts"
import type { Denied, OAuthDenied } from "../services/sessions/Auth.ts"
import type {
  BlobNotFound,
  BlobQuotaExceeded,
  BlobTakendown,
  InvalidMimeType,
  InvalidSize,
  UploadExpired
} from "../services/blobs/BlobIndex.ts"
import type {
  BlobEmpty,
  BlobIncomplete,
  BlobStoreBusy,
  BlobStoreUnavailable,
  BlobTooLarge
} from "../services/blobs/BlobStore.ts"
import type {
  AccountExists,
  DirectoryUnavailable,
  EmailTaken,
  HandleNotAvailable,
  InvalidInviteCode
} from "../services/accounts/Directory.ts"
import type { InvalidEmail, TokenRequired } from "../services/accounts/EmailAddress.ts"
import type { BlockNotFound } from "../services/repo/findBlocks.ts"
import type { HandleRefused } from "../services/identity/HandleChange.ts"
import type {
  DidDeactivated,
  DidNotFound,
  HandleNotFound,
  IdentityUnavailable
} from "../services/identity/Identity.ts"
import type { KeyUnreadable } from "../services/identity/Keys.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../services/limits/Limiter.ts"
import type { NoEmailAddress } from "../services/mail/MailedCodes.ts"
import type { MailNotSent } from "../services/mail/Mailer.ts"
import type { GrantEnded } from "../services/oauth/OAuthSessions.ts"
import type { PreferenceRefused } from "../services/accounts/OwnerPreferences.ts"
import type { PasskeyRefused } from "../services/factors/Passkeys.ts"
import type { PlcOperationRefused } from "../services/identity/PlcOperations.ts"
import type { PlcRefused, PlcUnavailable } from "../services/identity/PlcDirectory.ts"
import type {
  ProxyTargetRefused,
  UnknownFeed,
  UpstreamFailed
} from "../services/proxy/ProxyTargets.ts"
import type { NotOurDid } from "../services/identity/plcUpdate.ts"
import type { ReservedKeysFull } from "../services/identity/ReservedKeys.ts"
import type { RecordNotFound } from "../services/repo/Records.ts"
import type { InvalidSwap, InvalidWrite } from "../services/repo/Repo.ts"
import type { ImportBusy, ImportRefused } from "../services/repo/RepoImport.ts"
import type { NoAuthenticator, TooManyCodes, WrongCode } from "../services/factors/SecondFactors.ts"
import type { SequencerUnavailable } from "../services/stream/Sequencer.ts"
import type { BadExpiration, ServiceTokenRefused } from "../services/sessions/ServiceAuth.ts"
import type { StandingRefused, SubjectNotFound } from "../services/accounts/SubjectStatus.ts"
import type { SessionEnded } from "../services/sessions/Sessions.ts"
import type { SignUpRefused } from "../services/accounts/signUp/refused.ts"

/** The request is wrong in itself: shape, syntax, or a rule of the method. */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()("InvalidRequest", {
  message: Schema.String
}) {}

/** The body is larger than this method takes. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  limit: Schema.Finite
}) {}

/** The body's Content-Encoding is none that this server reads. */
export class UnsupportedEncoding extends Schema.TaggedError<UnsupportedEncoding>()(
  "UnsupportedEncoding",
  { encoding: Schema.String }
) {}

/** This server does not have the method, and nobody else is asked for it. */
export class MethodNotImplemented extends Schema.TaggedError<MethodNotImplemented>()(
  "MethodNotImplemented",
  {}
) {}

/** The administrator names an account that is not here. */
export class NoSuchAccount extends Schema.TaggedError<NoSuchAccount>()("NoSuchAccount", {}) {}

/** Everything that a method may fail with. */
export type Failure =
  | InvalidRequest
  | PayloadTooLarge
  | UnsupportedEncoding
  | MethodNotImplemented
  | NoSuchAccount
  | Denied
  | OAuthDenied
  | GrantEnded
  | RepoNotFound
  | RepoInactive
  | RecordNotFound
  | BlockNotFound
  | BlobNotFound
  | BlobQuotaExceeded
  | BlobTakendown
  | UploadExpired
  | BlobTooLarge
  | BlobEmpty
  | BlobIncomplete
  | BlobStoreBusy
  | BlobStoreUnavailable
  | InvalidMimeType
  | InvalidSize
  | InvalidWrite
  | InvalidSwap
  | ImportBusy
  | ImportRefused
  | RateLimitExceeded
  | LimiterUnavailable
  | SignUpRefused
  | HandleNotAvailable
  | EmailTaken
  | AccountExists
  | InvalidInviteCode
  | DirectoryUnavailable
  | ReservedKeysFull
  | HandleNotFound
  | DidNotFound
  | DidDeactivated
  | IdentityUnavailable
  | PlcOperationRefused
  | PlcRefused
  | PlcUnavailable
  | SessionEnded
  | AppPasswordExists
  | AppPasswordRefused
  | WrongCode
  | TooManyCodes
  | NoAuthenticator
  | PasskeyRefused
  | BadExpiration
  | ServiceTokenRefused
  | IncompatibleDid
  | SubjectNotFound
  | StandingRefused
  | DeletionDue
  | CodeInvalid
  | CodeExpired
  | InvalidEmail
  | TokenRequired
  | NoEmailAddress
  | MailNotSent
  | HandleRefused
  | NotOurDid
  | KeyUnreadable
  | PreferenceRefused
  | Rejected
  | ProxyTargetRefused
  | UnknownFeed
  | UpstreamFailed
  | SequencerUnavailable
