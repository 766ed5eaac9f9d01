import * as Result from "effect/Result"
import type { Catalog } from "../../../core/lexicon/Catalog.ts"
import { unsignedCommitBytes } from "../../../core/repo/commit.ts"
import type { BlobIndex } from "../../blobs/BlobIndex.ts"
import { RateLimitExceeded } from "../../limits/Limiter.ts"
import type { Records } from "../Records.ts"
import {
  type Committed,
  InvalidSwap,
  type Write,
  type WriteFailure,
  type WriteOptions
} from "../Repo.ts"
import { type Applied, applyChanges } from "./assemble.ts"
import { newReferences } from "./earlierBlobs.ts"
import { type Change, plan } from "./plan.ts"
import { pointsOf, spend, type Spent } from "./points.ts"
import { prepareWrites } from "./prepare.ts"
import type { RepoState } from "./RepoState.ts"

/** A commit that lacks only its signature. */
export interface Unsigned {
  readonly current: RepoState
  readonly applied: Applied
  readonly changes: ReadonlyArray<Change>
  readonly spent: Spent
  readonly now: number
  readonly rev: string
}

/** The results of writes, and the commit that makes them true; none if they change nothing. */
export interface Judged {
  readonly results: Committed["results"]
  readonly unsigned: Unsigned | undefined
}

/** The bytes of a commit that are signed. */
export const bytesToSign = ({ current: { did }, applied: { root }, rev }: Unsigned): Uint8Array =>
  unsignedCommitBytes({ did, data: root, rev })

/** Checks the writes of a request and applies them to the tree, in this turn; stores nothing. */
export const judgeWrites = (
  current: RepoState,
  writes: ReadonlyArray<Write>,
  { validate, swapCommit, replaceDuplicates = false }: WriteOptions,
  {
    stores: { records, blobs },
    lexicons,
    isLimited,
    now,
    tid
  }: {
    readonly stores: {
      readonly records: Records["Service"]
      readonly blobs: BlobIndex["Service"]
    }
    readonly lexicons: Catalog
    readonly isLimited: boolean
    readonly now: number
    readonly tid: (now: number) => string
  }
): Result.Result<Judged, WriteFailure> => {
  const { head, tree, did } = current
  const prepared = prepareWrites(writes, { lexicons, validate, nextRkey: () => tid(now) })
  if (Result.isFailure(prepared)) return Result.fail(prepared.failure)
  if (swapCommit !== undefined && !swapCommit.equals(head.commit)) {
    return Result.fail(new InvalidSwap({ message: `Commit was at ${head.commit.toString()}` }))
  }
  const at = (path: string) => tree.get(path)
  const planned = plan(did, prepared.success, at, records, replaceDuplicates)
  if (Result.isFailure(planned)) return Result.fail(planned.failure)
  const { changes, results } = planned.success
  if (changes.length === 0) return Result.succeed({ results, unsigned: undefined })
  for (const { path, before, after } of changes) {
    if (after === undefined || after.blobs.length === 0) continue
    const earlier = before === undefined ? undefined : records.get(path)
    const refused = blobs.check(newReferences(after.blobs, earlier, blobs))
    if (refused !== undefined) return Result.fail(refused)
  }
  const applied = applyChanges(tree, changes)
  if (Result.isFailure(applied)) return Result.fail(applied.failure)
  const spent = isLimited
    ? spend(current.spent, pointsOf(writes, applied.success.bytes), now)
    : Result.succeed(current.spent)
  if (Result.isFailure(spent)) return Result.fail(new RateLimitExceeded(spent.failure))
  const parts = { current, applied: applied.success, changes, spent: spent.success, now }
  return Result.succeed({ results, unsigned: { ...parts, rev: tid(now) } })
}
