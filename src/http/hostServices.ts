import type { Accounts } from "../services/Accounts.ts"
import type { Auth } from "../services/Auth.ts"
import type { Background } from "../services/Background.ts"
import type { BlobStore } from "../services/BlobStore.ts"
import type { CodeOwners } from "../services/CodeOwners.ts"
import type { Config } from "../services/Config.ts"
import type { Devices } from "../services/Devices.ts"
import type { Directory } from "../services/Directory.ts"
import type { DpopProofs } from "../services/DpopProofs.ts"
import type { EdgeMemory } from "../services/EdgeMemory.ts"
import type { HandleClaims } from "../services/HandleClaims.ts"
import type { HostKeys } from "../services/HostKeys.ts"
import type { HostedIdentities } from "../services/HostedIdentities.ts"
import type { Identity } from "../services/Identity.ts"
import type { Keys } from "../services/Keys.ts"
import type { KnownAccounts } from "../services/KnownAccounts.ts"
import type { AddressLimits, Limiter } from "../services/Limiter.ts"
import type { Mailer } from "../services/Mailer.ts"
import type { OAuthClients } from "../services/OAuthClients.ts"
import type { OAuthRequests } from "../services/OAuthRequests.ts"
import type { Outgoing } from "../services/Outgoing.ts"
import type { PasskeyOwners } from "../services/PasskeyOwners.ts"
import type { PermissionSets } from "../services/PermissionSets.ts"
import type { PlcDirectory } from "../services/PlcDirectory.ts"
import type { ProxyTargets } from "../services/ProxyTargets.ts"
import type { Readiness } from "../services/Readiness.ts"
import type { ReservedKeys } from "../services/ReservedKeys.ts"
import type { Sequencer } from "../services/Sequencer.ts"
import type { SignUp } from "../services/SignUp.ts"

/** What the routes ask for. */
export type HostServices =
  | Accounts
  | AddressLimits
  | Auth
  | Background
  | BlobStore
  | CodeOwners
  | Config
  | Devices
  | Directory
  | DpopProofs
  | EdgeMemory
  | HandleClaims
  | HostKeys
  | HostedIdentities
  | Identity
  | Keys
  | KnownAccounts
  | Limiter
  | Mailer
  | OAuthClients
  | OAuthRequests
  | Outgoing
  | PasskeyOwners
  | PermissionSets
  | PlcDirectory
  | Readiness
  | ReservedKeys
  | ProxyTargets
  | Sequencer
  | SignUp
