import type * as Effect from "effect/Effect"
import { listBackups, makeBackup, reportDrill, verifyBackup } from "./adminBackups.ts"
import { examine, repair } from "./adminRepair.ts"
import {
  check,
  getObject,
  listObjects,
  listVersions,
  restoreAll,
  restoreOne,
  restoreToTime
} from "./adminRestore.ts"

const declared = [
  ["GET", "/admin/backups", listBackups],
  ["POST", "/admin/backups", makeBackup],
  ["POST", "/admin/backups/verify", verifyBackup],
  ["POST", "/admin/backups/drill", reportDrill],
  ["GET", "/admin/backups/account", listVersions],
  ["GET", "/admin/backups/object", getObject],
  ["GET", "/admin/backups/objects", listObjects],
  ["POST", "/admin/backups/restore", restoreOne],
  ["POST", "/admin/backups/restore-at", restoreToTime],
  ["POST", "/admin/backups/restore-server", restoreAll],
  ["GET", "/admin/check", check],
  ["GET", "/admin/repair", examine],
  ["POST", "/admin/repair", repair]
] as const

type Made = ReturnType<(typeof declared)[number][2]>

/** The administrator's paths for backups, restores and checks. */
export const backupRoutes: ReadonlyArray<
  readonly [
    verb: "GET" | "POST",
    path: string,
    make: (
      request: Request,
      url: URL
    ) => Effect.Effect<Response, Effect.Error<Made>, Effect.Services<Made>>
  ]
> = declared
