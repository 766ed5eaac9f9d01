import * as Context from "effect/Context"
import type { Head } from "./Repo.ts"
import type { Spent } from "./write/points.ts"

/** Stores the head of the repo in this object, and makes one transaction of what is stored with it. */
export class RepoHead extends Context.Service<
  RepoHead,
  {
    /** The head, and the points that writes have spent; nothing before the repo is made. */
    read(): { readonly head: Head; readonly spent: Spent } | undefined
    /** The id of the last event that the outbox was given; 0 before the first. */
    lastEvent(): number
    write(head: Head, spent: Spent, event: number): void
    /** Stores all of what `change` stores, or nothing. */
    transaction<A>(change: () => A): A
  }
>()("nacre/services/RepoHead") {}
