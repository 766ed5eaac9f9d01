import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { nacre, startCommand } from "../../scripts/project.ts"

/** A command's failure in words for its user, with the next step. */
export class Failed extends Schema.TaggedError<Failed>()("Failed", {
  message: Schema.String,
  next: Schema.optionalKey(Schema.String),
  /** The command has printed its result, so stdout gets no second JSON document. */
  hasResult: Schema.optionalKey(Schema.Boolean)
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has reported it.
  override readonly [Runtime.errorReported] = false
}

/** A server answered a call with an error; `error` is the name on the wire. */
export class CallFailed extends Schema.TaggedError<CallFailed>()("CallFailed", {
  server: Schema.String,
  nsid: Schema.String,
  status: Schema.Int,
  error: Schema.String,
  message: Schema.String,
  /** How long the server asks to wait, in milliseconds. */
  retryAfter: Schema.optionalKey(Schema.Finite)
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has reported it.
  override readonly [Runtime.errorReported] = false
}

/** A server didn't answer, or its answer was malformed. */
export class Unreachable extends Schema.TaggedError<Unreachable>()("Unreachable", {
  server: Schema.String,
  why: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has reported it.
  override readonly [Runtime.errorReported] = false
}

/** A server's data is incomplete or wrong. */
export class Damaged extends Schema.TaggedError<Damaged>()("Damaged", {
  server: Schema.String,
  what: Schema.String,
  why: Schema.String
}) {
  override readonly [Runtime.errorExitCode] = 1
  // `run` has reported it.
  override readonly [Runtime.errorReported] = false
}

/** A check failed; the report has been printed. */
export class Unwell extends Schema.TaggedError<Unwell>()("Unwell", { faults: Schema.Int }) {
  override readonly [Runtime.errorExitCode] = 1
  override readonly [Runtime.errorReported] = false
}

/** A command's failures that `run` reports. */
export type CliFailure = Failed | CallFailed | Unreachable | Damaged

/** Whether `run` reports a failure. */
export const isReported = (error: unknown): error is CliFailure =>
  error instanceof Failed ||
  error instanceof CallFailed ||
  error instanceof Unreachable ||
  error instanceof Damaged

/** The report of a failure, in words for people and as JSON for scripts. */
export interface Explanation {
  readonly error: string
  readonly message: string
  readonly next?: string
}

/** What to do about an error, by its name on the wire. */
const advice: Readonly<Record<string, string>> = {
  AuthenticationRequired:
    "Check the handle and password. Most commands don't accept app passwords. " +
    "For the administrator, set NACRE_ADMIN_PASSWORD.",
  InvalidToken: "Request a new code or sign in again, then run the command again.",
  ExpiredToken: "Request a new code or sign in again, then run the command again.",
  AuthFactorTokenRequired:
    "Set NACRE_CODE to a code from your authenticator app, a recovery code, or the code you were just emailed, " +
    "or run the command in a terminal. Each code works once.",
  RateLimitExceeded: "Wait a few minutes, then run the command again.",
  AccountDeactivated: `Activate the account first: ${nacre} account activate`,
  RepoDeactivated: `Activate the account first: ${nacre} account activate`,
  NotFound: `List the accounts: ${nacre} account list`,
  RepoNotFound: `List the accounts: ${nacre} account list`,
  HandleNotFound: `Write the full handle. List this server's accounts: ${nacre} account list. Check any other handle: ${nacre} identity`,
  HandleNotAvailable: "Choose another handle.",
  AlreadyExists: `Choose another handle or DID, or list the accounts: ${nacre} account list`,
  InvalidInviteCode: `Create one: ${nacre} invite create`,
  ServerMisconfigured: `Find out what's wrong: ${nacre} status`,
  MethodNotImplemented:
    "The server is older than this command, or it isn't a Nacre server. Update it."
}

/** Only Nacre has routes of its own, which are named by a path instead of an NSID. */
const isUnknownPath = ({ nsid, status }: CallFailed): boolean =>
  nsid.includes("/") && status === 404

/** A duration in words. */
export const inWords = (milliseconds: number): string => {
  const minutes = Math.ceil(milliseconds / 60_000)
  if (minutes < 2) return `${Math.ceil(milliseconds / 1000)} s`
  return minutes < 120 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`
}

/** What to do about an error without a name on the wire, by its message. */
const adviceByWords: ReadonlyArray<readonly [words: RegExp, next: string]> = [
  [
    /email already taken/i,
    `Use another address, or find the account that has it: ${nacre} account list`
  ],
  [/no such account/i, `List the accounts: ${nacre} account list`]
]

const adviceOn = (failure: CallFailed): string | undefined => {
  const { error, message, retryAfter } = failure
  if (retryAfter !== undefined) return `Wait ${inWords(retryAfter)}, then run the command again.`
  if (isUnknownPath(failure)) return advice["MethodNotImplemented"]
  return advice[error] ?? adviceByWords.find(([words]) => words.test(message))?.[1]
}

const explainCall = (failure: CallFailed, isVerbose: boolean): Explanation => {
  const { server, nsid, status, error, message } = failure
  const next = adviceOn(failure)
  const what = message === "" ? `error ${status}` : message
  const details = isVerbose ? ` (${nsid}, ${status} ${error})` : ""
  return {
    error,
    message: `${server} ${status < 500 ? "rejected the request" : "failed"}: ${what}${details}`,
    ...(next === undefined ? {} : { next })
  }
}

/** Explains a failure in words, with the protocol's names if `--verbose` is set. */
export const explain = (failure: CliFailure, isVerbose = false): Explanation => {
  switch (failure._tag) {
    case "CallFailed":
      return explainCall(failure, isVerbose)
    case "Unreachable":
      return {
        error: "Unreachable",
        message: `Couldn't reach ${failure.server}: ${failure.why}`,
        next: `Check that it's running and that the address is right. Start a local server with ${startCommand}, or choose another with --server.`
      }
    case "Damaged":
      return {
        error: "Damaged",
        message: `${failure.server} sent ${failure.what} incomplete or damaged: ${failure.why}`,
        next: "Run the command again."
      }
    case "Failed": {
      const { message, next } = failure
      return { error: "Failed", message, ...(next === undefined ? {} : { next }) }
    }
  }
}
