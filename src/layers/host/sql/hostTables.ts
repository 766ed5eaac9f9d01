import * as Layer from "effect/Layer"
import * as BackupLedgerD1 from "../../backups/BackupLedgerD1.ts"
import * as HostRowsD1 from "../../backups/HostRowsD1.ts"
import * as AuditLogD1 from "../../operators/AuditLogD1.ts"
import * as AlertsD1 from "../../operators/AlertsD1.ts"
import * as HostCountsD1 from "../../operators/HostCountsD1.ts"
import * as OperatorsD1 from "../../operators/OperatorsD1.ts"
import * as WatchNotesD1 from "../../operators/WatchNotesD1.ts"
import * as AnnouncementsD1 from "../../mail/AnnouncementsD1.ts"
import * as CodeOwnersD1 from "../../mail/CodeOwnersD1.ts"
import * as DevicesD1 from "../../oauth/DevicesD1.ts"
import * as DirectoryD1 from "../../accounts/DirectoryD1.ts"
import * as BacklogD1 from "../../stream/BacklogD1.ts"
import * as CountersD1 from "../../operators/CountersD1.ts"
import * as SeenOperationsD1 from "../../identity/SeenOperationsD1.ts"
import * as OAuthRequestsD1 from "../../oauth/OAuthRequestsD1.ts"
import * as KeyRotationsD1 from "../../identity/KeyRotationsD1.ts"
import * as PasskeyOwnersD1 from "../../factors/PasskeyOwnersD1.ts"

/** Everything in the host's database. */
export const layer = Layer.mergeAll(
  DirectoryD1.layer,
  CodeOwnersD1.layer,
  AnnouncementsD1.layer,
  OAuthRequestsD1.layer,
  DevicesD1.layer,
  PasskeyOwnersD1.layer,
  BackupLedgerD1.layer,
  HostRowsD1.layer,
  AuditLogD1.layer,
  OperatorsD1.layer,
  HostCountsD1.layer,
  SeenOperationsD1.layer,
  BacklogD1.layer,
  CountersD1.layer,
  AlertsD1.layer.pipe(Layer.provideMerge(WatchNotesD1.layer)),
  KeyRotationsD1.layer
)
