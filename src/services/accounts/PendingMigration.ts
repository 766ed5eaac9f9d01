import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { pdsOf } from "../../core/identity/didDocument.ts"
import { type Account, AccountStore, inactiveStatus } from "./AccountStore.ts"
import { Alarm } from "../host/Alarm.ts"
import { Config } from "../host/Config.ts"
import { Identity } from "../identity/Identity.ts"
import { isServedHere } from "../identity/HostedDidDocument.ts"

/** How long an account that moves in is kept after its owner's last call, in milliseconds. */
const keptFor = 14 * 24 * 3_600_000

/** Minimum extension of a deadline, in milliseconds, because each one writes a row. */
const step = 3_600_000

/** Delay until an account that may still be wanted is checked again, in milliseconds. */
const again = 24 * 3_600_000

/** An account that has moved in but was never active here, so nobody knows of it yet. */
export class PendingMigration extends Context.Service<
  PendingMigration,
  {
    /** When the wait ends, in milliseconds; undefined for an account that has been active here. */
    until(): number | undefined
    /** Waits until then, or permanently keeps the account (undefined). */
    set(until: number | undefined): Effect.Effect<void>
  }
>()("nacre/services/PendingMigration") {}

const waitFor = Effect.fnUntraced(function* (millis: number) {
  const until = (yield* Clock.currentTimeMillis) + millis
  yield* (yield* PendingMigration).set(until)
  yield* (yield* Alarm).by(until)
})

/** The account exists but isn't active yet. */
export const beginMigration = waitFor(keptFor)

/** Extends the wait, because its owner is still active. */
export const continueMigration = Effect.gen(function* () {
  const until = (yield* PendingMigration).until()
  if (until === undefined) return
  const later = (yield* Clock.currentTimeMillis) + keptFor
  if (later - until >= step) yield* (yield* PendingMigration).set(later)
})

/** Whether the DID points to another server, bypassing caches; false if it names none. */
const leadsElsewhere = Effect.fnUntraced(function* ({ did }: Account) {
  const settings = yield* Config
  if (isServedHere(did, settings)) return false
  return yield* (yield* Identity).resolveDid(did, { fresh: true }).pipe(
    // Compares only the host: a variant of this server's address would merely keep the account
    // inactive.
    Effect.map((document) => {
      const host = URL.parse(pdsOf(document) ?? "")?.host
      return host !== undefined && host !== settings.host
    }),
    Effect.catchCause((cause) =>
      Effect.as(Effect.logWarning("DID of an account that moves in not resolved", cause), false)
    )
  )
})

/**
 * The account if its wait was in vain; if it may still be wanted, the wait starts over.
 *
 * Keeps an account whose DID points here or nowhere, or cannot be resolved, because it may be the
 * only copy. Keeps one that is taken down.
 */
export const abandonedMigration = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  const pending = yield* PendingMigration
  const until = pending.until()
  if (account === undefined || until === undefined) return undefined
  if (inactiveStatus(account) === undefined) {
    // The account has been active, whatever kept that from being noted.
    yield* pending.set(undefined)
    return undefined
  }
  if ((yield* Clock.currentTimeMillis) < until) {
    yield* (yield* Alarm).by(until)
    return undefined
  }
  const isLost = account.takedown === undefined && (yield* leadsElsewhere(account))
  // Its owner may have returned during the look-up.
  const later = pending.until()
  if (later !== until) {
    if (later !== undefined) yield* (yield* Alarm).by(later)
    return undefined
  }
  if (isLost) return account
  yield* waitFor(again)
  return undefined
})
