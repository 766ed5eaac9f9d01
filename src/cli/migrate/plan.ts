import * as Effect from "effect/Effect"
import { CallFailed } from "../failure.ts"
import { shownPdsOf } from "../identity/lookup.ts"
import { facts, note, report } from "../output.ts"
import type { Session } from "../session.ts"
import { accountStatusAt, documentOf, hostOf, standingAt } from "./network.ts"
import type { Sorted } from "./rotationKeys.ts"

/** Tells what a move would do, and does nothing. */
export const planOf = Effect.fn("cli.planOf")(function* ({
  from,
  to,
  handle,
  keys
}: {
  readonly from: Session
  readonly to: string
  readonly handle: string
  readonly keys: Sorted
}) {
  const { did } = from
  const host = yield* hostOf(to)
  const standing = yield* standingAt({ server: to }, did)
  const status = yield* Effect.catchIf(
    accountStatusAt(from),
    // One who is taken down may not ask.
    (error) => error instanceof CallFailed && error.status < 500,
    () => Effect.undefined
  )
  const { own, theirs } = keys
  const answer = {
    dryRun: true,
    did,
    from: from.server,
    to,
    handle,
    records: status?.indexedRecords,
    blobs: status?.importedBlobs,
    isThere: standing !== undefined,
    inviteNeeded: standing === undefined && host.inviteCodeRequired === true,
    keysThatStay: own,
    keysThatGo: theirs,
    leadsTo: shownPdsOf(yield* documentOf(did))
  }
  yield* report(answer, (all) =>
    facts([
      ["Account", `${from.handle} (${did})`],
      ["From", all.from],
      ["To", all.to],
      ["Handle there", handle],
      ["Records", String(all.records ?? "unknown")],
      ["Blobs", String(all.blobs ?? "unknown")],
      ["Is there already", all.isThere ? "yes" : "no"],
      ["Invite needed", all.inviteNeeded ? "yes: --invite" : "no"],
      ["Keys that stay", own.join("\n") || "none: name or make one with --recovery-key"],
      ["Keys that go", theirs.join("\n") || "none"],
      ["DID leads to", all.leadsTo]
    ])
  )
  if (own.length > 0) {
    yield* note("A key that stays is the owner's. One that is not yours: --drop-key <did:key>")
  }
  yield* note("Nothing was done.")
})
