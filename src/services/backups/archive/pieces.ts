import { Buffer } from "node:buffer"
import * as Effect from "effect/Effect"
import { BackupSourceFailed } from "../BackupTarget.ts"

/** Takes a piece of a file; runs once at a time. */
export type Take<E = never> = (piece: Uint8Array) => Effect.Effect<void, E>

/** A file's content, piece by piece. */
export type Content = <E>(take: Take<E>) => Effect.Effect<void, E | BackupSourceFailed>

/** Reads a stream one piece at a time; `end` must run at last. */
export const readerOf = (body: ReadableStream<Uint8Array>, key: string) => {
  const reader = body.getReader()
  const failed = (cause: unknown) => new BackupSourceFailed({ key, cause })
  return {
    next: Effect.tryPromise({ try: () => reader.read(), catch: failed }).pipe(
      Effect.map(({ done, value }) => (done ? undefined : value))
    ),
    end: Effect.ignore(Effect.tryPromise(() => reader.cancel()))
  }
}

/** The whole of a stream. */
export const wholeOf =
  (body: ReadableStream<Uint8Array>, key: string): Content =>
  (take) => {
    const reader = readerOf(body, key)
    const reading = Effect.gen(function* () {
      for (let piece = yield* reader.next; piece !== undefined; piece = yield* reader.next) {
        yield* take(piece)
      }
    })
    return Effect.ensuring(reading, reader.end)
  }

/** A stream that is cut into its first line and files of known sizes. */
export const cut = (body: ReadableStream<Uint8Array>, key: string) => {
  const reader = readerOf(body, key)
  let rest: Uint8Array = new Uint8Array()
  const more = Effect.flatMap(reader.next, (piece) =>
    piece === undefined
      ? Effect.fail(new BackupSourceFailed({ key, cause: "the records broke off" }))
      : Effect.succeed(piece)
  )
  const line = Effect.gen(function* () {
    while (!rest.includes(10)) rest = Buffer.concat([rest, yield* more])
    const end = rest.indexOf(10)
    const text = new TextDecoder().decode(rest.subarray(0, end))
    rest = rest.subarray(end + 1)
    return text
  })
  const take =
    (size: number): Content =>
    (each) =>
      Effect.gen(function* () {
        for (let left = size; left > 0;) {
          if (rest.length === 0) rest = yield* more
          const piece = rest.subarray(0, left)
          rest = rest.subarray(piece.length)
          left -= piece.length
          yield* each(piece)
        }
      })
  return { line, take, end: reader.end }
}
