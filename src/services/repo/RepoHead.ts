import * as Context from "effect/Context"
import type { Head } from "./Repo.ts"
import type { Spent } from "./write/points.ts"

/**
 * Stores the repo's head in this object, in one transaction with everything that a commit stores.
 */
export class RepoHead extends Context.Service<
  RepoHead,
  {
    /** The head and the spent write points; undefined before the repo exists. */
    read(): { readonly head: Head; readonly spent: Spent } | undefined
    /** The id of the last event that entered the outbox; 0 before the first. */
    lastEvent(): number
    write(head: Head, spent: Spent, event: number): void
    /** Stores everything that `change` stores, or nothing; see SqlStorage. */
    transaction<A>(change: () => A, sync?: "shared"): A
  }
>()("nacre/services/RepoHead") {}
