import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { CallFailed, Failed } from "../failure.ts"
import { note } from "../output.ts"
import type { Session } from "../session.ts"
import { procedure } from "../xrpc.ts"
import { listMissingBlobs } from "../backup/sending.ts"
import { bringBlobs } from "./blobs.ts"
import { hasMoved, moveIdentity } from "./identity.ts"
import { accountStatusAt, standingAt } from "./network.ts"
import { bringPreferences, bringRecords, samePreferences, sameRecords } from "./records.ts"
import { type Move, type Step, takeSteps } from "./steps.ts"

/** The steps after which a move can stop, in order. */
export const stepNames = [
  "records",
  "blobs",
  "preferences",
  "identity",
  "activation",
  "departure"
] as const

/**
 * Counts a step as done once the DID points to the new server: new records are written there, and
 * nothing more is copied.
 */
const unlessMoved = <E, R>(move: Move, isSame: Effect.Effect<boolean, E, R>) =>
  Effect.flatMap(hasMoved(move), (moved) => (moved ? Effect.succeed(true) : isSame))

/** Fails if blobs are lost, unless the owner allows that. */
const assertAllowed = Effect.fnUntraced(function* (
  { allowMissing, from }: Move,
  gone: ReadonlyArray<string>
) {
  if (gone.length === 0 || allowMissing) return
  return yield* new Failed({
    message: `${gone.length} blobs are missing on ${from.server}: ${gone.slice(0, 5).join(", ")}${gone.length > 5 ? " …" : ""}`,
    next: "Run the command again to retry, or leave them behind: --allow-missing-blobs"
  })
})

/** Some servers store no preferences, so there are none to copy. */
const withoutPreferences = (error: unknown) =>
  error instanceof CallFailed && error.status !== 401 && error.status !== 429

/** Activates the account on the new server, which checks the DID itself. */
export const activation = (to: Session): Step => ({
  name: "activation",
  title: "Activate the account on the new server",
  isDone: Effect.map(accountStatusAt(to), ({ activated }) => activated),
  run: procedure(to, "com.atproto.server.activateAccount", Schema.Unknown)
})

/** Takes every step of a move that isn't done yet; returns the result of each. */
export const takeMove = Effect.fn("cli.takeMove")(function* (
  move: Move,
  until: string | undefined
) {
  const { did, from, to } = move
  const lost = yield* Ref.make<ReadonlyArray<string>>([])
  const noPreferences = yield* Ref.make(false)

  const blobsAreHere = Effect.gen(function* () {
    const gone = yield* Ref.get(lost)
    const missing = yield* listMissingBlobs(to)
    return missing.every((cid) => gone.includes(cid))
  })

  return yield* takeSteps(
    [
      {
        name: "records",
        title: "Copy records",
        isDone: unlessMoved(move, sameRecords(move)),
        run: bringRecords(move)
      },
      {
        name: "blobs",
        title: "Copy blobs",
        isDone: blobsAreHere,
        run: Effect.gen(function* () {
          const gone = yield* bringBlobs(move)
          if (!(yield* hasMoved(move))) yield* assertAllowed(move, gone)
          yield* Ref.set(lost, gone)
        })
      },
      {
        name: "preferences",
        title: "Copy preferences",
        isDone: Effect.flatMap(Ref.get(noPreferences), (none) =>
          none
            ? Effect.succeed(true)
            : unlessMoved(
                move,
                Effect.catchIf(samePreferences(move), withoutPreferences, () =>
                  Effect.succeed(false)
                )
              )
        ),
        run: Effect.catchIf(bringPreferences(move), withoutPreferences, (error) =>
          Effect.andThen(
            Ref.set(noPreferences, true),
            note(`Preferences were not copied: ${error.message}`)
          )
        )
      },
      {
        name: "identity",
        title: "Point your identity at the new server",
        isDone: hasMoved(move),
        run: Effect.gen(function* () {
          // Records written in the meantime would be left behind.
          if (!(yield* sameRecords(move))) yield* bringRecords(move)
          if (!(yield* blobsAreHere)) yield* assertAllowed(move, yield* bringBlobs(move))
          yield* moveIdentity(move)
        })
      },
      activation(to),
      {
        name: "departure",
        title: "Deactivate the account on the old server",
        isDone: Effect.map(standingAt(from, did), (standing) => standing?.active !== true),
        run: procedure(from, "com.atproto.server.deactivateAccount", Schema.Unknown, {})
      }
    ],
    until
  )
})
