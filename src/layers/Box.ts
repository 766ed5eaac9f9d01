import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { statfs } from "node:fs/promises"
import { join } from "node:path"
import type { DatabaseSync } from "node:sqlite"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PublicCache from "../services/edge/PublicCache.ts"
import { SqlStorage } from "../services/host/SqlStorage.ts"
import * as BackupTargetFiles from "./backups/BackupTargetFiles.ts"
import * as boxBlobs from "./blobs/boxBlobs.ts"
import * as AlarmsSqlite from "./host/AlarmsSqlite.ts"
import * as HostDatabaseNode from "./host/sql/HostDatabaseNode.ts"
import * as SqlStorageNode from "./host/sql/SqlStorageNode.ts"
import * as Node from "./Node.ts"
import type { AccountApp } from "./objects/AccountApp.ts"
import * as AccountsFiles from "./objects/AccountsFiles.ts"

/** The options of a home on one machine. */
export interface BoxOptions {
  /** The folder that holds everything. */
  readonly folder: string
  /** The folder of the backups, if they are files. */
  readonly backupFolder?: string | undefined
  /** Account databases that stay open; 500 by default. */
  readonly mostOpen?: number
  /** Whether commits that wait for the disk share a sync. */
  readonly sharesSyncs?: boolean
}

/** Another process has the folder. */
export class FolderInUse extends Error {}

/** Opens a database; names the process that has it open already. */
const openAlone = (path: string, pidFile: string) => {
  try {
    return SqlStorageNode.openFile(path)
  } catch (error) {
    if (!SqlStorageNode.isLocked(error)) throw error
    // A process that has just opened the database may not have written its number yet.
    const pid = existsSync(pidFile) ? readFileSync(pidFile, "utf8").trim() : ""
    const which = pid === "" ? "" : `: process ${pid}`
    throw new FolderInUse(`Another server uses this folder${which}. Stop it first.`)
  }
}

const ownedBy = (path: string, pidFile: string) =>
  Effect.acquireRelease(
    Effect.sync(() => openAlone(path, pidFile)),
    (database) => Effect.sync(() => database.close())
  )

/** The journals of databases that nobody has closed. */
const journalsIn = (accounts: string): ReadonlySet<string> =>
  new Set(
    existsSync(accounts)
      ? readdirSync(accounts, { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith("-wal"))
          .map((name) => join(accounts, name))
      : []
  )

/** Whether the directory has its table: a new one has none before its first request. */
const isListed = (directory: DatabaseSync): boolean =>
  directory.prepare("SELECT 1 FROM sqlite_master WHERE name = 'accounts'").get() !== undefined

/** Rings the accounts that were open when the last process ended without a stop. */
const ringUnclosed = Effect.fnUntraced(function* (
  accounts: string,
  directory: DatabaseSync,
  alarms: AlarmsSqlite.Alarms
) {
  const journals = journalsIn(accounts)
  if (journals.size === 0 || !isListed(directory)) return
  const now = yield* Clock.currentTimeMillis
  for (const { did } of directory.prepare("SELECT did FROM accounts").iterate()) {
    if (journals.has(`${AccountsFiles.fileOf(accounts, String(did))}-wal`)) {
      yield* alarms.of(String(did)).by(now)
    }
  }
})

/**
 * The whole host in this process, kept in a folder: a database for each account, one for the
 * stream, one for the directory, one for the alarms, and the blobs as files or in a bucket.
 */
export const make = (
  app: AccountApp,
  env: Node.Environment,
  { folder, backupFolder, mostOpen = 500, sharesSyncs = false }: BoxOptions,
  own: Node.Own = {}
) =>
  Effect.gen(function* () {
    const pidFile = join(folder, "nacre.pid")
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // The alarms are written with every post and not synced: what a power cut takes from them is
    // rung again at the next start.
    const alarmRows = yield* ownedBy(join(folder, "alarms.sqlite"), pidFile)
    alarmRows.exec("PRAGMA synchronous = NORMAL")
    writeFileSync(pidFile, `${process.pid}\n`)
    const directory = yield* ownedBy(join(folder, "directory.sqlite"), pidFile)
    const stream = yield* ownedBy(join(folder, "stream.sqlite"), pidFile)
    const alarms = yield* AlarmsSqlite.make(SqlStorageNode.make(alarmRows))
    const accounts = join(folder, "accounts")
    yield* ringUnclosed(accounts, directory, alarms)
    const backups =
      backupFolder === undefined ? undefined : yield* BackupTargetFiles.open(backupFolder)
    return yield* Node.make(
      env,
      {
        stream: Layer.succeed(SqlStorage, SqlStorageNode.make(stream)),
        database: HostDatabaseNode.over(directory),
        blobs: boxBlobs.layer(folder),
        accounts: AccountsFiles.layer(app, { folder: accounts, alarms, mostOpen, sharesSyncs }),
        // The cache saves no query here.
        cache: PublicCache.layerNone,
        disk: {
          free: Effect.promise(() =>
            statfs(folder).then(({ bavail, bsize }) => Number(bavail) * Number(bsize))
          )
        }
      },
      backups === undefined ? own : { backups, ...own }
    )
  })
