import type * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Option from "effect/Option"
import type { CallFailure, CallName } from "../../services/accounts/AccountCalls.ts"
import type { Accounts } from "../../services/accounts/Accounts.ts"
import type { Alarm } from "../../services/host/Alarm.ts"
import type { Background } from "../../services/host/Background.ts"
import type { BlobStore } from "../../services/blobs/BlobStore.ts"
import type { CodeOwners } from "../../services/mail/CodeOwners.ts"
import type { Config } from "../../services/host/Config.ts"
import type { Devices } from "../../services/oauth/Devices.ts"
import type { Directory } from "../../services/accounts/Directory.ts"
import type { Mailer } from "../../services/mail/Mailer.ts"
import type { OAuthRequests } from "../../services/oauth/OAuthRequests.ts"
import type { PasskeyOwners } from "../../services/factors/PasskeyOwners.ts"
import type { Sequencer } from "../../services/stream/Sequencer.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type * as accountServices from "../account.ts"

/** The services that an account's object shares with the rest of the host. */
export type AccountBase =
  | Accounts
  | Config
  | Directory
  | CodeOwners
  | Devices
  | PasskeyOwners
  | Mailer
  | OAuthRequests
  | Sequencer
  | BlobStore

/** All services in an account's object. */
export type AccountServices =
  | Layer.Success<ReturnType<typeof accountServices.layer>>
  | AccountBase
  | SqlStorage
  | Alarm
  | Background

/**
 * Encodes and decodes the failures of internal calls between the Worker and an account's object.
 */
export interface FailureCodec {
  encode(failure: CallFailure<CallName>): Effect.Effect<unknown>
  decode(encoded: unknown): Option.Option<{ readonly _tag: string }>
}

/**
 * The parts of an account's object that come from the HTTP app: answering requests, and encoding
 * failures.
 */
export interface AccountApp {
  serve(request: Request): Effect.Effect<Response, never, AccountServices>
  /** Answers without a fiber; undefined if the request needs one. */
  answerAtOnce(
    request: Request,
    services: Context.Context<AccountServices>
  ): Response | Promise<Response> | undefined
  readonly failures: FailureCodec
}
