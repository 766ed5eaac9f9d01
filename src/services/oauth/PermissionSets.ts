import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { PermissionSet } from "../../core/oauth/permissionSet.ts"

/** The permission set doesn't exist, or isn't one. */
export class PermissionSetNotFound extends Schema.TaggedError<PermissionSetNotFound>()(
  "PermissionSetNotFound",
  { nsid: Schema.String, reason: Schema.String }
) {}

/**
 * Permission sets (`include:` scopes), found with DNS and the authority's PDS, with a verified
 * proof of the record.
 *
 * A set is looked up again after a day; while its authority is unreachable it stays valid for 90
 * days, or for an hour before anyone has agreed to it. Spec: permission, lexicon resolution.
 */
export class PermissionSets extends Context.Service<
  PermissionSets,
  {
    /** `agreed`: somebody has agreed to the set, so it is worth storing. */
    get(
      nsid: string,
      options?: { readonly agreed?: boolean }
    ): Effect.Effect<PermissionSet, PermissionSetNotFound>
  }
>()("nacre/services/PermissionSets") {}
