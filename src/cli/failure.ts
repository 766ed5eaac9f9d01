import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** Something that a command could not do, in the words that its user reads, with what to do next. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", {
  message: Schema.String,
  next: Schema.optionalKey(Schema.String)
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has told it.
  override readonly [Runtime.errorReported] = false
}

/** A server answered a call with an error; `error` is the name on the wire. */
export class CallFailed extends Schema.TaggedError<CallFailed>()("CallFailed", {
  server: Schema.String,
  nsid: Schema.String,
  status: Schema.Int,
  error: Schema.String,
  message: Schema.String,
  /** How long the server wants to be left alone, in milliseconds, where it says so. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has told it.
  override readonly [Runtime.errorReported] = false
}

/** A server gave no answer, or none that makes sense. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  server: Schema.String,
  why: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has told it.
  override readonly [Runtime.errorReported] = false
}

/** What a server sent is not whole, or not what was asked for. */
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", {
  server: Schema.String,
  what: Schema.String,
  why: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has told it.
  override readonly [Runtime.errorReported] = false
}

/** What was looked at is not well; the report has been printed. */
export class Unwell extends Schema.TaggedError<Unwell>()("Unwell", { faults: Schema.Int }) {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

/** Everything that a command fails with on purpose, and that is yet to be told. */
export type CliFailure = Failed | CallFailed | Unreachable | Damaged

/** Whether something is told by `run`. */
export const isTold = (error: unknown): error is CliFailure =>
  error instanceof Failed ||
  error instanceof CallFailed ||
  error instanceof Unreachable ||
  error instanceof Damaged

/** What is told about a failure: to people in words, to scripts as JSON. */
export interface Explanation {
  readonly error: string
  readonly message: string
  readonly next?: string
}

/** What to do about an error, by its name on the wire. */
const advice: Readonly<Record<string, string>> = {
  AuthenticationRequired:
    "Check the account's handle and password. App passwords do not do for most commands; " +
    "for those of the administrator set NACRE_ADMIN_PASSWORD.",
  InvalidToken: "Ask for a new code, or sign in again, and repeat the command.",
  ExpiredToken: "Ask for a new code, or sign in again, and repeat the command.",
  AuthFactorTokenRequired:
    "Set NACRE_CODE to a code of your authenticator, a recovery code, or the code that the server has just mailed, " +
    "or run the command in a terminal. Each code is good once.",
  RateLimitExceeded: "Wait a few minutes and repeat the command.",
  AccountDeactivated: "Activate the account first: nacre account activate",
  RepoDeactivated: "Activate the account first: nacre account activate",
  NotFound: "See which accounts are there: nacre account list",
  RepoNotFound: "See which accounts are there: nacre account list",
  HandleNotFound:
    "Is it written in full? Accounts of this server: nacre account list. Where any other leads: nacre identity",
  HandleNotAvailable: "Choose another handle.",
  AlreadyExists: "Choose another handle or DID, or see what is there: nacre account list",
  InvalidInviteCode: "Make one: nacre invite create",
  ServerMisconfigured: "See what is missing: nacre status",
  MethodNotImplemented: "The server is of another kind or older than this command: update it."
}

/** Only servers of this project have addresses of their own, which are named by a path and not by an NSID. */
const isUnknownPath = ({ nsid, status }: CallFailed): boolean =>
  nsid.includes("/") && status === 404

/** How long that is, as people say it. */
export const inWords = (milliseconds: number): string => {
  const minutes = Math.ceil(milliseconds / 60_000)
  if (minutes < 2) return `${Math.ceil(milliseconds / 1000)} s`
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** What to do about an error that the wire has no name for, by its words. */
const adviceByWords: ReadonlyArray<readonly [words: RegExp, next: string]> = [
  [/email already taken/i, "Use another address, or see whose it is: nacre account list"],
  [/no such account/i, "See which accounts are there: nacre account list"]
]

const adviceOn = (failure: CallFailed): string | undefined => {
  const { error, message, retryAfter } = failure
  if (retryAfter !== undefined) return `Wait ${inWords(retryAfter)} and repeat the command.`
  if (isUnknownPath(failure)) return advice["MethodNotImplemented"]
  return advice[error] ?? adviceByWords.find(([words]) => words.test(message))?.[1]
}

const explainCall = (failure: CallFailed): Explanation => {
  const { server, nsid, status, error, message } = failure
  const next = adviceOn(failure)
  return {
    error,
    message: `${server} refused ${nsid} (${status} ${error})${message === "" ? "" : `: ${message}`}`,
    ...(next === undefined ? {} : { next })
  }
}

/** Puts a failure into words. */
export const explain = (failure: CliFailure): Explanation => {
  switch (failure._tag) {
    case "CallFailed":
      return explainCall(failure)
    case "Unreachable":
      return {
        error: "Unreachable",
        message: `${failure.server} cannot be reached: ${failure.why}`,
        next: "Is it running, and is this its address? Start a local one with npm start, or name another with --server."
      }
    case "Damaged":
      return {
        error: "Damaged",
        message: `${failure.server} sent ${failure.what} damaged: ${failure.why}`,
        next: "Repeat the command to try again."
      }
    case "Failed": {
      const { message, next } = failure
      return { error: "Failed", message, ...(next === undefined ? {} : { next }) }
    }
  }
}
