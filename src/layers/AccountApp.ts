import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { AccountCalls } from "../services/AccountCalls.ts"
import type { Rejected } from "../services/Accounts.ts"
import type { Alarm } from "../services/Alarm.ts"
import type { Background } from "../services/Background.ts"
import type { BlobStore } from "../services/BlobStore.ts"
import type { CodeOwners } from "../services/CodeOwners.ts"
import type { Config } from "../services/Config.ts"
import type { Devices } from "../services/Devices.ts"
import type { Directory } from "../services/Directory.ts"
import type { Mailer } from "../services/Mailer.ts"
import type { PasskeyOwners } from "../services/PasskeyOwners.ts"
import type { Sequencer } from "../services/Sequencer.ts"
import type { SqlStorage } from "../services/SqlStorage.ts"
import type * as accountServices from "./accountServices.ts"

/** What an account's object shares with the rest of the host. */
export type AccountBase =
  | Config
  | Directory
  | CodeOwners
  | Devices
  | PasskeyOwners
  | Mailer
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
