import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { AccountCalls } from "../../services/accounts/AccountCalls.ts"
import type { Accounts, Rejected } from "../../services/accounts/Accounts.ts"
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

/** What an account's object shares with the rest of the host. */
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

/** Everything that an account's object offers to what runs in it. */
export type AccountServices =
  | Layer.Success<ReturnType<typeof accountServices.layer>>
  | AccountBase
  | SqlStorage
  | Alarm
  | Background

/** What runs in an account's object: its HTTP app, its internal methods, and what its alarm does. */
export interface AccountApp {
  serve(request: Request): Effect.Effect<Response, never, AccountServices>
  call<K extends keyof AccountCalls>(
    method: K,
    input: AccountCalls[K]["input"]
  ): Effect.Effect<AccountCalls[K]["output"], Rejected, AccountServices>
  readonly ring: Effect.Effect<void, never, AccountServices>
}
