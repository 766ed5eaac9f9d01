import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  deviceOf,
  forgets,
  type HistoryEntry,
  type HistoryEvent,
  type HistoryKind,
  isMailed,
  mailsADay,
  type RefusedWay,
  shortened
} from "../../core/accounts/history.ts"
import { AccountHistory } from "../../services/accounts/AccountHistory.ts"
import { SqlStorage, type SqlValue } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row an entry; refused attempts of a day share one. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS account_history (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
  ) WITHOUT ROWID`
]

/** The most entries, and the most bytes of their details. */
export const budget = { rows: 500, bytes: 64 * 1024 }

const day = 86_400_000

interface Row extends Record<string, SqlValue> {
  seq: number
  at: number
  kind: string
  detail: string
}

/** What memory holds of an entry. */
interface Known {
  readonly seq: number
  readonly at: number
  readonly event: HistoryEvent
  readonly bytes: number
}

// SAFETY: only the code below writes kind and detail, from values of these types.
const entryOf = ({ seq, at, kind, detail }: Row): HistoryEntry => ({
  ...(JSON.parse(detail) as Omit<HistoryEvent, "kind">),
  seq,
  at,
  kind: kind as HistoryKind
})

const utf8 = new TextEncoder()

/** The entries in memory, oldest first, with what has to be known of them to add another. */
const rememberedIn = (sql: SqlStorage["Service"]) => {
  let known: Array<Known> | undefined

  const all = (): Array<Known> =>
    (known ??= sql
      .exec<Row>("SELECT * FROM account_history ORDER BY seq")
      .toArray()
      .map((row) => {
        const { seq, at, ...event } = entryOf(row)
        return { seq, at, event, bytes: utf8.encode(row.detail).byteLength }
      }))

  /** The devices that an owner has signed in from, unless an app or app password has gone since. */
  const devices = (): ReadonlySet<string> => {
    let signIns: Array<HistoryEvent> = []
    for (const { event } of all()) {
      const isOwn = event.kind === "created" && event.by === undefined
      if (event.kind === "sign-in" || isOwn) signIns.push(event)
      signIns = signIns.filter((signIn) => !forgets(event, signIn))
    }
    return new Set(signIns.map(deviceOf))
  }

  return {
    all,
    devices,
    forget: () => {
      known = undefined
    }
  }
}

/** An account's history in the object's SQLite. */
export const layer: Layer.Layer<AccountHistory, never, SqlStorage> = Layer.effect(
  AccountHistory,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const { all, devices, forget } = rememberedIn(sql)
    let unsent: Array<HistoryEntry> = []

    /** Writes an entry, in the place of the oldest one if there are too many. */
    const write = (event: HistoryEvent, now: number): HistoryEntry => {
      const { kind, ...rest } = shortened(event)
      const entries = all()
      const detail = JSON.stringify(rest)
      const bytes = utf8.encode(detail).byteLength
      const entry = { ...rest, kind, seq: (entries.at(-1)?.seq ?? 0) + 1, at: now }
      const oldest = entries.length >= budget.rows ? entries.shift() : undefined
      const query = "UPDATE account_history SET seq = ?, at = ?, kind = ?, detail = ? WHERE seq = ?"
      const isReplaced =
        oldest !== undefined &&
        sql.exec(query, entry.seq, now, kind, detail, oldest.seq).rowsWritten > 0
      if (!isReplaced) {
        sql.exec("INSERT INTO account_history VALUES (?, ?, ?, ?)", entry.seq, now, kind, detail)
      }
      entries.push({ seq: entry.seq, at: now, event: { kind, ...rest }, bytes })
      let total = entries.reduce((sum, one) => sum + one.bytes, 0)
      while (total > budget.bytes && entries.length > 1) {
        const gone = entries.shift()!
        total -= gone.bytes
        sql.exec("DELETE FROM account_history WHERE seq = ?", gone.seq)
      }
      return entry
    }

    /** Writes an entry and, within the day's bound, queues it for a mail. */
    const note = (event: HistoryEvent, now: number): void => {
      const same = all().filter(({ at, event: { kind } }) => at > now - day && kind === event.kind)
      const entry = write(event, now)
      if (isMailed(event) && same.length < mailsADay) unsent.push(entry)
    }

    /** The entry of today's refused attempts. */
    const today = (now: number): Known | undefined => {
      const last = all().findLast(({ event: { kind } }) => kind === "refused")
      const isToday = last !== undefined && Math.floor(last.at / day) === Math.floor(now / day)
      return isToday ? last : undefined
    }

    /** A failed transaction takes its rows back, so memory reads them again. */
    const safely = <A>(change: () => A): A => {
      try {
        return sql.transaction(change)
      } catch (error) {
        forget()
        throw error
      }
    }

    return AccountHistory.of({
      note: (event, now) => safely(() => note(event, now)),
      signedIn: (event, now) => {
        const known = devices()
        const isOwn = event.way === "browser" || event.way === "password"
        const isKnown =
          known.has(deviceOf(event)) ||
          (isOwn && known.has(deviceOf({ ...event, kind: "created" })))
        if (!isKnown) safely(() => note(event, now))
      },
      refused: (way: RefusedWay, now) =>
        safely(() => {
          const found = today(now)
          if (found === undefined) {
            write({ kind: "refused", refused: { [way]: 1 }, until: now }, now)
            return
          }
          const { refused = {} } = found.event
          const event = {
            kind: "refused",
            refused: { ...refused, [way]: (refused[way] ?? 0) + 1 },
            until: now
          } as const
          const { kind: _, ...rest } = event
          const detail = JSON.stringify(rest)
          sql.exec("UPDATE account_history SET detail = ? WHERE seq = ?", detail, found.seq)
          const bytes = utf8.encode(detail).byteLength
          all().splice(all().indexOf(found), 1, { ...found, event, bytes })
        }),
      page: ({ before, limit }) => {
        const rows = sql
          .exec<Row>(
            "SELECT * FROM account_history WHERE seq < ? ORDER BY seq DESC LIMIT ?",
            before ?? Number.MAX_SAFE_INTEGER,
            limit
          )
          .toArray()
        const last = rows.length === limit ? rows.at(-1) : undefined
        const entries = rows.map(entryOf)
        return last === undefined ? { entries } : { entries, cursor: last.seq }
      },
      refusedSince: (time) => {
        const sums: Partial<Record<RefusedWay, number>> = {}
        for (const { event } of all()) {
          if ((event.until ?? 0) < time) continue
          for (const [way, count] of Object.entries(event.refused ?? {})) {
            sums[way as RefusedWay] = (sums[way as RefusedWay] ?? 0) + count
          }
        }
        return sums
      },
      hasUnsent: () => unsent.length > 0,
      takeUnsent: () => {
        const taken = unsent
        unsent = []
        return taken
      },
      forget
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  account_history: {
    filledBy: "its owner, refused sign-ins, operators",
    bound: "500 entries and 64 KiB; the oldest go",
    bytes: 128 * 1024,
    per: "account"
  }
})
