import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/**
 * The owner of each code for a new password (D1), because the reset request contains only the code.
 */
export class CodeOwners extends Context.Service<
  CodeOwners,
  {
    ownerOf(code: string): Answer<string | undefined>
    /** Replaces an account's code; `expiresAt` in milliseconds. */
    put(code: string, owner: { readonly did: string; readonly expiresAt: number }): Answer<void>
    remove(did: string): Answer<void>
    /** Accounts whose code is valid at a time (ms), the newest code first. */
    waiting(now: number, limit: number): Answer<ReadonlyArray<string>>
  }
>()("nacre/services/CodeOwners") {}
