import * as Effect from "effect/Effect"
import { KnownAccounts } from "../../services/accounts/KnownAccounts.ts"
import { countMissing } from "../limits/clientLimits.ts"

/**
 * Whether a DID that a stranger names has an account here; no object is woken for one that has none.
 *
 * The look-up of a missing one counts as many requests of its address. `fresh` asks the directory in any case.
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
