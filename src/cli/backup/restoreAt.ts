import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isDatetime } from "../../core/lexicon/syntax.ts"
import { Did, Words } from "../answers.ts"
import { administrator } from "../administrator.ts"
import { Failed } from "../failure.ts"
import { wholeHandle } from "../handles.ts"
import { facts, report } from "../output.ts"
import { confirm, part } from "./restoring.ts"

const Returned = Schema.Struct({
  did: Did,
  at: Words,
  rev: Words,
  records: Schema.Int,
  blobs: Schema.Int,
  gone: Schema.Array(Words),
  goneCount: Schema.Int
})

/** Puts an account back to a time, where the platform keeps earlier states. */
export const restoreAt = Effect.fnUntraced(function* (given: string, at: string, isSure: boolean) {
  if (!isDatetime(at)) {
    return yield* new Failed({
      message: `${at} isn't a time`,
      next: "Write it with the date and the zone, such as 2026-01-01T03:00:00Z."
    })
  }
  const admin = yield* administrator
  const account = given.startsWith("did:") ? given : yield* wholeHandle(admin.server, given)
  yield* confirm(account, isSure, at)
  const returned = yield* part(admin, "restore-at", Returned, { account, at })
  yield* report(returned, ({ did, at: then, rev, records, blobs }) =>
    facts([
      ["Account", did],
      ["Restored to", `${then}. Everything later is gone`],
      ["Records", String(records)],
      ["Rev", rev],
      ["Blobs from backups", blobs === 0 ? undefined : String(blobs)],
      ["Unchanged", "the handle, password and other sign-in methods; apps sign in again"]
    ])
  )
  const { gone, goneCount } = returned
  if (goneCount === 0) return
  return yield* new Failed({
    message: `${goneCount} blobs that records refer to are gone:\n${gone.map((cid) => `  ${cid}`).join("\n")}`,
    next: "Everything else is restored."
  })
})
