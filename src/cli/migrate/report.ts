import * as Effect from "effect/Effect"
import { didMethod } from "../../core/identity/did.ts"
import { plcDataOf } from "../identity/lookup.ts"
import { facts, note, report } from "../output.ts"
import type { Session } from "../session.ts"
import { listMissingBlobs } from "../backup/sending.ts"
import { accountStatusAt } from "./network.ts"
import type { Taken } from "./steps.ts"

/** Reports the result of a move, or of the steps that were asked for. */
export const tellMoved = Effect.fnUntraced(function* (
  {
    did,
    from,
    to
  }: { readonly did: string; readonly from: string | undefined; readonly to: Session },
  steps: ReadonlyArray<Taken>
) {
  const status = yield* accountStatusAt(to)
  const missingBlobs = yield* listMissingBlobs(to)
  const rotationKeys = didMethod(did) === "plc" ? (yield* plcDataOf(did)).rotationKeys : undefined
  const { server, handle } = to
  const { activated, validDid, indexedRecords, expectedBlobs, importedBlobs } = status
  const answer = {
    did,
    handle,
    from,
    to: server,
    activated,
    validDid,
    records: indexedRecords,
    blobs: { expected: expectedBlobs, imported: importedBlobs, missing: missingBlobs },
    rotationKeys,
    steps
  }
  yield* report(answer, () =>
    facts([
      ["Account", `${handle} (${did})`],
      ["Server", server],
      ["Records", String(indexedRecords)],
      ["Blobs", `${importedBlobs} of ${expectedBlobs}`],
      ["DID points here", validDid ? "yes" : "not yet"],
      ["Active", activated ? "yes" : "not yet"],
      ...(rotationKeys ?? []).map((key, at) => [`Rotation key ${at + 1}`, key] as const)
    ])
  )
  if (!activated) yield* note("Run the command again to continue.")
})
