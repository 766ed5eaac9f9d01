import * as Effect from "effect/Effect"
import { KnownAccounts } from "../../services/accounts/KnownAccounts.ts"
import { countMissing } from "../limits/clientLimits.ts"

/**
 * Whether an unverified DID has an account here; wakes no object for one without.
 *
 * Looking up a missing one counts as many requests of the client's address. `fresh` always asks the
 * directory.
 */
export const isHere = Effect.fnUntraced(function* (
  request: Request,
  did: string,
  options: { readonly fresh?: boolean } = {}
) {
  const { isHere: found, wasAsked } = yield* (yield* KnownAccounts).look(did, options)
  if (!found && wasAsked) yield* countMissing(request)
  return found
})
