import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Failed } from "../failure.ts"

/** What is remembered of a move between two runs of the command; no password, no token, no key. */
const Notes = Schema.Struct({
  did: Schema.String,
  /** The server that the account comes from: its DID does not tell any more once it leads to the new one. */
  from: Schema.String,
  to: Schema.String,
  handle: Schema.String
})

export type Notes = typeof Notes.Type

const NotesFile = Schema.fromJsonString(Notes)

/** The file in which a move of a DID is remembered, where none is named. */
export const notesFile = (did: string, named: Option.Option<string>): string =>
  Option.getOrElse(named, () => `nacre-move-${did.replace(/[^a-zA-Z0-9]+/g, "-")}.json`)

/** The notes of an earlier run; undefined for the first. */
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

/** Remembers a move, in a file of its owner's alone. */
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

/** Forgets a move that is complete. */
export const removeNotes = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  yield* Effect.ignore(files.remove(file))
  yield* Effect.ignore(files.remove(carOf(file)))
})

/** Where the repo is kept on its way. */
export const carOf = (file: string): string => `${file}.car`
