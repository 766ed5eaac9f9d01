import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { fetchBlob } from "../backup/fetching.ts"
import { listMissingBlobs, sendBlob } from "../backup/sending.ts"
import { type CidText, isCidText } from "../answers.ts"
import { type CliFailure, explain, Failed } from "../failure.ts"
import { note } from "../output.ts"
import { briefly } from "../patience.ts"
import { type Progress, withProgress } from "../progress.ts"
import type { Move } from "./steps.ts"
import { query } from "../xrpc.ts"
import { accountStatusAt } from "./network.ts"

/** How many blobs are copied in parallel. */
const together = 4

/**
 * Whether the old server has lost the blob: it says so, can't confirm that it has it, or sends
 * other bytes.
 */
const isGone = (error: CliFailure): boolean =>
  error._tag === "Damaged" ||
  (error._tag === "CallFailed" &&
    error.nsid === "com.atproto.sync.getBlob" &&
    error.status < 500 &&
    error.status !== 429)

/** Whether the old server doesn't send the blob, or stops in its middle. */
const isSilent = ({ from }: Move, error: CliFailure): boolean =>
  (error._tag === "Unreachable" && error.server === from.server) ||
  (error._tag === "CallFailed" && error.nsid === "com.atproto.sync.getBlob" && error.status >= 500)

/** How often a blob is requested that the old server doesn't send although it answers. */
const mostTries = 3

/** The copying of a blob, with its CID if it stays behind. */
type Bringing = Effect.Effect<
  ReadonlyArray<CidText>,
  CliFailure,
  Effect.Services<ReturnType<typeof bringOne>>
>

/** Waits until the old server answers at all; fails if it doesn't. */
const answers = ({ did, from }: Move) =>
  Effect.as(query(from, "com.atproto.sync.getLatestCommit", Schema.Unknown, { did }), true)

/** Copies one blob through a file; both ends check its bytes. */
const bringOne = Effect.fnUntraced(function* (
  { did, from, to }: Move,
  {
    cid,
    file,
    progress
  }: { readonly cid: CidText; readonly file: string; readonly progress: Progress }
) {
  const files = yield* FileSystem.FileSystem
  const { contentType } = yield* briefly(fetchBlob(from, { did, cid, file }, progress))
  yield* sendBlob(to, { cid, file, contentType })
  yield* Effect.ignore(files.remove(file))
})

/** Copies every missing blob; returns those that the old server lacks or doesn't send. */
export const bringBlobs = Effect.fnUntraced(function* (move: Move) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* Effect.mapError(
    files.makeTempDirectoryScoped({ prefix: "nacre-move-" }),
    (error) =>
      new Failed({ message: `Couldn't create a temporary folder for blobs: ${error.message}` })
  )
  const missing = yield* listMissingBlobs(move.to)
  const cids = missing.filter(isCidText)
  const { expectedBlobs } = yield* accountStatusAt(move.to)
  const total = Math.max(expectedBlobs, cids.length)
  const leave = (cid: CidText) => (error: CliFailure) =>
    Effect.as(note(`Blob ${cid} is missing: ${explain(error).message}`), [cid])
  /** Sets a blob aside that the old server doesn't send although it answers. */
  const attempt = (cid: CidText, progress: Progress, tries = mostTries): Bringing =>
    Effect.as(bringOne(move, { cid, file: path.join(folder, cid), progress }), []).pipe(
      Effect.catchIf(isGone, leave(cid)),
      Effect.catchIf(
        (error) => isSilent(move, error),
        (error) =>
          Effect.andThen(
            answers(move),
            tries > 1 ? attempt(cid, progress, tries - 1) : leave(cid)(error)
          )
      )
    )
  const bring = (cid: CidText, progress: Progress) =>
    Effect.tap(attempt(cid, progress), () => progress.advance(1))
  const gone = yield* withProgress({ label: "Blobs", total }, (progress) =>
    Effect.andThen(
      progress.advance(total - cids.length),
      Effect.forEach(cids, (cid) => bring(cid, progress), { concurrency: together })
    )
  )
  return [...gone.flat(), ...missing.filter((name) => !isCidText(name))]
}, Effect.scoped)
