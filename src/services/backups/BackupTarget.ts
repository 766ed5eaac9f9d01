import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The store of backups failed, is full, or could not be reached. */
export class BackupTargetFailed extends Schema.TaggedError<BackupTargetFailed>()(
  "BackupTargetFailed",
  { operation: Schema.String, key: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    const why = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `The backup store failed (${this.operation} ${this.key}): ${why}`
  }
}

/** What was to be backed up broke off while it was read. */
export class BackupSourceFailed extends Schema.TaggedError<BackupSourceFailed>()(
  "BackupSourceFailed",
  { key: Schema.String, cause: Schema.Defect() }
) {
  override get message(): string {
    return `Reading what belongs to ${this.key} broke off`
  }
}

/** This server has no store of backups. */
export class BackupsOff extends Schema.TaggedError<BackupsOff>()("BackupsOff", {}) {
  override get message(): string {
    return "No backup store is set up: bind a bucket as BACKUPS, or set BACKUP_S3_URL"
  }
}

/** An object of a backup is missing, was changed, or belongs to another server. */
export class BackupDamaged extends Schema.TaggedError<BackupDamaged>()("BackupDamaged", {
  key: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.key} ${this.problem}`
  }
}

/** An object in the store. */
export interface BackupObject {
  readonly key: string
  /** In bytes. */
  readonly size: number
}

/** Where backups are kept: apart from the server's own data. */
export interface BackupTargetShape {
  /** What people call it: the binding's name, or the address. */
  readonly name: string
  /** Stores `size` bytes in place of what is under the key; answers the CID of the bytes that it took. */
  put(
    key: string,
    body: ReadableStream<Uint8Array>,
    size: number
  ): Effect.Effect<string, BackupTargetFailed | BackupSourceFailed>
  /** The bytes under a key, or nothing when there are none. */
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
  /** Deletes keys; those that are not there are passed over. */
  delete(keys: ReadonlyArray<string>): Effect.Effect<void, BackupTargetFailed>
}

/** The store of backups, where one is set up. */
export const BackupTarget = Context.Reference<BackupTargetShape | undefined>(
  "nacre/services/BackupTarget",
  { defaultValue: () => undefined }
)

/** The store of backups. */
export const backupTarget = Effect.flatMap(BackupTarget, (target) =>
  target === undefined ? Effect.fail(new BackupsOff()) : Effect.succeed(target)
)
