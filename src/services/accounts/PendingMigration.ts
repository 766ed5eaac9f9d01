import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { pdsOf } from "../../core/identity/didDocument.ts"
import { type Account, AccountStore, inactiveStatus } from "./AccountStore.ts"
import { Alarm } from "../host/Alarm.ts"
import { Config } from "../host/Config.ts"
import { Identity } from "../identity/Identity.ts"
import { isServedHere } from "../identity/HostedDidDocument.ts"

/** How long an account that moves in is kept after the last call of its owner, in milliseconds. */
const keptFor = 14 * 24 * 3_600_000

/** A deadline is moved on when it would be by so much, in milliseconds: it is a row each time. */
const step = 3_600_000

/** When an account is looked at again that may still be wanted, in milliseconds. */
const again = 24 * 3_600_000

/** An account that has moved in, and was never active here: nobody has heard of it yet. */
export class PendingMigration extends Context.Service<
  PendingMigration,
  {
    /** Until when it is waited for, in milliseconds; nothing for an account that has been active here. */
    until(): number | undefined
    /** Waits until then, or no longer at all: the account is here to stay. */
    set(until: number | undefined): Effect.Effect<void>
  }
>()("nacre/services/PendingMigration") {}

const waitFor = Effect.fnUntraced(function* (millis: number) {
  const until = (yield* Clock.currentTimeMillis) + millis
  yield* (yield* PendingMigration).set(until)
  yield* (yield* Alarm).by(until)
})

/** The account has come, and is not active yet. */
export const beginMigration = waitFor(keptFor)

/** Its owner is still at it. */
export const continueMigration = Effect.gen(function* () {
  const until = (yield* PendingMigration).until()
  if (until === undefined) return
  const later = (yield* Clock.currentTimeMillis) + keptFor
  if (later - until >= step) yield* (yield* PendingMigration).set(later)
})

/** Whether the DID is known to lead to another server, asked past every cache; one that names none does not. */
const leadsElsewhere = Effect.fnUntraced(function* ({ did }: Account) {
  const settings = yield* Config
  if (isServedHere(did, settings)) return false
  return yield* (yield* Identity).resolveDid(did, { fresh: true }).pipe(
    // The host alone: an address of this server in other words would keep the account from being active, no more.
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
 * The account, if it has been waited for long enough and in vain; one that may still be wanted is waited for again.
 *
 * One whose DID leads here or nowhere, or cannot be resolved, may be somebody's only one. One that is taken down is
 * kept so.
 */
export const abandonedMigration = Effect.gen(function* () {
  const account = (yield* AccountStore).peek()
  const pending = yield* PendingMigration
  const until = pending.until()
  if (account === undefined || until === undefined) return undefined
  if (inactiveStatus(account) === undefined) {
    // It is here to stay, whatever has kept that from being noted.
    yield* pending.set(undefined)
    return undefined
  }
  if ((yield* Clock.currentTimeMillis) < until) {
    yield* (yield* Alarm).by(until)
    return undefined
  }
  const isLost = account.takedown === undefined && (yield* leadsElsewhere(account))
  // Its owner may have come back while the DID was asked for.
  const later = pending.until()
  if (later !== until) {
    if (later !== undefined) yield* (yield* Alarm).by(later)
    return undefined
  }
  if (isLost) return account
  yield* waitFor(again)
  return undefined
})
