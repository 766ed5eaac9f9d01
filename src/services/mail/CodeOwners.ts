import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** Whose code for a new password it is (D1): who resets a password says nothing but the code. */
export class CodeOwners extends Context.Service<
  CodeOwners,
  {
    ownerOf(code: string): Answer<string | undefined>
    /** Notes an account's code in place of the one before; `expiresAt` in milliseconds. */
    put(code: string, owner: { readonly did: string; readonly expiresAt: number }): Answer<void>
    remove(did: string): Answer<void>
  }
>()("nacre/services/CodeOwners") {}
