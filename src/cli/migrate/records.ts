import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { fetchRepo } from "../backup/fetching.ts"
import { getPreferences, hasPreferences, putPreferences, sendRepo } from "../backup/sending.ts"
import type { CliFailure } from "../failure.ts"
import { note } from "../output.ts"
import { withProgress } from "../progress.ts"
import type { Move } from "./steps.ts"
import { treeAt } from "./network.ts"
import { carOf } from "./notes.ts"

/** Whether both servers hold the same records. */
export const sameRecords = Effect.fnUntraced(function* ({ did, from, to }: Move) {
  const [there, here] = yield* Effect.all([treeAt(from, did), treeAt(to, did)])
  return there === here
})

/** A repo that the new server rejects may have been damaged on the way. */
const onceMore = {
  times: 1,
  while: (error: CliFailure) =>
    error._tag === "CallFailed" &&
    error.nsid === "com.atproto.repo.importRepo" &&
    error.status === 400
} as const

/** Copies the repo through a file; the new server checks it as a whole. */
export const bringRecords = Effect.fnUntraced(function* ({ did, from, to, notes }: Move) {
  const files = yield* FileSystem.FileSystem
  const file = carOf(notes)
  const bring = Effect.gen(function* () {
    yield* withProgress({ label: "Repo" }, (progress) => fetchRepo(from, did, file, progress))
    yield* note(`${to.server} is checking and importing the repo…`)
    yield* sendRepo(to, file)
  })
  yield* Effect.retry(bring, onceMore)
  yield* Effect.ignore(files.remove(file))
})

/** Whether both servers hold the same preferences. */
export const samePreferences = Effect.fnUntraced(function* ({ from, to }: Move) {
  return yield* hasPreferences(to, yield* getPreferences(from))
})

/** Copies the preferences. */
export const bringPreferences = Effect.fnUntraced(function* ({ from, to }: Move) {
  yield* putPreferences(to, yield* getPreferences(from))
})
