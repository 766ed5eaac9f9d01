import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { pdsOf } from "../../core/identity/didDocument.ts"
import { CallFailed, explain, Unreachable } from "../failure.ts"
import { note } from "../output.ts"
import { longWay } from "../patience.ts"
import { originOf } from "../place.ts"
import { recoveryDidKey } from "../recoveryKey.ts"
import { signInAs } from "../session.ts"
import { arrive, handleAt, signInThere, tokenFor } from "./arrive.ts"
import { activation, takeMove } from "./move.ts"
import type { MoveWishes } from "./moveFlags.ts"
import { documentOf, hostOf } from "./network.ts"
import { notesFile, removeNotes, writeNotes } from "./notes.ts"
import { planOf } from "./plan.ts"
import { tellMoved } from "./report.ts"
import { assertFew, sortedKeys } from "./rotationKeys.ts"
import { takeSteps } from "./steps.ts"

/** An account, and the servers that it moves between. */
export interface Route {
  readonly did: string
  readonly from: string
  readonly to: string
}

/** Whether the DID points to the new server; the old one may then be gone. */
const leadsThere = ({ did, to }: Route) =>
  Effect.map(documentOf(did), (document) => originOf(pdsOf(document) ?? "") === to)

/** The DID points here and the old server rejects sign-ins, so the rest happens without it. */
const goOnAlone = Effect.fnUntraced(function* (
  { did, from, to }: Route,
  why: CallFailed | Unreachable
) {
  yield* note(
    `${explain(why).message}\nThe account's identity already points to ${to}, so the move continues without ${from}.`
  )
  const session = yield* signInThere(to, did)
  const steps = yield* takeSteps([activation(session)], undefined)
  yield* tellMoved({ did, from, to: session }, steps)
})

/** Moves an account, or resumes an earlier run. */
export const moveAccount = Effect.fn("cli.moveAccount")(function* (
  route: Route,
  wishes: MoveWishes
) {
  const { did, to } = route
  const file = notesFile(did, wishes.state)
  const signedIn = yield* Effect.result(signInAs(route.from, did))
  if (Result.isFailure(signedIn)) {
    const error = signedIn.failure
    const isShut = error instanceof CallFailed || error instanceof Unreachable
    if (!isShut || wishes.dryRun || !(yield* leadsThere(route))) return yield* error
    yield* goOnAlone(route, error)
    return yield* removeNotes(file)
  }
  const from = signedIn.success
  const { availableUserDomains: oldDomains } = yield* hostOf(route.from)
  const handle = yield* handleAt(to, { handle: from.handle, oldDomains }, wishes.handle)
  const keys = yield* sortedKeys(from, { keep: wishes.keepKey, drop: wishes.dropKey })
  if (wishes.dryRun) return yield* planOf({ from, to, handle, keys })
  const recovery = Option.isNone(wishes.recoveryKey)
    ? []
    : [(yield* recoveryDidKey(wishes.recoveryKey.value)).didKey]
  const ownKeys = [...new Set([...recovery, ...keys.own])]
  // Counts the new server's key, which is known once the account exists.
  yield* assertFew([...ownKeys, to], ownKeys)
  yield* writeNotes(file, { did, from: route.from, to, handle })
  const session = yield* arrive(to, {
    did,
    handle,
    email: Option.getOrElse(wishes.email, () => from.email),
    invite: wishes.invite,
    token: tokenFor(from, to)
  })
  const until = Option.getOrUndefined(wishes.until)
  const { allowMissing } = wishes
  const move = { did, from, to: session, ownKeys, allowMissing, notes: file }
  const steps = yield* takeMove(move, until)
  if (until === undefined) yield* removeNotes(file)
  yield* tellMoved({ did, from: from.server, to: session }, steps)
}, longWay)
