import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import { checkHandle } from "../../core/identity/handle.ts"
import {
  type HandleSuggestion,
  suggestHandles,
  type WantedHandle
} from "../../core/identity/handleSuggestions.ts"
import { normalizeHandle } from "../../core/lexicon/syntax.ts"
import { Config } from "../host/Config.ts"
import { Directory } from "../accounts/Directory.ts"

/** Whether a handle is available, or which alternatives are. */
export type HandleAvailability =
  | { readonly available: true }
  | { readonly available: false; readonly suggestions: ReadonlyArray<HandleSuggestion> }

/** Suggestions to look up, and to return: each look-up reads a row. */
const most = { tried: 10, answered: 5 }

const randomNumbers = Effect.all([
  Random.nextIntBetween(2, 10),
  Random.nextIntBetween(10, 100),
  Random.nextIntBetween(100, 1000),
  Random.nextIntBetween(1000, 10_000),
  Random.nextIntBetween(1000, 10_000)
])

/**
 * Whether a new account could take the handle: it is under a domain of this host, and neither taken
 * nor recently given up.
 */
const isFree = Effect.fnUntraced(function* (handle: string) {
  const { handleDomains, host, isLocal } = yield* Config
  const checked = checkHandle(handle, { serviceDomains: handleDomains, host, allowTest: isLocal })
  if (Result.isFailure(checked) || !checked.success.hosted) return false
  return (yield* (yield* Directory).holderOf(checked.success.handle)) === undefined
})

/** Checks whether a new account could take the handle, and suggests free ones if not. */
export const handleAvailability = Effect.fn("handleAvailability")(function* (wanted: WantedHandle) {
  const handle = normalizeHandle(wanted.handle)
  if (yield* isFree(handle)) return { available: true } satisfies HandleAvailability
  const { handleDomains } = yield* Config
  const likely = suggestHandles({ ...wanted, handle }, handleDomains, yield* randomNumbers)
  const free = yield* Effect.filter(likely.slice(0, most.tried), (one) => isFree(one.handle), {
    concurrency: "unbounded"
  })
  return {
    available: false,
    suggestions: free.slice(0, most.answered)
  } satisfies HandleAvailability
})
