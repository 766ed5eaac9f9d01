import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { fetchBlob } from "../backup/fetching.ts"
import { listMissingBlobs, sendBlob } from "../backup/sending.ts"
import { type CliFailure, Failed } from "../failure.ts"
import { note } from "../output.ts"
import { withProgress } from "../progress.ts"
import type { Move } from "./move.ts"
import { accountStatusAt } from "./network.ts"

/** Blobs that are on their way at once. */
const together = 4

/** The server says that it does not have the blob, or not that it has it. */
const isGone = (error: CliFailure): boolean =>
  error._tag === "CallFailed" &&
  error.nsid === "com.atproto.sync.getBlob" &&
  error.status < 500 &&
  error.status !== 429

/** What is worth another try: either end may be away for a moment. */
const again = {
  times: 3,
  while: (error: CliFailure) =>
    error._tag === "Unreachable" || (error._tag === "CallFailed" && error.status >= 500)
} as const

/** Brings one blob over, by way of a file; its bytes are checked at both ends. */
const bringOne = Effect.fnUntraced(function* ({ did, from, to }: Move, cid: string, file: string) {
  const files = yield* FileSystem.FileSystem
  const { contentType } = yield* fetchBlob(from, { did, cid, file })
  yield* sendBlob(to, { cid, file, contentType })
  yield* Effect.ignore(files.remove(file))
})

/** Brings every blob over that is missing; answers those that the old server does not have. */
export const bringBlobs = Effect.fnUntraced(function* (move: Move) {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* Effect.mapError(
    files.makeTempDirectoryScoped({ prefix: "nacre-move-" }),
    (error) => new Failed({ message: `There is no place for blobs on their way: ${error.message}` })
  )
  const cids = yield* listMissingBlobs(move.to)
  const { expectedBlobs } = yield* accountStatusAt(move.to)
  const total = Math.max(expectedBlobs, cids.length)
  const bring = Effect.fnUntraced(function* (cid: string) {
    const bringing = Effect.as(bringOne(move, cid, path.join(folder, cid)), [])
    return yield* bringing.pipe(
      Effect.retry(again),
      Effect.catchIf(isGone, ({ message }) =>
        Effect.as(note(`${move.from.server} does not have blob ${cid}: ${message}`), [cid])
      )
    )
  })
  const gone = yield* withProgress({ label: "Blobs", unit: "items", total }, ({ advance }) =>
    Effect.andThen(
      advance(total - cids.length),
      Effect.forEach(cids, (cid) => Effect.tap(bring(cid), () => advance(1)), {
        concurrency: together
      })
    )
  )
  return gone.flat()
}, Effect.scoped)
