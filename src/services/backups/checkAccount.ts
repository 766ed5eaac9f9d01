import * as Effect from "effect/Effect"
import type { Fault } from "../../core/backups/manifests.ts"
import { BlobMeter } from "../../core/blobs/meter.ts"
import { Accounts } from "../accounts/Accounts.ts"
import type { Page } from "../blobs/BlobIndex.ts"
import { BlobStore } from "../blobs/BlobStore.ts"
import { KeyRotations } from "../identity/keys/KeyRotations.ts"
import type { KeptBlob } from "./AccountRows.ts"
import { exportOf } from "./backUpCar.ts"
import { BackupSourceFailed } from "./BackupTarget.ts"
import type { Budget } from "./Budget.ts"
import { guardedVerifier } from "./guardedVerifier.ts"

/** Reads a body piece by piece, yielding in between. */
const drain = Effect.fnUntraced(function* (
  key: string,
  body: ReadableStream<Uint8Array>,
  take: (piece: Uint8Array) => void
) {
  const reader = body.getReader()
  const reading = Effect.gen(function* () {
    while (true) {
      const { done, value } = yield* Effect.tryPromise({
        try: () => reader.read(),
        catch: (cause) => new BackupSourceFailed({ key, cause })
      })
      if (done) return
      take(value)
      yield* Effect.yieldNow
    }
  })
  yield* Effect.ensuring(reading, Effect.ignore(Effect.tryPromise(() => reader.cancel())))
})

/** Verifies the account's export; returns what is wrong with it. */
const checkRepo = Effect.fnUntraced(
  function* (did: string, signingKey: string) {
    const { body, status } = yield* exportOf(did)
    if (status !== 200 || body === null) {
      yield* Effect.ignore(Effect.tryPromise(() => body?.cancel() ?? Promise.resolve()))
      return `the export returned ${status}`
    }
    const verifier = guardedVerifier({ did, signingKey })
    yield* drain(did, body, verifier.push)
    const verified = verifier.end()
    return typeof verified === "string" ? `the export is damaged: ${verified}` : undefined
  },
  Effect.catchTag("BackupSourceFailed", () => Effect.succeed("the export broke off"))
)

/** Compares a blob's bytes with its CID; returns what is wrong. */
const checkBlob = Effect.fnUntraced(function* ({ cid, key, size }: KeptBlob) {
  const found = yield* (yield* BlobStore).get(key)
  if (found === undefined) return `the blob ${cid} is missing in the blob store`
  const meter = new BlobMeter()
  yield* drain(key, found.body, (piece) => meter.update(piece))
  const read = meter.finish()
  return read.cid === cid && read.size === size ? undefined : `the blob ${cid} has other bytes`
})

/** The result of a check; `after` is the blob after which the next call continues. */
export interface Checked {
  readonly did: string
  readonly records: number
  readonly nodes: number
  /** Blobs whose bytes were read. */
  readonly blobs: number
  /** Blobs that records refer to but nobody has uploaded, for example after a move. */
  readonly missing: number
  readonly problems: ReadonlyArray<string>
  readonly after?: string
}

/**
 * Checks an account while it stays in use: signature, tree, records, counts, references and the export; then the bytes of
 * its blobs, until the budget is spent.
 */
export const checkAccount = Effect.fn("checkAccount")(function* (
  did: string,
  after: string | undefined,
  budget: Budget
) {
  const accounts = yield* Accounts
  const problems: Array<string> = []
  let counts = { records: 0, nodes: 0, missing: 0 }
  if (after === undefined) {
    budget.spend(3)
    const before = yield* accounts.call(did, "backupState")
    const examined = yield* accounts.call(did, "examineRepo")
    const { found, nodes, records } = examined
    counts = { records, nodes, missing: before.awaited }
    problems.push(...examined.problems)
    if (found > examined.problems.length) {
      problems.push(`${found - examined.problems.length} more of the repo`)
    }
    // What the examination finds breaks the export too.
    const broken = found === 0 ? yield* checkRepo(did, before.signingKey) : undefined
    if (broken !== undefined) problems.push(broken)
  }
  let checked = 0
  let cursor = after
  do {
    const page: Page<KeptBlob> = yield* accounts.call(did, "backupBlobs", {
      limit: 100,
      ...(cursor === undefined ? {} : { cursor })
    })
    for (const blob of page.items) {
      budget.spend(1)
      const problem = yield* checkBlob(blob)
      if (problem !== undefined) problems.push(problem)
      checked += 1
    }
    cursor = page.cursor
  } while (cursor !== undefined && !(yield* budget.isSpent))
  return {
    did,
    ...counts,
    blobs: checked,
    problems,
    ...(cursor === undefined ? {} : { after: cursor })
  } satisfies Checked
})

/** Where a check of every account continues: after an account, or within the next one after a blob. */
export interface CheckPlace {
  readonly account: string
  readonly blob: string | undefined
}

const unreadable = "the account can't be read at the moment: the server's log says why"

/** A part of a check of every account. */
export interface ServerChecked {
  /** Accounts whose check ended in this part. */
  readonly accounts: number
  readonly blobs: number
  readonly problems: ReadonlyArray<Fault>
  /** Undefined once every account was checked. */
  readonly next: CheckPlace | undefined
}

/** Checks one account after another, as far as the budget allows. */
export const checkServer = Effect.fn("checkServer")(function* (from: CheckPlace, budget: Budget) {
  const { dids } = yield* KeyRotations
  const problems: Array<Fault> = []
  let { account, blob } = from
  let [accounts, blobs] = [0, 0]
  while (true) {
    const [did] = yield* dids(account, 1)
    if (did === undefined) return { accounts, blobs, problems, next: undefined }
    const checked = yield* checkAccount(did, blob, budget).pipe(
      // A sign-up on its way has no repo yet.
      Effect.catchTag("RepoNotFound", () => Effect.undefined),
      // A damaged account must not hold up the check of the others.
      Effect.catchTag("AccountUnavailable", () =>
        Effect.succeed({ after: undefined, blobs: 0, problems: [unreadable] })
      )
    )
    blob = checked?.after
    blobs += checked?.blobs ?? 0
    problems.push(...(checked?.problems ?? []).map((problem) => ({ did, problem })))
    if (blob === undefined) {
      account = did
      accounts += 1
    }
    if (yield* budget.isSpent) {
      return { accounts, blobs, problems, next: { account, blob } } satisfies ServerChecked
    }
  }
})
