import * as Effect from "effect/Effect"
import type { PermissionSet } from "../../oauth/permissionSet.ts"
import { expand, includesOf } from "../../oauth/scopes.ts"
import { PermissionSets } from "../PermissionSets.ts"
import { RequestRefused } from "./failures.ts"

/** Each set may cost several requests to servers that the client chose. */
const maxSets = 10

const namesIn = (scope: string): ReadonlyArray<string> => [
  ...new Set(includesOf(scope).map(({ nsid }) => nsid))
]

/** The permission sets that a scope includes; every one must be found. */
export const findSets = Effect.fn("findSets")(function* (scope: string) {
  const names = namesIn(scope)
  if (names.length > maxSets) {
    return yield* new RequestRefused({
      error: "invalid_scope",
      reason: `A request may include ${maxSets} permission sets at most`
    })
  }
  const sets = yield* PermissionSets
  const found = yield* Effect.forEach(names, (nsid) => sets.get(nsid), { concurrency: 4 })
  return new Map(found.map((set) => [set.nsid, set]))
})

/** What a scope grants: with its permission sets expanded. */
export const expandScope = (scope: string) =>
  Effect.map(findSets(scope), (sets) => expand(scope, sets))

/** The same for a scope that was granted before: a set that is there no more grants nothing, the rest goes on. */
export const expandAgain = Effect.fn("expandAgain")(function* (scope: string) {
  const sets = yield* PermissionSets
  const found = yield* Effect.forEach(
    namesIn(scope),
    (nsid) =>
      sets
        .get(nsid)
        .pipe(
          Effect.catchTag("PermissionSetNotFound", ({ reason }) =>
            Effect.as(Effect.logWarning("a permission set is gone", { nsid, reason }), undefined)
          )
        ),
    { concurrency: 4 }
  )
  const present = found.filter((set): set is PermissionSet => set !== undefined)
  return expand(scope, new Map(present.map((set) => [set.nsid, set])))
})
