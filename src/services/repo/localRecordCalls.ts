/** One of the account's own records, as the repo holds it. */
export interface LocalRecord {
  readonly uri: string
  readonly cid: string
  /** When the commit was made that wrote it. */
  readonly indexedAt: string
  /** The record's JSON text. */
  readonly json: string
}

/** What the account has written that an app view does not know yet, and what is needed to show it. */
export interface LocalRecords {
  readonly handle: string
  /** Newest first, at most ten. */
  readonly posts: ReadonlyArray<LocalRecord>
  /** The profile record, new or not. */
  readonly profile?: LocalRecord
  readonly profileIsNew: boolean
}

/** The reading methods that the server itself asks an app view for, in its account's name. */
export type AppViewRead =
  | "app.bsky.feed.getFeedGenerators"
  | "app.bsky.feed.getPosts"
  | "app.bsky.feed.getPostThread"
  | "app.bsky.graph.getList"
  | "app.bsky.graph.getStarterPacks"
  | "app.bsky.labeler.getServices"
  | "app.bsky.unspecced.getPostThreadV2"

/** What the account's object does for read-after-write. */
export interface LocalRecordCalls {
  /** Posts and profile written after `since`, the rev that an app view has seen; nothing when there are none. */
  localRecords: { input: { readonly since: string }; output: LocalRecords | undefined }
  /** A service token by which the server asks the app view what it needs to show a new record. */
  signAppViewRead: {
    input: { readonly lxm: AppViewRead; readonly aud: string }
    output: { readonly token: string }
  }
}
