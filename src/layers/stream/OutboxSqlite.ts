import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { AccountStore } from "../../services/accounts/AccountStore.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { Background } from "../../services/host/Background.ts"
import { Backlog } from "../../services/stream/Backlog.ts"
import { Outbox } from "../../services/stream/Outbox.ts"
import {
  type OutboxEvent,
  Sequencer,
  SequencerUnavailable
} from "../../services/stream/Sequencer.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { OutboxRows } from "./outboxRows.ts"

/**
 * The pause after an event that came while the log took another, and after several at once, in
 * milliseconds; there is none after a lone event.
 */
const pause = { single: 2, several: 8 }

/** Delay until the alarm delivers what failed at first, in milliseconds. */
const retryAfter = 2000

/**
 * A call of the log without a response for this long is given up, in milliseconds; if it still
 * succeeds, the log skips the retry.
 */
const patience = 20_000

/** When the host hears of an outbox that doesn't drain: first, and again, in milliseconds. */
const noted = { after: 5 * 60_000, again: 10 * 60_000 }

/** An account's outbox in its object's SQLite. */
export const layer = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const sequencer = yield* Sequencer
    const { appendNow } = sequencer
    const alarm = yield* Alarm
    const background = yield* Background
    const clock = yield* Clock.Clock
    const rows = new OutboxRows(sql, () => clock.currentTimeMillisUnsafe())
    let delivering: { readonly since: number; readonly giveUp?: () => void } | undefined
    let flushing = false
    let pace: keyof typeof pause | "none" = "none"
    let notedAt = -Infinity

    const noAnswer = () => new SequencerUnavailable({ operation: "append", cause: "no answer" })

    /** Calls the log for a request. A timer for each call would cost more: the alarm gives it up. */
    const append = (did: string, events: ReadonlyArray<OutboxEvent>) =>
      Effect.contextWith((services: Context.Context<never>) =>
        Effect.callback<number, SequencerUnavailable>((resume) => {
          delivering = {
            since: clock.currentTimeMillisUnsafe(),
            giveUp: () => resume(Effect.fail(noAnswer()))
          }
          const called = Effect.runForkWith(services)(sequencer.append(did, events))
          called.addObserver(resume)
          return Fiber.interrupt(called)
        })
      )

    /** Calls the log for the alarm, which doesn't ring again while it waits. */
    const appendInTime: typeof append = (did, events) =>
      Effect.timeoutOrElse(sequencer.append(did, events), {
        duration: patience,
        orElse: () => Effect.fail(noAnswer())
      })

    const nextEvents = (isFirst: boolean) => {
      const events = rows.next()
      pace = events.length > 1 ? "several" : isFirst ? "none" : "single"
      return events
    }

    const handOver = Effect.fnUntraced(function* (call: typeof append) {
      const { did } = yield* accounts.get
      pace = "none"
      for (let isFirst = true; rows.mayWait(); isFirst = false) {
        const events = nextEvents(isFirst)
        if (events.length === 0) return
        rows.take(events, yield* call(did, events))
      }
    })

    const retryTime = () => clock.currentTimeMillisUnsafe() + retryAfter

    const retryLater = Effect.suspend(() => alarm.by(retryTime()))

    const noteBacklog = Effect.gen(function* () {
      const backlog = yield* Backlog
      const did = accounts.peek()?.did
      if (backlog === undefined || did === undefined) return
      const now = yield* Clock.currentTimeMillis
      const { events, first } = rows.waiting()
      // Ids are microseconds.
      const since = Math.floor(first / 1000)
      if (now - since < noted.after || now - notedAt < noted.again) return
      notedAt = now
      yield* Effect.ignore(backlog.note(did, { events, since }, now))
    })

    const undelivered = (cause: Cause.Cause<unknown>) =>
      Effect.andThen(
        Effect.logWarning("event not delivered yet", cause),
        Effect.andThen(noteBacklog, retryLater)
      )

    const handOverAlone = (call: typeof append) =>
      Effect.suspend(() => {
        // One hand-over at a time keeps the order; a running one also takes later events. It may be
        // cut off, so an alarm that fires while it runs must not be the last.
        const now = clock.currentTimeMillisUnsafe()
        if (delivering !== undefined) {
          if (now - delivering.since >= patience) delivering.giveUp?.()
          return retryLater
        }
        delivering = { since: now }
        return handOver(call).pipe(
          Effect.catchTag("RepoNotFound", () => Effect.void),
          // Includes defects: whatever went wrong, waiting events must not wait for the next write.
          Effect.catchCause(undelivered),
          Effect.ensuring(Effect.sync(() => (delivering = undefined)))
        )
      })

    const deliver = Effect.andThen(
      handOverAlone(appendInTime),
      Effect.sync(() => {
        rows.removeTaken()
        rows.settle()
      })
    )

    /** Sends a lone event at once; on a busy account, those within the pause go together. */
    const deliverInTurns = Effect.gen(function* () {
      // The response to the client goes first.
      yield* Effect.yieldNow
      while (rows.mayWait()) {
        const before = rows.takenId
        yield* handOverAlone(append)
        if (rows.takenId === before) return
        if (pace !== "none") yield* Effect.sleep(pause[pace])
      }
    }).pipe(Effect.ensuring(Effect.sync(() => (flushing = false))))

    /** Calls the log without a fiber, until nothing waits; otherwise as a hand-over does. */
    const handOverNow = async (did: string, call: NonNullable<typeof appendNow>): Promise<void> => {
      pace = "none"
      for (let isFirst = true; rows.mayWait(); isFirst = false) {
        const events = nextEvents(isFirst)
        if (events.length === 0) return
        const answer = new Promise<number>((done, fail) => {
          const giveUp = () => fail(noAnswer())
          delivering = { since: clock.currentTimeMillisUnsafe(), giveUp }
          call(did, events).then(done, fail)
        })
        rows.take(events, await answer)
      }
    }

    /** Does what `deliverInTurns` does; the platform sends its first call with the response. */
    const deliverNow = async (
      call: NonNullable<typeof appendNow>,
      services: Context.Context<never>
    ): Promise<void> => {
      try {
        // Changes of the same turn go together.
        await undefined
        while (rows.mayWait()) {
          const did = accounts.peek()?.did
          const before = rows.takenId
          if (did === undefined || delivering !== undefined) return
          await handOverNow(did, call).finally(() => (delivering = undefined))
          if (rows.takenId === before) return
          if (pace !== "none") await Effect.runPromiseWith(services)(Effect.sleep(pause[pace]))
        }
      } catch (cause) {
        Effect.runForkWith(services)(undelivered(Cause.fail(cause)))
      } finally {
        flushing = false
      }
    }

    /** Starts to send, unless that runs; false if it takes a fiber. */
    const startNow = (services: Context.Context<never>): boolean => {
      if (!flushing && appendNow === undefined) return false
      rows.settle()
      if (!flushing && appendNow !== undefined) {
        flushing = true
        void deliverNow(appendNow, services)
      }
      return true
    }

    const flush = Effect.contextWith((services: Context.Context<never>) =>
      Effect.suspend(() => {
        if (startNow(services)) return Effect.void
        rows.settle()
        flushing = true
        return background.run(deliverInTurns)
      })
    )

    return Outbox.of({
      push: (event) => rows.push(event),
      deliver,
      flush: Effect.andThen(retryLater, flush),
      flushNow: (services) => {
        if (!startNow(services)) return false
        // In this turn, so it is stored with what waits.
        if (!alarm.isSetBy(retryTime())) Effect.runForkWith(services)(retryLater)
        return true
      },
      get waiting() {
        return rows.waiting().events
      }
    })
  })
)
