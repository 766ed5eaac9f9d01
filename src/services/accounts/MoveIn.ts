import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { RepoNotFound } from "./AccountStore.ts"

/** The notes of a move to this server by the account's pages, sealed, until the move has ended. */
export class MoveIn extends Context.Service<
  MoveIn,
  {
    readonly get: Effect.Effect<string | undefined, RepoNotFound>
    set(text: string | undefined): Effect.Effect<void, RepoNotFound>
  }
>()("nacre/services/MoveIn") {}
