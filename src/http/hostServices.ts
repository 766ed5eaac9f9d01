import type { Accounts } from "../services/accounts/Accounts.ts"
import type { Auth } from "../services/sessions/Auth.ts"
import type { Background } from "../services/host/Background.ts"
import type { BlobStore } from "../services/blobs/BlobStore.ts"
import type { CodeOwners } from "../services/mail/CodeOwners.ts"
import type { Config } from "../services/host/Config.ts"
import type { Devices } from "../services/oauth/Devices.ts"
import type { Directory } from "../services/accounts/Directory.ts"
import type { DpopProofs } from "../services/oauth/DpopProofs.ts"
import type { EdgeMemory } from "../services/edge/EdgeMemory.ts"
import type { HandleClaims } from "../services/identity/HandleClaims.ts"
import type { HostKeys } from "../services/host/HostKeys.ts"
import type { HostedIdentities } from "../services/identity/HostedIdentities.ts"
import type { Identity } from "../services/identity/Identity.ts"
import type { Keys } from "../services/identity/Keys.ts"
import type { KnownAccounts } from "../services/accounts/KnownAccounts.ts"
import type { AddressLimits, Limiter } from "../services/limits/Limiter.ts"
import type { Mailer } from "../services/mail/Mailer.ts"
import type { OAuthClients } from "../services/oauth/OAuthClients.ts"
import type { OAuthRequests } from "../services/oauth/OAuthRequests.ts"
import type { Outgoing } from "../services/host/Outgoing.ts"
import type { PasskeyOwners } from "../services/factors/PasskeyOwners.ts"
import type { PermissionSets } from "../services/oauth/PermissionSets.ts"
import type { PlcDirectory } from "../services/identity/PlcDirectory.ts"
import type { ProxyTargets } from "../services/proxy/ProxyTargets.ts"
import type { Readiness } from "../services/host/Readiness.ts"
import type { ReservedKeys } from "../services/identity/ReservedKeys.ts"
import type { Sequencer } from "../services/stream/Sequencer.ts"
import type { SignUp } from "../services/accounts/SignUp.ts"

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
