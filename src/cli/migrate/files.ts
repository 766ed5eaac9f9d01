import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { openAsBlob } from "node:fs"
import { Failed } from "../failure.ts"
import type { Progress } from "../progress.ts"
import type { download } from "../xrpc.ts"

type Download = Effect.Success<ReturnType<typeof download>>

/** All bytes of a download, in memory. */
export const bytesOf = ({ body, reason }: Download) =>
  Stream.runFold(
    body,
    () => new Uint8Array(0),
    (all, piece) => {
      const both = new Uint8Array(all.length + piece.length)
      both.set(all)
      both.set(piece, all.length)
      return both
    }
  ).pipe(Effect.mapError(reason))

/** Writes a download into a file of its owner's alone. */
export const saveTo = Effect.fnUntraced(function* (
  file: string,
  { body, reason }: Download,
  progress?: Progress
) {
  const files = yield* FileSystem.FileSystem
  const told =
    progress === undefined
      ? body
      : Stream.tap(body, (piece) => progress.advance(piece.length))
  yield* Stream.run(Stream.mapError(told, reason), files.sink(file, { mode: 0o600 })).pipe(
    Effect.catchTag("PlatformError", (error) =>
      Effect.fail(new Failed({ message: `${file} cannot be written: ${error.message}` }))
    )
  )
})

/** A file as the body of an upload, read as it goes. */
export const fileBody = (file: string) =>
  Effect.tryPromise({
    try: () => openAsBlob(file),
    catch: () => new Failed({ message: `${file} cannot be read` })
  })
