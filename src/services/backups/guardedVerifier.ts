import * as Result from "effect/Result"
import { CarVerifier, isCarFault, type VerifiedCar } from "../../core/backups/CarVerifier.ts"

/** Verifies a CAR as a stream; `end` returns its content, or the first problem. */
export const guardedVerifier = (expected: {
  readonly did: string
  readonly signingKey: string
}) => {
  const verifier = new CarVerifier(expected)
  let problem: string | undefined
  const guarded = <A>(step: () => A): A | undefined => {
    if (problem !== undefined) return undefined
    const done = Result.try({ try: step, catch: (error) => error })
    if (Result.isSuccess(done)) return done.success
    if (!isCarFault(done.failure)) throw done.failure
    problem = done.failure.message
    return undefined
  }
  return {
    push: (piece: Uint8Array): void => guarded(() => verifier.push(piece)),
    end: (): VerifiedCar | string => guarded(() => verifier.end()) ?? problem ?? "it can't be read"
  }
}
