import * as Effect from "effect/Effect"
import { fromBase64Url, toBase64Url } from "../../../core/bytes/base64url.ts"
import type { Keys } from "../Keys.ts"

/** A row of reserved keys under the current master key; undefined if it already is. */
export const rewrapReserved = <R extends { readonly did_key: string; readonly wrapped: string }>(
  keys: Keys["Service"],
  row: R
): Effect.Effect<R | "unreadable" | undefined> => {
  const wrapped = fromBase64Url(row.wrapped)
  if (wrapped === undefined) return Effect.succeed("unreadable")
  return Effect.match(keys.rewrap(row.did_key, wrapped), {
    onSuccess: (key) => (key === undefined ? undefined : { ...row, wrapped: toBase64Url(key) }),
    onFailure: () => "unreadable" as const
  })
}
