import * as Context from "effect/Context"

/** What a moderator has taken down, in the account of this object. */
export type Subject =
  | { readonly kind: "account" }
  | { readonly kind: "record"; readonly path: string }
  | { readonly kind: "blob"; readonly cid: string }

/**
 * Under which reference the account, or a record of it, is taken down; a blob's stands in `BlobIndex`.
 *
 * A record that is taken down stays in the repo, and is left out where records are shown. It is known by its path:
 * written anew, it stays down.
 */
export class Takedowns extends Context.Service<
  Takedowns,
  {
    account(): string | undefined
    record(path: string): string | undefined
    /** The paths that are taken down in a collection. */
    inCollection(collection: string): ReadonlySet<string>
    setAccount(ref: string | undefined): void
    setRecord(path: string, ref: string | undefined): void
  }
>()("nacre/services/Takedowns") {}
