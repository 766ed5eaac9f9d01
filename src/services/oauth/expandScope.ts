import * as Effect from "effect/Effect"
import type { PermissionSet } from "../../core/oauth/permissionSet.ts"
import { expand, includesOf, isModest } from "../../core/oauth/scopes.ts"
import { PermissionSets } from "./PermissionSets.ts"
import { RequestRefused } from "./failures.ts"
import { spanned } from "../operators/spanned.ts"

/** Each set may cost several requests to servers that the client chose. */
const maxSets = 10

const namesIn = (scope: string): ReadonlyArray<string> => [
  ...new Set(includesOf(scope).map(({ nsid }) => nsid))
]

const tooMuch = (reason: string) => new RequestRefused({ error: "invalid_scope", reason })

/** The permission sets that a scope includes; all must exist and fit together. */
export const findSets = spanned("findSets")(function* (
  scope: string,
  options: { readonly agreed?: boolean } = {}
) {
  const names = namesIn(scope)
  if (names.length > maxSets) {
    return yield* tooMuch(`A request may include ${maxSets} permission sets at most`)
  }
  const sets = yield* PermissionSets
  const found = yield* Effect.forEach(names, (nsid) => sets.get(nsid, options), { concurrency: 4 })
  const byName = new Map(found.map((set) => [set.nsid, set]))
  return isModest(scope, byName)
    ? byName
    : yield* tooMuch("The permission sets of the request hold too much")
})

/** What a scope grants, with its permission sets expanded. */
export const expandScope = (scope: string) =>
  Effect.map(findSets(scope, { agreed: true }), (sets) => expand(scope, sets))

/**
 * Expands a scope that was granted before; sets that are gone or too large now grant nothing, and
 * the rest stays.
 */
export const expandAgain = spanned("expandAgain")(function* (scope: string) {
  const sets = yield* PermissionSets
  const found = yield* Effect.forEach(
    namesIn(scope),
    (nsid) =>
      sets
        .get(nsid, { agreed: true })
        .pipe(
          Effect.catchTag("PermissionSetNotFound", ({ reason }) =>
            Effect.as(Effect.logWarning("a permission set is gone", { nsid, reason }), undefined)
          )
        ),
    { concurrency: 4 }
  )
  const present = found.filter((set): set is PermissionSet => set !== undefined)
  const byName = new Map(present.map((set) => [set.nsid, set]))
  if (isModest(scope, byName)) return expand(scope, byName)
  yield* Effect.logWarning("permission sets have grown too much", { names: namesIn(scope) })
  return expand(scope, new Map())
})
