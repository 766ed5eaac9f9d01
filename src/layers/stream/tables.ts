import type { Bounds } from "../host/sql/bounds.ts"
/**
 * The log's tables, designed for the fewest billed rows: one for an event, one for its removal, one
 * for each move of a repo's head, two for a collection that appears or vanishes.
 */
export const tables = [
  // The sequence number is the rowid; `nth` counts events without reading them; `did` is before the
  // frame, so a search for it reads no frames.
  `CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY, nth INTEGER NOT NULL, did TEXT NOT NULL, frame BLOB NOT NULL
  )`,
  `CREATE TABLE IF NOT EXISTS event_part (
    seq INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (seq, part)
  ) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS repo (
    did TEXT PRIMARY KEY, ordinal INTEGER NOT NULL, last_id INTEGER NOT NULL,
    head TEXT, rev TEXT, active INTEGER NOT NULL, status TEXT
  ) WITHOUT ROWID`,
  // Written when a repo appears, not when its head moves.
  "CREATE UNIQUE INDEX IF NOT EXISTS repo_by_ordinal ON repo (ordinal)",
  "CREATE INDEX IF NOT EXISTS repo_gone ON repo (last_id) WHERE status = 'deleted'",
  `CREATE TABLE IF NOT EXISTS collection (
    collection TEXT NOT NULL, did TEXT NOT NULL, PRIMARY KEY (collection, did)
  ) WITHOUT ROWID`,
  // A sign-up, an import and a deletion look up one repo's collections.
  "CREATE INDEX IF NOT EXISTS collection_by_did ON collection (did)",
  "CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
]

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  event: {
    filledBy: "every account",
    bound: "6 GB with `event_part`: the oldest go, whatever their age; 72 hours each",
    bytes: 6_000_000_000,
    per: "host"
  },
  event_part: {
    filledBy: "every account",
    bound: "the rest of long frames of `event`",
    bytes: 6_000_000_000,
    per: "host"
  },
  repo: {
    filledBy: "a sign-up",
    bound: "one row an account",
    bytes: 5 * 1024,
    per: "account"
  },
  collection: {
    filledBy: "its owner's writes",
    bound: "1,000 collections an account",
    bytes: 1000 * 5 * 1024,
    per: "account"
  },
  note: {
    filledBy: "readers of the stream",
    bound: "100 that read, 20 that went, one row a relay, and one of 4 KiB for the host",
    bytes: 256 * 1024,
    per: "host"
  }
})
