import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Alarm } from "../../services/host/Alarm.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "./sql/bounds.ts"

/** The alarms of all accounts on one machine, by DID. */
export interface Alarms {
  /** An account's alarm. */
  of(did: string): Alarm["Service"]
  /** Drops the alarm of a deleted account. */
  forget(did: string): void
  /** Rings what is due, from now until the scope closes; `ring` does one account's work. */
  start(ring: (did: string) => Effect.Effect<void>): Effect.Effect<void, never, Scope.Scope>
}

export const tables: ReadonlyArray<string> = [
  "CREATE TABLE IF NOT EXISTS alarm (did TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"
]

/** Accounts whose work runs at once: all others answer requests meanwhile. */
const width = 4

/** The longest single wait: timers have 32 bits. */
const longestSleep = 2 ** 31 - 1

/** How long failed work waits for its next try, in milliseconds. */
const patience = 30_000

/**
 * Alarms kept in a database and rung by one timer.
 *
 * A row goes only after its work, so an alarm that a crash interrupts rings again after the start.
 */
export const make = (sql: SqlStorage["Service"]): Effect.Effect<Alarms> =>
  Effect.gen(function* () {
    for (const table of tables) sql.exec(table)
    const clock = yield* Clock.Clock
    const due = new Map<string, number>()
    /** Work in progress, with the next alarm that it asked for. */
    const ringing = new Map<string, number | undefined>()
    for (const { did, at } of sql.exec<{ did: string; at: number }>("SELECT * FROM alarm")) {
      due.set(did, at)
    }
    const turns = yield* Semaphore.make(width)
    /** Looks at the alarms again, after an earlier one was set. */
    let look: () => void = () => {}
    /** When the timer looks next, in milliseconds. */
    let next = 0

    const set = (did: string, at: number): void => {
      due.set(did, at)
      sql.exec("INSERT OR REPLACE INTO alarm (did, at) VALUES (?, ?)", did, at)
    }

    const isSetBy = (did: string, at: number): boolean => {
      const known = ringing.has(did) ? ringing.get(did) : due.get(did)
      return known !== undefined && known <= at
    }

    const by = (did: string, at: number): void => {
      if (isSetBy(did, at)) return
      if (ringing.has(did)) {
        ringing.set(did, at)
        return
      }
      set(did, at)
      if (at < next) look()
    }

    const forget = (did: string): void => {
      due.delete(did)
      if (ringing.has(did)) ringing.set(did, undefined)
      sql.exec("DELETE FROM alarm WHERE did = ?", did)
    }

    /** The work of one account; the row changes after it. */
    const work = (did: string, ring: (did: string) => Effect.Effect<void>) =>
      ring(did).pipe(
        Effect.matchCauseEffect({
          onSuccess: () => Effect.sync(() => ringing.get(did)),
          onFailure: (cause) =>
            Effect.as(
              Effect.logError("the alarm's work failed", cause),
              clock.currentTimeMillisUnsafe() + patience
            )
        }),
        Effect.map((asked) => {
          ringing.delete(did)
          if (asked === undefined) forget(did)
          else set(did, asked)
        }),
        // While the disk takes no row, the alarm is only in memory; after a restart the old row rings.
        Effect.catchDefect((defect) =>
          Effect.andThen(
            Effect.logError("an alarm's row couldn't be written", defect),
            Effect.sync(() => void due.set(did, clock.currentTimeMillisUnsafe() + patience))
          )
        ),
        Effect.map(() => {
          if ((due.get(did) ?? Number.POSITIVE_INFINITY) < next) look()
        }),
        turns.withPermit
      )

    const start: Alarms["start"] = Effect.fnUntraced(function* (ring) {
      const timer = yield* FiberHandle.make()
      const scope = yield* Effect.scope
      const run = yield* FiberHandle.runtime(timer)()
      const wait: Effect.Effect<void> = Effect.suspend(() => {
        const now = clock.currentTimeMillisUnsafe()
        next = Number.POSITIVE_INFINITY
        const ready: Array<string> = []
        for (const [did, at] of due) {
          if (at <= now) ready.push(did)
          else next = Math.min(next, at)
        }
        for (const did of ready) {
          due.delete(did)
          ringing.set(did, undefined)
        }
        // A new look interrupts this one, but never between an account's two states.
        const begin = Effect.forEach(ready, (did) => Effect.forkIn(work(did, ring), scope), {
          discard: true
        }).pipe(Effect.uninterruptible)
        if (next === Number.POSITIVE_INFINITY) return begin
        return begin.pipe(
          Effect.andThen(Effect.sleep(Math.min(next - now, longestSleep))),
          Effect.andThen(wait)
        )
      })
      look = () => void run(wait)
      yield* Effect.addFinalizer(() => Effect.sync(() => (look = () => {})))
      look()
    })

    return {
      of: (did) =>
        Alarm.of({
          by: (at) => Effect.sync(() => by(did, at)),
          isSetBy: (at) => isSetBy(did, at)
        }),
      forget,
      start
    }
  })

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  alarm: {
    filledBy: "the server",
    bound: "one row for each account",
    bytes: 2100,
    per: "account"
  }
})
