import { operatorRefusals } from "../../operators/refusals.ts"
import type { Failure } from "../../errors.ts"
import { asSentence, common } from "./common.ts"
import { accessToken, appPassword } from "./apps.ts"
import { authenticator, emailFactor, passkey, security } from "./security.ts"
import { codes, email, handle } from "./settings.ts"
import { signIn } from "./signIn.ts"
import { signUp } from "./signUp.ts"

type Sentences = {
  readonly [T in Failure["_tag"]]?: (failure: Extract<Failure, { readonly _tag: T }>) => string
}

/** The sentence for each failure that a person can cause on a page, and can mend. */
const sentences: Sentences = {
  AccountTakenDown: common.takenDown,
  AppPasswordExists: ({ name }) => appPassword.exists(name),
  AppPasswordRefused: ({ reason, limit }) =>
    reason === "too many" ? appPassword.tooMany(limit) : appPassword.longName(limit),
  CodeExpired: () => codes.expired,
  CodeInvalid: () => codes.wrong,
  Denied: () => common.notAllowed,
  DeletionDue: () => common.beingDeleted,
  DidDeactivated: () => common.identityGone,
  DidNotFound: () => common.identityGone,
  EmailFactorRefused: ({ reason }) =>
    reason === "no mail" ? emailFactor.noMail : emailFactor.unconfirmed,
  EmailTaken: () => signUp.emailTaken,
  HandleNotAvailable: () => handle.taken,
  HandleRefused: () => common.badName,
  HandleReserved: () => handle.taken,
  HandleUnproven: () => handle.notYet,
  IncompatibleDid: () => common.identityElsewhere,
  InvalidEmail: () => email.notYours,
  InvalidInviteCode: () => signUp.wrong.invite,
  LastPasskey: () => security.lastPasskey,
  NoAuthenticator: () => authenticator.expired,
  NoEmailAddress: () => codes.noAddress,
  NoSuchAccount: () => common.notHere,
  NotOurDid: () => common.identityNotOurs,
  OperatorRefused: ({ reason }) => asSentence(operatorRefusals[reason]),
  PasskeyRefused: () => passkey.refused,
  OwnTokenRefused: ({ reason, limit }) => accessToken.refused[reason](limit),
  PasswordChanged: () => signIn.passwordChanged,
  PayloadTooLarge: () => common.tooLarge,
  PlcOperationRefused: () => common.identityNotOurs,
  PlcRefused: () => common.identityRefused,
  RateLimitExceeded: ({ retryAfter, windowSeconds }) =>
    common.tooManyAttempts(retryAfter ?? windowSeconds),
  RepoNotFound: () => common.notHere,
  SignUpRefused: ({ field }) => (field === undefined ? common.failed : signUp.wrong[field]),
  TokenRequired: () => codes.needed,
  TooManyCodes: ({ retryAfterSeconds }) => common.tooManyAttempts(retryAfterSeconds),
  WrongCode: () => common.wrongCode
}

/** What a page says about a failure that its user caused. */
export const sentenceOf = (failure: Failure): string => {
  // SAFETY: the table holds each tag's own function.
  const sentence = sentences[failure._tag] as ((failure: Failure) => string) | undefined
  return sentence === undefined ? common.failed : sentence(failure)
}
