import * as Context from "effect/Context"

/** A possible target of a takedown in this object's account. */
export type Subject =
  | { readonly kind: "account" }
  | { readonly kind: "record"; readonly path: string }
  | { readonly kind: "blob"; readonly cid: string }

/**
 * The references under which the account or its records are taken down; `BlobIndex` has those of
 * blobs.
 *
 * A record that is taken down stays in the repo but is hidden. It is identified by its path, so it
 * stays down when it is written again.
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
