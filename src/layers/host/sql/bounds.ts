/** What bounds a store: a row of the table in docs/contribute/security/limits.md. */
interface Bound {
  /** Who makes the server keep something in it. */
  readonly filledBy: string
  /** What bounds it, in words. */
  readonly bound: string
  /** The most bytes, rounded up: of the whole store, or of one account's share of it. */
  readonly bytes: number
  readonly per: "host" | "account"
}

/**
 * The bounds of a layer's stores, by the name of the table.
 *
 * They are literals, so that the bundle leaves them out; a row that holds a DID is taken for 5 KiB, any other short one
 * for 1 KiB, index entries included, and an object for the 10 GB that the platform stores for it.
 */
export type Bounds = Readonly<Record<string, Bound>>
