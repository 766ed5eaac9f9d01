import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as HttpClient from "effect/http/HttpClient"
import { type CliFailure, Failed } from "../failure.ts"
import { note, style } from "../output.ts"
import type { ReasonFlag } from "../flags.ts"
import type { theServer } from "../place.ts"
import type { ask } from "../prompts.ts"
import type { Session } from "../session.ts"

type Asking = ReturnType<typeof ask>

/** A step's failures: those that the command reports, and unanswered questions. */
type StepFailure = CliFailure | Effect.Error<Asking>

/** The services of steps: servers, files, and prompts. */
type StepServices =
  | HttpClient.HttpClient
  | FileSystem.FileSystem
  | Path.Path
  | Effect.Services<typeof theServer>
  | Effect.Services<typeof ReasonFlag>
  | Effect.Services<Asking>

/** A move of an account between two servers, with the owner signed in at both. */
export interface Move {
  readonly did: string
  readonly from: Session
  readonly to: Session
  /** The owner's own keys, in order before the server's. */
  readonly ownKeys: ReadonlyArray<string>
  /** Whether to leave behind blobs that the old server has lost. */
  readonly allowMissing: boolean
  /** The file of the notes; the repo is stored next to it during the move. */
  readonly notes: string
}

/** A part of a move that can check whether it is done, which lets a later run resume. */
export interface Step {
  readonly name: string
  /** Its title for people. */
  readonly title: string
  readonly isDone: Effect.Effect<boolean, StepFailure, StepServices>
  readonly run: Effect.Effect<void, StepFailure, StepServices>
}

/** The result of a step. */
export interface Taken {
  readonly step: string
  readonly done: "now" | "before"
}

/** Takes steps in order, and checks each before and after; `until` names the last one to take. */
export const takeSteps = Effect.fnUntraced(function* (
  steps: ReadonlyArray<Step>,
  until: string | undefined
) {
  const { good, faint } = yield* style
  const taken: Array<Taken> = []
  for (const [at, { name, title, isDone, run }] of steps.entries()) {
    const label = `[${at + 1}/${steps.length}] ${title}`
    if (yield* isDone) {
      yield* note(`${label}: ${faint("already done")}`)
      taken.push({ step: name, done: "before" })
    } else {
      yield* note(`${label}…`)
      yield* run
      if (!(yield* isDone)) {
        return yield* new Failed({
          message: `${title}: the change hasn't taken effect yet`,
          next: "Run the command again to continue."
        })
      }
      yield* note(`${label}: ${good("done")}`)
      taken.push({ step: name, done: "now" })
    }
    if (name === until) return taken
  }
  return taken
})
