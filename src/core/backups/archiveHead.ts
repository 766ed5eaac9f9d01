/** A file with the records of a collection, in an archive. */
export interface ArchivedCollection {
  readonly collection: string
  readonly records: number
  /** In bytes. */
  readonly size: number
}

/** What a stream of an account's records holds: a line with this, the CAR, then each collection. */
export interface ArchiveHead {
  readonly commit: string
  readonly rev: string
  /** The length of the CAR, in bytes. */
  readonly car: number
  readonly collections: ReadonlyArray<ArchivedCollection>
}
