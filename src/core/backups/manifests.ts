import * as Schema from "effect/Schema"

/** An object in the backup store: its key, and the size and digest that a reader must find. */
const Stored = Schema.Struct({
  key: Schema.String,
  /** In bytes. */
  size: Schema.Int,
  /** The CID of its bytes (raw, SHA-256). */
  digest: Schema.String
})

/** An object in the backup store: its key, and the size and digest that a reader must find. */
export type Stored = typeof Stored.Type

/** An account's state in one run. */
export const AccountManifest = Schema.Struct({
  type: Schema.Literal("nacre-backup-account"),
  version: Schema.Literal(1),
  did: Schema.String,
  run: Schema.String,
  /** ISO. */
  madeAt: Schema.String,
  /** The CID of the commit in the CAR. */
  commit: Schema.String,
  rev: Schema.String,
  records: Schema.Int,
  nodes: Schema.Int,
  /** The did:key that the commit is signed with. */
  signingKey: Schema.String,
  car: Stored,
  /** The account's rows and its directory rows, sealed. */
  private: Stored,
  blobs: Schema.Struct({
    count: Schema.Int,
    bytes: Schema.Int,
    /** Lists of `BlobEntry`. */
    lists: Schema.Array(Stored),
    /** The number of blobs that records refer to but the server doesn't have. */
    missing: Schema.Int
  })
})

/** An account's state in one run. */
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

/** An account in a run, and the version that belongs to the run. */
const AccountEntry = Schema.Struct({ did: Schema.String, version: Schema.String })

/** An account in a run, and the version that belongs to the run. */
export type AccountEntry = typeof AccountEntry.Type

/** A page of a run's accounts. */
export const AccountList = Schema.Array(AccountEntry)

/** A failure or damage that a run found. */
const Fault = Schema.Struct({
  did: Schema.optionalKey(Schema.String),
  /** The damaged object, if it is about one. */
  key: Schema.optionalKey(Schema.String),
  problem: Schema.String
})

/** A failure or damage that a run found. */
export type Fault = typeof Fault.Type

/** A run: the state of the whole server. */
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

/** A run: the state of the whole server. */
export type RunManifest = typeof RunManifest.Type

/** Identifies the server whose backups a store holds. */
export const Mark = Schema.Struct({
  type: Schema.Literal("nacre-backup"),
  version: Schema.Literal(1),
  /** Random, so a new empty bucket isn't mistaken for this store. */
  id: Schema.String,
  /** The server's origin. */
  server: Schema.String
})

/** Identifies the server whose backups a store holds. */
export type Mark = typeof Mark.Type
