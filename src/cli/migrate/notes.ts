import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Failed } from "../failure.ts"

/** The notes of a move between two runs of the command, without passwords, tokens or keys. */
const Notes = Schema.Struct({
  did: Schema.String,
  /**
   * The server that the account moves from: the DID no longer names it once it points to the new
   * one.
   */
  from: Schema.String,
  to: Schema.String,
  handle: Schema.String
})

export type Notes = typeof Notes.Type

const NotesFile = Schema.fromJsonString(Notes)

/** The file for the notes of a move, unless another is given. */
export const notesFile = (did: string, named: Option.Option<string>): string =>
  Option.getOrElse(named, () => `nacre-move-${did.replace(/[^a-zA-Z0-9]+/g, "-")}.json`)

/** Reads the notes of an earlier run; undefined on the first. */
export const readNotes = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(files.exists(file), () => false))) return undefined
  return yield* files.readFileString(file).pipe(
    Effect.flatMap(Schema.decodeUnknownEffect(NotesFile)),
    Effect.mapError(
      () =>
        new Failed({
          message: `${file} isn't a file of this command, or it has been changed`,
          next: "Choose another file with --state, or delete this one: the command finds out by itself what is done."
        })
    )
  )
})

/** Writes the notes to a file that only its owner can read. */
export const writeNotes = Effect.fnUntraced(function* (file: string, notes: Notes) {
  const files = yield* FileSystem.FileSystem
  const text = `${JSON.stringify(notes, null, 2)}\n`
  yield* files
    .writeFileString(file, text, { mode: 0o600 })
    .pipe(
      Effect.mapError(
        (error) => new Failed({ message: `Couldn't write ${file}: ${error.message}` })
      )
    )
})

/** Removes the notes of a complete move. */
export const removeNotes = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.ignore(files.remove(file))
  yield* Effect.ignore(files.remove(carOf(file)))
})

/** The file of the repo during a move. */
export const carOf = (file: string): string => `${file}.car`
