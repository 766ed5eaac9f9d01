/** A store's limit: a row of the table in docs/contribute/security/limits.md. */
interface Bound {
  /** Who makes the server store something. */
  readonly filledBy: string
  /** The limit in words. */
  readonly bound: string
  /** The most bytes, rounded up: of the whole store, or of one account's share. */
  readonly bytes: number
  readonly per: "host" | "account"
}

/**
 * The limits of a layer's stores, by table name.
 *
 * A row with a DID counts as 5 KiB, any other short one as 1 KiB, including index entries, and an
 * object as the platform's 10 GB. The bundle leaves them out, because a layer
 * exports a function: esbuild keeps an unused object that contains arithmetic.
 */
export type Bounds = Readonly<Record<string, Bound>>
