import * as Effect from "effect/Effect"

/** Runs steps and undoes them in reverse order on failure; after `settle` all of them stay. */
export const withUndo = <A, E>(
  body: (
    undo: (label: string, step: Effect.Effect<unknown, unknown>) => void,
    settle: Effect.Effect<void>
  ) => Effect.Effect<A, E>
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const steps: Array<Effect.Effect<void>> = []
    const undo = (label: string, step: Effect.Effect<unknown, unknown>) => {
      const quiet = Effect.catchCause(step, (cause) =>
        Effect.logWarning(`sign-up could not be undone: ${label}`, cause)
      )
      steps.unshift(Effect.asVoid(quiet))
    }
    const undoAll = Effect.suspend(() => Effect.forEach(steps, (step) => step, { discard: true }))
    const settle = Effect.sync(() => void steps.splice(0))
    return Effect.onError(body(undo, settle), () => undoAll)
  })
