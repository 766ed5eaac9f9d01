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
import { bytesOf, SqlStorage } from "../../services/host/SqlStorage.ts"
import { firstPart, laterParts, wholeFrame } from "./frameParts.ts"
import { readLastEvent } from "../repo/RepoHeadSqlite.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** Events that wait for the log; frames larger than a row continue in parts. */
export const tables = [
  "CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY, meta TEXT NOT NULL, frame BLOB NOT NULL)",
  `CREATE TABLE IF NOT EXISTS outbox_part (
    id INTEGER NOT NULL, part INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (id, part)
  ) WITHOUT ROWID`
]

/** The most events of one hand-over, and about how many bytes. */
const batch = { events: 200, bytes: 4_000_000 }

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

type Meta = Omit<OutboxEvent, "id" | "frame">

/** An account's outbox in its object's SQLite. */
export const layer = Layer.effect(
  Outbox,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const sequencer = yield* Sequencer
    const alarm = yield* Alarm
    const background = yield* Background
    const clock = yield* Clock.Clock
    let delivering: { readonly since: number; readonly giveUp?: () => void } | undefined
    let flushing = false
    let parts: boolean | undefined
    let givenId: number | undefined
    let lastId: number | undefined
    let takenId = 0
    /** The row of what the log has, if it is only one event. */
    let takenRow: number | undefined
    let pace: keyof typeof pause | "none" = "none"
    let removedId = 0
    let removing = 0
    let notedAt = -Infinity

    const highest = (): number => {
      for (const [id] of sql.exec("SELECT MAX(id) FROM outbox").raw()) return Number(id ?? 0)
      return 0
    }

    /** Whether events may be waiting; reads the table only after this object has started. */
    const mayWait = (): boolean => (lastId ??= highest()) > takenId

    const anyParts = (): boolean =>
      [...sql.exec("SELECT 1 FROM outbox_part LIMIT 1").raw()].length > 0

    /** Puts an event into the row of the one that the log has: a row more would be billed. */
    const replace = (id: number, meta: string, frame: Uint8Array): boolean => {
      if (takenRow === undefined || takenId <= removedId || (parts ??= anyParts())) return false
      removing = takenId
      const update = "UPDATE outbox SET id = ?, meta = ?, frame = ? WHERE id = ?"
      return sql.exec(update, id, meta, frame, takenRow).rowsWritten > 0
    }

    const insert = (id: number, meta: string, frame: Uint8Array): void => {
      // In this transaction: another one would cost another disk write.
      removeTaken()
      sql.exec("INSERT INTO outbox (id, meta, frame) VALUES (?, ?, ?)", id, meta, frame)
    }

    const push = ({ frame, ...meta }: Omit<OutboxEvent, "id">): number => {
      // Above every earlier id, even if the outbox is empty or the clock went back, because the log
      // skips other ids. Ids follow the clock so they also exceed those of a deleted and recreated
      // object.
      const last = (givenId ??= readLastEvent(sql))
      const id = Math.max(last + 1, clock.currentTimeMillisUnsafe() * 1000)
      givenId = id
      lastId = id
      const row = [id, JSON.stringify(meta), firstPart(frame)] as const
      if (!replace(...row)) insert(...row)
      let part = 0
      for (const bytes of laterParts(frame)) {
        parts = true
        sql.exec("INSERT INTO outbox_part (id, part, bytes) VALUES (?, ?, ?)", id, ++part, bytes)
      }
      return id
    }

    const laterPartsOf = "SELECT bytes FROM outbox_part WHERE id = ? ORDER BY part"

    const next = (): Array<OutboxEvent> => {
      const events: Array<OutboxEvent> = []
      let bytes = 0
      for (const [id, meta, frame] of sql
        .exec(
          "SELECT id, meta, frame FROM outbox WHERE id > ? ORDER BY id LIMIT ?",
          takenId,
          batch.events
        )
        .raw()) {
        const event = wholeFrame(sql, bytesOf(frame), laterPartsOf, Number(id))
        bytes += event.byteLength
        if (events.length > 0 && bytes > batch.bytes) break
        events.push({ id: Number(id), frame: event, ...(JSON.parse(String(meta)) as Meta) })
      }
      return events
    }

    /**
     * Removes what the log has taken; it counts as removed only after the transaction (`settled`).
     */
    const removeTaken = (): void => {
      if (takenId <= removedId) return
      sql.exec("DELETE FROM outbox WHERE id <= ?", takenId)
      if ((parts ??= anyParts())) sql.exec("DELETE FROM outbox_part WHERE id <= ?", takenId)
      removing = takenId
    }

    const settled = (): void => {
      if (removing <= removedId) return
      removedId = removing
      parts &&= mayWait()
    }

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

    const handOver = Effect.fnUntraced(function* (call: typeof append) {
      const { did } = yield* accounts.get
      pace = "none"
      for (let isFirst = true; mayWait(); isFirst = false) {
        const events = next()
        const last = events.at(-1)
        if (last === undefined) return
        pace = events.length > 1 ? "several" : isFirst ? "none" : "single"
        // Ids that the log already had also count as taken: it returns the highest.
        const isLone = events.length === 1 && takenId <= removedId
        takenId = Math.max(last.id, yield* call(did, events))
        takenRow = isLone && takenId === last.id ? last.id : undefined
      }
    })

    const retryTime = () => clock.currentTimeMillisUnsafe() + retryAfter

    const retryLater = Effect.suspend(() => alarm.by(retryTime()))

    const noteBacklog = Effect.gen(function* () {
      const backlog = yield* Backlog
      const did = accounts.peek()?.did
      if (backlog === undefined || did === undefined) return
      const now = yield* Clock.currentTimeMillis
      const query = "SELECT COUNT(*), MIN(id) FROM outbox WHERE id > ?"
      const [[events, first] = []] = sql.exec(query, takenId).raw()
      // Ids are microseconds.
      const since = Math.floor(Number(first ?? 0) / 1000)
      if (now - since < noted.after || now - notedAt < noted.again) return
      notedAt = now
      yield* Effect.ignore(backlog.note(did, { events: Number(events), since }, now))
    })

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
          Effect.catchCause((cause) =>
            Effect.andThen(
              Effect.logWarning("event not delivered yet", cause),
              Effect.andThen(noteBacklog, retryLater)
            )
          ),
          Effect.ensuring(Effect.sync(() => (delivering = undefined)))
        )
      })

    const deliver = Effect.andThen(
      handOverAlone(appendInTime),
      Effect.sync(() => {
        removeTaken()
        settled()
      })
    )

    /** Sends a lone event at once; on a busy account, those within the pause go together. */
    const deliverInTurns = Effect.gen(function* () {
      // The response to the client goes first.
      yield* Effect.yieldNow
      while (mayWait()) {
        const before = takenId
        yield* handOverAlone(append)
        if (takenId === before) return
        if (pace !== "none") yield* Effect.sleep(pause[pace])
      }
    }).pipe(Effect.ensuring(Effect.sync(() => (flushing = false))))

    const flush = Effect.suspend(() => {
      settled()
      if (flushing) return Effect.void
      flushing = true
      return background.run(deliverInTurns)
    })

    return Outbox.of({
      push,
      deliver,
      flush: Effect.andThen(retryLater, flush),
      flushNow: () => {
        if (!flushing || !alarm.isSetBy(retryTime())) return false
        settled()
        return true
      },
      get waiting() {
        const query = "SELECT COUNT(*) FROM outbox WHERE id > ?"
        for (const [count] of sql.exec(query, takenId).raw()) return Number(count)
        return 0
      }
    })
  })
)

/** The limits of these tables. */
export const bounds: Bounds = {
  outbox: {
    filledBy: "its owner's writes",
    bound: "what the Sequencer has not taken yet, of the points of `record`",
    bytes: 10_000_000_000,
    per: "account"
  },
  outbox_part: {
    filledBy: "its owner's writes",
    bound: "the rest of long frames of `outbox`",
    bytes: 10_000_000_000,
    per: "account"
  }
}
