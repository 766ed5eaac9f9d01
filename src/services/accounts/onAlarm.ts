import * as Effect from "effect/Effect"
import { AccountStore } from "./AccountStore.ts"
import { Alarm } from "../host/Alarm.ts"
import { Outbox } from "../stream/Outbox.ts"
import { RepoImport } from "../repo/RepoImport.ts"
import { deleteWhenDue, deleteWhenAbandoned } from "./AccountDeletion.ts"
import { graceMillis, sweepBlobs } from "../blobs/BlobSweep.ts"
import { settleSignUp } from "./signUp/SignUpEnd.ts"
import { sweepSessions } from "../sessions/SessionSweep.ts"

/**
 * The object's alarm: delivers the outbox, sweeps blobs and sessions, deletes an account that is
 * due or abandoned; each requests its next run.
 */
export const onAlarm = Effect.gen(function* () {
  // A deleted object has no tables to read.
  if ((yield* AccountStore).peek() === undefined) return
  yield* settleSignUp
  if ((yield* AccountStore).peek() === undefined) return
  yield* (yield* Outbox).deliver
  yield* (yield* RepoImport).sweep
  const next = yield* sweepBlobs(yield* graceMillis)
  if (next !== undefined) yield* (yield* Alarm).by(next)
  yield* sweepSessions
  yield* deleteWhenAbandoned
  yield* deleteWhenDue
})
