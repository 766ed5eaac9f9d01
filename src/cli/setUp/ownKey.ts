import { homedir } from "node:os"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { Failed } from "../failure.ts"
import { note } from "../output.ts"
import { ask, canAsk, confirm } from "../prompts.ts"
import { makeRecoveryKey, readRecoveryKey, saveRecoveryKey } from "../recoveryKey.ts"

/** Expands `~` in a typed path to the home folder, as a shell does. */
const typedFile = (text: string): string => text.replace(/^~(?=\/|$)/, homedir())

/** The key in a file: the existing one, or a new one, shown once if wanted. */
const keyIn = Effect.fnUntraced(function* (file: string) {
  const files = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(files.exists(file), () => false)) {
    const { didKey } = yield* Effect.mapError(
      readRecoveryKey(file),
      () =>
        new Failed({
          message: `${file} already exists and isn't a recovery key. Nothing was overwritten`,
          next: "Choose another file."
        })
    )
    return { file, didKey }
  }
  const key = yield* makeRecoveryKey
  yield* saveRecoveryKey(key, file)
  const isAsked = yield* canAsk
  if (isAsked && (yield* confirm("Show the key once, so you can write it down?", { yes: false }))) {
    yield* note(`\n  ${Buffer.from(Redacted.value(key.secret)).toString("hex")}\n`)
  }
  return { file, didKey: key.didKey }
})

/** The owner's recovery key, in the file that the person chooses; asks again for a file that can't be used. */
export const ownKeyOf = Effect.fnUntraced(function* (
  given: Option.Option<string>,
  host: string | undefined
) {
  if (Option.isSome(given)) {
    return given.value === "none" ? undefined : yield* keyIn(typedFile(given.value))
  }
  yield* note("A recovery key takes your account back from any server, even if this one is gone.")
  while (true) {
    const text = yield* ask({
      message: "File for your recovery key, or none",
      otherwise: "--recovery-key <file>, or --recovery-key none",
      initial: `~/nacre-recovery-key${host === undefined ? "" : `-${host}`}.json`
    })
    if (text === "none") return undefined
    const made = yield* Effect.result(keyIn(typedFile(text)))
    if (Result.isSuccess(made)) return made.success
    if (!(made.failure instanceof Failed)) return yield* Effect.fail(made.failure)
    const { message, next } = made.failure
    yield* note(next === undefined ? message : `${message}. ${next}`)
  }
})
