import type { Bounds } from "../host/sql/bounds.ts"
/**
 * The log's tables, chosen for the fewest billed rows: an event is one row when it is written and
 * one when it is pruned, a repo's head one row each time, a collection two when it appears or vanishes.
 */
export const tables = [
  // The number is the rowid; `nth` counts events without reading them; `did` stands before the frame,
  // so that a search for it reads no frames.
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
  // A sign-up, an import and a deletion look for one repo's collections among those of all.
  "CREATE INDEX IF NOT EXISTS collection_by_did ON collection (did)",
  "CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
]

/** What bounds these tables. */
export const bounds: Bounds = {
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
    bound: "100 that read, 20 that went, one row a relay",
    bytes: 256 * 1024,
    per: "host"
  }
}
