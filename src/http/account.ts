import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountEvents } from "../services/AccountEvents.ts"
import { AccountStore } from "../services/AccountStore.ts"
import { Alarm } from "../services/Alarm.ts"
import { sweepBlobs } from "../services/BlobSweep.ts"
import { Config } from "../services/Config.ts"
import { Directory } from "../services/Directory.ts"
import { Outbox } from "../services/Outbox.ts"
import { actorMethods } from "./xrpc/account/actor.ts"
import { inviteMethods } from "./xrpc/account/invites.ts"
import { repoReadMethods } from "./xrpc/account/records.ts"
import { repoWriteMethods } from "./xrpc/account/repo.ts"
import { serverMethods } from "./xrpc/account/server.ts"
import { syncMethods } from "./xrpc/account/sync.ts"
import { serve, table } from "./Xrpc.ts"

export { call } from "./accountCalls.ts"

/** The methods that run in an account's object. */
export const accountMethods = table(
  repoWriteMethods,
  repoReadMethods,
  syncMethods,
  serverMethods,
  actorMethods,
  inviteMethods
)

/** How long a sign-up may take before its object stops looking after it, in milliseconds. */
const lateSignUp = 24 * 3_600_000

/** Answers an XRPC request to the account in this object. */
export const serveAccount = Effect.fnUntraced(function* (request: Request) {
  const { jsonLimit } = yield* Config
  return yield* serve(accountMethods, { jsonLimit }, request, new URL(request.url))
})

/**
 * Announces a sign-up that nobody came back to announce, once the directory says that it is valid.
 *
 * One that is still under way is looked at again; one that was undone or abandoned is not this object's to judge.
 */
const announceLate = Effect.gen(function* () {
  const events = yield* AccountEvents
  const account = (yield* AccountStore).peek()
  if (account === undefined || !(yield* events.owesSignUp)) return
  const now = yield* Clock.currentTimeMillis
  const entry = yield* Effect.orElseSucceed((yield* Directory).byDid(account.did), () => undefined)
  if (entry?.status === "active") return yield* events.signUp
  if (now - Date.parse(account.createdAt) < lateSignUp) yield* (yield* Alarm).by(now + 60_000)
})

/** What the object's alarm does: deliver the outbox, sweep blobs; each asks for its next ring. */
export const ring = Effect.gen(function* () {
  const { blobGraceHours } = yield* Config
  // An object that was emptied has no tables to look into.
  if ((yield* AccountStore).peek() === undefined) return
  yield* announceLate
  yield* (yield* Outbox).deliver
  const next = yield* sweepBlobs(blobGraceHours * 3_600_000)
  if (next !== undefined) yield* (yield* Alarm).by(next)
})
