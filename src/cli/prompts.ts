import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Prompt from "effect/cli/Prompt"
import { Failed } from "./failure.ts"
import { note } from "./output.ts"
import { printable } from "./printable.ts"

/** Whether the command can ask a person. */
export const canAsk = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  return (yield* stdio.stdinIsTerminal) && (yield* stdio.stderrIsTerminal)
})

/**
 * Fails if no person can answer, and names the flag or variable to use (`--domain`, NACRE_PASSWORD
 * …).
 */
const orGiven = <A>(what: string, otherwise: string, prompt: Prompt.Prompt<A>) =>
  Effect.gen(function* () {
    if (yield* canAsk) return yield* prompt
    return yield* new Failed({
      message: `Missing answer: ${what}`,
      next: `Run the command in a terminal, or pass the answer: ${otherwise}`
    })
  })

interface Question {
  readonly message: string
  /** How to answer without a prompt. */
  readonly otherwise: string
}

/** Asks for a text; an empty answer means `initial`, or the same question again. */
export const ask = (
  question: Question & {
    readonly initial?: string
    /** Returns the reason why an answer is invalid. */
    readonly check?: (answer: string) => string | undefined
  }
) => {
  const { message, otherwise, initial, check } = question
  const validate = (answer: string): Effect.Effect<string, string> => {
    const text = answer.trim() === "" && initial !== undefined ? initial : answer.trim()
    const fault = text === "" ? "Please enter a value" : check?.(text)
    return fault === undefined ? Effect.succeed(text) : Effect.fail(fault)
  }
  // The prompt's own default would remain in the line before the typed text.
  const shown = printable(initial === undefined ? message : `${message} (${initial})`)
  const prompt = Prompt.String({ message: shown, validate })
  return orGiven(message, otherwise, prompt)
}

/** Asks for a secret without showing it. */
export const askSecret = ({ message, otherwise }: Question) =>
  orGiven(message, otherwise, Prompt.Hidden({ message: printable(message) }))

/** Asks for a new password twice, until both match and it is long enough. */
export const askNewPassword = Effect.fnUntraced(function* (question: Question) {
  while (true) {
    const first = yield* askSecret(question)
    if (Redacted.value(first).length < 8) {
      yield* note("Passwords need at least 8 characters. Choose a longer one.")
      continue
    }
    const again = yield* askSecret({ ...question, message: "Repeat the password" })
    if (Redacted.value(first) === Redacted.value(again)) return first
    yield* note("The passwords don't match. Try again.")
  }
})

/** Asks a yes-or-no question; the flag `yes` answers it in scripts. */
export const confirm = (
  message: string,
  { yes, initial = false }: { readonly yes: boolean; readonly initial?: boolean }
) =>
  yes
    ? Effect.succeed(true)
    : orGiven(message, "--yes", Prompt.Confirm({ message: printable(message), initial }))

/** Continues only after a yes. */
export const insist = (message: string, yes: boolean) =>
  Effect.flatMap(confirm(message, { yes }), (agreed) =>
    agreed
      ? Effect.void
      : Effect.fail(
          new Failed({
            message: "Canceled. Nothing has changed",
            next: "To go ahead, answer yes or add --yes."
          })
        )
  )

/**
 * Continues only after the person has typed a word, before an action that can't be undone; the flag
 * `yes` replaces it.
 */
export const insistTyped = Effect.fnUntraced(function* (
  message: string,
  { word, yes }: { readonly word: string; readonly yes: boolean }
) {
  if (yes) return
  yield* ask({
    message: `${message} Type ${word} to confirm`,
    otherwise: "--yes",
    check: (answer) => (answer === word ? undefined : `Type ${word}, or press Ctrl-C to cancel`)
  })
})

/** Asks for one of several answers. */
export const choose = <const A>(
  question: Question & {
    readonly choices: ReadonlyArray<{
      readonly title: string
      readonly value: A
      readonly description?: string
    }>
  }
) => {
  const { message, otherwise, choices } = question
  const shown = choices.map((choice) => ({ ...choice, title: printable(choice.title) }))
  return orGiven(message, otherwise, Prompt.Select({ message, choices: shown }))
}
