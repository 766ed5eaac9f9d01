import * as Cause from "effect/Cause"
import { unavailable, type WireError } from "../wire.ts"

/** The messages of SQLite and Node for a disk that takes no more, and what they mean for a caller. */
const faults: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /database or disk is full|\bENOSPC\b/,
    "This server can't store anything more: its disk is full"
  ],
  [
    /readonly database|\bEROFS\b/,
    "This server can't store anything: its disk can only be read at the moment"
  ]
]

/** The messages of an error and of its causes. */
const textOf = (error: unknown): string => {
  const texts: Array<string> = []
  let at = error
  for (let depth = 0; depth < 6 && at instanceof Error; depth++, at = at.cause) {
    texts.push(at.message)
  }
  return texts.join("\n")
}

/** The error for a request that the disk couldn't take; undefined for any other cause. */
export const storageFault = (cause: Cause.Cause<unknown>): WireError | undefined => {
  const text = textOf(Cause.squash(cause))
  const found = faults.find(([pattern]) => pattern.test(text))
  return found === undefined ? undefined : unavailable(found[1])
}
