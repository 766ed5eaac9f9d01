import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The backup store failed, is full, or can't be reached. */
export class BackupTargetFailed extends Schema.TaggedError<BackupTargetFailed>()(
  "BackupTargetFailed",
  { operation: Schema.String, key: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    const why = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `The backup store failed (${this.operation} ${this.key}): ${why}`
  }
}

/** Reading the data to back up failed. */
export class BackupSourceFailed extends Schema.TaggedError<BackupSourceFailed>()(
  "BackupSourceFailed",
  { key: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    return `Reading what belongs to ${this.key} broke off`
  }
}

/** The server has no backup store. */
export class BackupsOff extends Schema.TaggedError<BackupsOff>()("BackupsOff", {}) {
  override get message(): string {
    return "No backup store is set up: bind a bucket as BACKUPS, or set BACKUP_S3_URL, or BACKUP_DIR on a machine of your own"
  }
}

const missing = "is missing"

/** An object of a backup is missing, was changed, or belongs to another server. */
export class BackupDamaged extends Schema.TaggedError<BackupDamaged>()("BackupDamaged", {
  key: Schema.String,
  problem: Schema.String
}) {
  get isMissing(): boolean {
    return this.problem === missing
  }
  override get message(): string {
    return `${this.key} ${this.problem}`
  }
}

/** The store's backups are older than this server's database, and nobody has restored them. */
export class RestoreFirst extends Schema.TaggedError<RestoreFirst>()("RestoreFirst", {
  run: Schema.String,
  accounts: Schema.Int
}) {
  override get message(): string {
    return `This server's database is new, and the backup store has ${this.accounts} accounts in backup ${this.run}. Restore them (nacre restore --all), or start with an empty store`
  }
}

/** An object in the store. */
export interface BackupObject {
  readonly key: string
  /** In bytes. */
  readonly size: number
}

/** A backup store, separate from the server's own data. */
export interface BackupTargetShape {
  /** Its name for people: the binding or the address. */
  readonly name: string
  /** Stores `size` bytes under a key, replacing its object; returns the CID of the bytes. */
  put(
    key: string,
    body: ReadableStream<Uint8Array>,
    size: number
  ): Effect.Effect<string, BackupTargetFailed | BackupSourceFailed>
  /** The bytes under a key, or undefined. */
  get(
    key: string
  ): Effect.Effect<
    { readonly body: ReadableStream<Uint8Array>; readonly size: number } | undefined,
    BackupTargetFailed
  >
  /** A page of the objects below a prefix, in the order of their keys. */
  list(
    prefix: string,
    cursor?: string
  ): Effect.Effect<
    { readonly objects: ReadonlyArray<BackupObject>; readonly cursor?: string },
    BackupTargetFailed
  >
  /** Deletes keys; ignores missing ones. */
  delete(keys: ReadonlyArray<string>): Effect.Effect<void, BackupTargetFailed>
}

/** The backup store, if there is one. */
export const BackupTarget = Context.Reference<BackupTargetShape | undefined>(
  "nacre/services/BackupTarget",
  { defaultValue: () => undefined }
)

/** The backup store; fails if there is none. */
export const backupTarget = Effect.flatMap(BackupTarget, (target) =>
  target === undefined ? Effect.fail(new BackupsOff()) : Effect.succeed(target)
)
