/** A permission set as its lexicon publishes it (`com.atproto.lexicon.schema`, type `permission-set`). */
export interface PermissionSet {
  readonly nsid: string
  readonly title?: string
  readonly detail?: string
  /** Titles and details by language tag, as `title:lang` and `detail:lang` hold them. */
  readonly titles?: Readonly<Record<string, string>>
  readonly details?: Readonly<Record<string, string>>
  /** The entries as they stand in the lexicon, in the data model; those that mean nothing grant nothing. */
  readonly permissions: ReadonlyArray<Readonly<Record<string, unknown>>>
}
