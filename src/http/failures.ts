import * as Schema from "effect/Schema"
import type { CodeExpired, CodeInvalid } from "../services/AccountCodes.ts"
import type { DeletionDue, IncompatibleDid } from "../services/AccountStatus.ts"
import type { RepoInactive, RepoNotFound } from "../services/AccountStore.ts"
import type { Rejected } from "../services/Accounts.ts"
import type { AppPasswordExists } from "../services/AppPasswords.ts"
import type { Denied, OAuthDenied } from "../services/Auth.ts"
import type {
  BlobNotFound,
  BlobQuotaExceeded,
  BlobTakendown,
  InvalidMimeType,
  InvalidSize,
  UploadExpired
} from "../services/BlobIndex.ts"
import type {
  BlobEmpty,
  BlobIncomplete,
  BlobStoreBusy,
  BlobStoreUnavailable,
  BlobTooLarge
} from "../services/BlobStore.ts"
import type {
  AccountExists,
  DirectoryUnavailable,
  EmailTaken,
  HandleNotAvailable,
  InvalidInviteCode
} from "../services/Directory.ts"
import type { InvalidEmail, TokenRequired } from "../services/EmailAddress.ts"
import type { BlockNotFound } from "../services/findBlocks.ts"
import type { HandleRefused } from "../services/HandleChange.ts"
import type {
  DidDeactivated,
  DidNotFound,
  HandleNotFound,
  IdentityUnavailable
} from "../services/Identity.ts"
import type { KeyUnreadable } from "../services/Keys.ts"
import type { LimiterUnavailable, RateLimitExceeded } from "../services/Limiter.ts"
import type { NoEmailAddress } from "../services/MailedCodes.ts"
import type { MailNotSent } from "../services/Mailer.ts"
import type { GrantEnded } from "../services/OAuthSessions.ts"
import type { PreferenceRefused } from "../services/OwnerPreferences.ts"
import type { PasskeyRefused } from "../services/Passkeys.ts"
import type { PlcOperationRefused } from "../services/PlcOperations.ts"
import type { PlcRefused, PlcUnavailable } from "../services/PlcDirectory.ts"
import type { ProxyTargetRefused, UnknownFeed, UpstreamFailed } from "../services/ProxyTargets.ts"
import type { NotOurDid } from "../services/plcUpdate.ts"
import type { RecordNotFound } from "../services/Records.ts"
import type { InvalidSwap, InvalidWrite } from "../services/Repo.ts"
import type { ImportRefused } from "../services/RepoImport.ts"
import type { NoAuthenticator, TooManyCodes, WrongCode } from "../services/SecondFactors.ts"
import type { SequencerUnavailable } from "../services/Sequencer.ts"
import type { BadExpiration, ServiceTokenRefused } from "../services/ServiceAuth.ts"
import type { StandingRefused, SubjectNotFound } from "../services/SubjectStatus.ts"
import type { SessionEnded } from "../services/Sessions.ts"
import type { SignUpRefused } from "../services/signUp/refused.ts"

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
  | ImportRefused
  | RateLimitExceeded
  | LimiterUnavailable
  | SignUpRefused
  | HandleNotAvailable
  | EmailTaken
  | AccountExists
  | InvalidInviteCode
  | DirectoryUnavailable
  | HandleNotFound
  | DidNotFound
  | DidDeactivated
  | IdentityUnavailable
  | PlcOperationRefused
  | PlcRefused
  | PlcUnavailable
  | SessionEnded
  | AppPasswordExists
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
