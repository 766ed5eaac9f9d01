import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { PermissionSet } from "../../core/oauth/permissionSet.ts"

/** No permission set of this name can be found, or it is none. */
export class PermissionSetNotFound extends Schema.TaggedError<PermissionSetNotFound>()(
  "PermissionSetNotFound",
  { nsid: Schema.String, reason: Schema.String }
) {}

/**
 * Permission sets (`include:` scopes), found by DNS and the authority's PDS, with the record's proof checked.
 *
 * A set is asked for again when it is older than a day; while its authority cannot be reached it stays
 * good for 90 days, or for an hour before anybody has agreed to it. Spec: permission, lexicon resolution.
 */
export class PermissionSets extends Context.Service<
  PermissionSets,
  {
    /** `agreed`: somebody has agreed to what the set holds, so it is worth keeping. */
    get(
      nsid: string,
      options?: { readonly agreed?: boolean }
    ): Effect.Effect<PermissionSet, PermissionSetNotFound>
  }
>()("nacre/services/PermissionSets") {}
