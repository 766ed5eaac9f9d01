import * as Effect from "effect/Effect"
import { CallFailed } from "../failure.ts"
import { shownPdsOf } from "../identity/lookup.ts"
import { facts, note, report } from "../output.ts"
import type { Session } from "../session.ts"
import { accountStatusAt, documentOf, hostOf, standingAt } from "./network.ts"
import type { Sorted } from "../../core/identity/movedData.ts"

/** Prints the plan of a move without moving. */
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
    // The old server rejects the request for an account that was taken down.
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
      ["New handle", handle],
      ["Records", String(all.records ?? "unknown")],
      ["Blobs", String(all.blobs ?? "unknown")],
      ["Already there", all.isThere ? "yes" : "no"],
      ["Invite needed", all.inviteNeeded ? "yes: --invite" : "no"],
      ["Keys kept", own.join("\n") || "none: add one with --recovery-key"],
      ["Keys removed", theirs.join("\n") || "none"],
      ["DID points to", all.leadsTo]
    ])
  )
  if (own.length > 0) {
    yield* note("Check that the kept keys are yours. To remove one: --drop-key <did:key>")
  }
  yield* note("This was a dry run: nothing has changed.")
})
