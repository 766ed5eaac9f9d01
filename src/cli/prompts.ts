import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Prompt from "effect/cli/Prompt"
import { Failed } from "./failure.ts"
import { printable } from "./printable.ts"

/** Whether somebody sits in front of it who can be asked. */
export const canAsk = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  return (yield* stdio.stdinIsTerminal) && (yield* stdio.stderrIsTerminal)
})

/** Fails where nobody can be asked, and says how to answer beforehand (`--domain`, NACRE_PASSWORD …). */
const orGiven = <A>(what: string, otherwise: string, prompt: Prompt.Prompt<A>) =>
  Effect.gen(function* () {
    if (yield* canAsk) return yield* prompt
    return yield* new Failed({
      message: `${what} is missing, and there is no terminal to ask at`,
      next: `Give it beforehand: ${otherwise}`
    })
  })

interface Question {
  readonly message: string
  /** How to answer without being asked. */
  readonly otherwise: string
}

/** Asks for a text; an empty answer means `initial`, and is asked again where there is none. */
export const ask = (
  question: Question & {
    readonly initial?: string
    /** The reason why an answer will not do. */
    readonly check?: (answer: string) => string | undefined
  }
) => {
  const { message, otherwise, initial, check } = question
  const validate = (answer: string): Effect.Effect<string, string> => {
    const text = answer.trim() === "" && initial !== undefined ? initial : answer.trim()
    const fault = text === "" ? "Please type something" : check?.(text)
    return fault === undefined ? Effect.succeed(text) : Effect.fail(fault)
  }
  // A default of the prompt's own would stand in the line, and what is typed behind it.
  const shown = printable(initial === undefined ? message : `${message} (${initial})`)
  const prompt = Prompt.String({ message: shown, validate })
  return orGiven(message, otherwise, prompt)
}

/** Asks for a secret: nothing of it is shown. */
export const askSecret = ({ message, otherwise }: Question) =>
  orGiven(message, otherwise, Prompt.Hidden({ message: printable(message) }))

/** Asks for a new password, twice. */
export const askNewPassword = (question: Question) =>
  Effect.gen(function* () {
    const first = yield* askSecret(question)
    if (Redacted.value(first).length < 8) {
      return yield* new Failed({
        message: "A password has at least 8 characters",
        next: "Choose a longer one, or have one made up: --generate"
      })
    }
    const again = yield* askSecret({ ...question, message: "The same once more" })
    if (Redacted.value(first) === Redacted.value(again)) return first
    return yield* new Failed({ message: "The two passwords differ", next: "Try again." })
  })

/** Asks for a yes; `yes` (a flag) answers for whoever is not there. */
export const confirm = (
  message: string,
  { yes, initial = false }: { readonly yes: boolean; readonly initial?: boolean }
) =>
  yes
    ? Effect.succeed(true)
    : orGiven(
        `A yes (“${message}”)`,
        "--yes",
        Prompt.Confirm({ message: printable(message), initial })
      )

/** Goes on after a yes alone. */
export const insist = (message: string, yes: boolean) =>
  Effect.flatMap(confirm(message, { yes }), (agreed) =>
    agreed
      ? Effect.void
      : Effect.fail(
          new Failed({ message: "Nothing was done", next: "Answer yes to go on, or give --yes." })
        )
  )

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
