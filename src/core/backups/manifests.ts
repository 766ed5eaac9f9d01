import * as Schema from "effect/Schema"

/** An object of the backup, by its key: what was written and what must be read. */
const Stored = Schema.Struct({
  key: Schema.String,
  /** In bytes. */
  size: Schema.Int,
  /** The CID of its bytes (raw, SHA-256). */
  digest: Schema.String
})

/** An object of the backup, by its key: what was written and what must be read. */
export type Stored = typeof Stored.Type

/** An account as one run found it. */
export const AccountManifest = Schema.Struct({
  type: Schema.Literal("nacre-backup-account"),
  version: Schema.Literal(1),
  did: Schema.String,
  run: Schema.String,
  /** ISO. */
  madeAt: Schema.String,
  /** The repo's commit, as its CAR has it. */
  commit: Schema.String,
  rev: Schema.String,
  records: Schema.Int,
  nodes: Schema.Int,
  /** The did:key that the commit is signed with. */
  signingKey: Schema.String,
  car: Stored,
  /** Rows of the account and of the directory, sealed. */
  private: Stored,
  blobs: Schema.Struct({
    count: Schema.Int,
    bytes: Schema.Int,
    /** Lists of `BlobEntry`. */
    lists: Schema.Array(Stored),
    /** Blobs that records refer to and that this server never had, or no longer has. */
    missing: Schema.Int
  })
})

/** An account as one run found it. */
export type AccountManifest = typeof AccountManifest.Type

/** A blob of an account. */
const BlobEntry = Schema.Struct({
  cid: Schema.String,
  size: Schema.Int,
  mimeType: Schema.String
})

/** A blob of an account. */
export type BlobEntry = typeof BlobEntry.Type

/** A page of an account's list of blobs. */
export const BlobList = Schema.Array(BlobEntry)

/** An account of a run: which of its versions stands for it. */
const AccountEntry = Schema.Struct({ did: Schema.String, version: Schema.String })

/** An account of a run: which of its versions stands for it. */
export type AccountEntry = typeof AccountEntry.Type

/** A page of a run's accounts. */
export const AccountList = Schema.Array(AccountEntry)

/** Something that a run could not do, or found wrong. */
const Fault = Schema.Struct({
  did: Schema.optionalKey(Schema.String),
  /** The object of the backup, where one is at fault. */
  key: Schema.optionalKey(Schema.String),
  problem: Schema.String
})

/** Something that a run could not do, or found wrong. */
export type Fault = typeof Fault.Type

/** A whole run: the server as it was. */
export const RunManifest = Schema.Struct({
  type: Schema.Literal("nacre-backup-run"),
  version: Schema.Literal(1),
  run: Schema.String,
  /** The server's origin. */
  server: Schema.String,
  software: Schema.String,
  startedAt: Schema.String,
  finishedAt: Schema.String,
  accounts: Schema.Int,
  /** Accounts with a version of this run. */
  changed: Schema.Int,
  /** The newest number of the event stream. */
  seq: Schema.Int,
  pages: Schema.Array(Stored),
  host: Schema.Array(Stored),
  faults: Schema.Array(Fault)
})

/** A whole run: the server as it was. */
export type RunManifest = typeof RunManifest.Type

/** Whose backups a target holds. */
export const Mark = Schema.Struct({
  type: Schema.Literal("nacre-backup"),
  version: Schema.Literal(1),
  /** Of this target, at random: an empty bucket that takes its place is known as another one. */
  id: Schema.String,
  /** The server's origin. */
  server: Schema.String
})

/** Whose backups a target holds. */
export type Mark = typeof Mark.Type
