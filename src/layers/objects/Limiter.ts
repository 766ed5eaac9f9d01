import { createHmac } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { sha256 } from "../../core/repo/cid.ts"
import type * as Redacted from "effect/Redacted"
import { hkdfKey } from "../../services/host/derivedSecrets.ts"
import {
  exceededBy,
  Limiter,
  LimiterUnavailable,
  takeFrom,
  type Taken,
  type Taking,
  type Windows
} from "../../services/limits/Limiter.ts"
import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { makeTables } from "../host/sql/objectTables.ts"

/** A request to a Limiter object: the key hashed, the time from the caller. */
export interface LimiterTaking extends Omit<Taking, "address"> {
  readonly now: number
}

/** A Limiter object's response. */
export type LimiterAnswer =
  | Pick<Extract<Taken, { state: unknown }>, "state">
  | Extract<Taken, { exceeded: unknown }>

/**
 * The most counters in an object among keys with the same first two characters; those that end
 * first are evicted. Keys are HMACs, so nobody can choose names that evict a given counter.
 */
export const perBucket = 16

/** How often an object deletes expired counters, in milliseconds. */
const pruneEvery = 3_600_000

/** The one alarm of a Limiter object. */
export interface LimiterAlarm {
  readonly get: () => Promise<number | null>
  readonly set: (time: number) => Promise<void>
}

/**
 * A Limiter object: one row for each key, written once for each take, deleted by the alarm.
 *
 * A take that is rejected, or takes no point, writes nothing.
 */
export const makeObject = (sql: SqlStorage["Service"], alarm: LimiterAlarm) => {
  makeTables(sql, [
    "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, windows TEXT NOT NULL, ends INTEGER NOT NULL) WITHOUT ROWID"
  ])
  let armed = false

  const take = async (taking: LimiterTaking): Promise<LimiterAnswer> => {
    const { key, points, limits, now } = taking
    const [row] = sql
      .exec<{ windows: string }>("SELECT windows FROM counters WHERE key = ?", key)
      .toArray()
    // SAFETY: only this function writes the column.
    const before = row === undefined ? undefined : (JSON.parse(row.windows) as Windows)
    const taken = takeFrom(before, points, limits, now)
    if ("exceeded" in taken) return taken
    if (points === 0) return { state: taken.state }
    const ends = Math.max(
      ...taken.windows.map(({ from }, index) => from + (limits[index]?.windowSeconds ?? 0) * 1000)
    )
    const windows = JSON.stringify(taken.windows)
    sql.exec("INSERT OR REPLACE INTO counters VALUES (?, ?, ?)", key, windows, ends)
    if (row === undefined) {
      sql.exec(
        `DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE key >= ? AND key < ?
          ORDER BY ends DESC, key <> ? LIMIT -1 OFFSET ?)`,
        key.slice(0, 2),
        `${key.slice(0, 2)}~`,
        key,
        perBucket
      )
    }
    if (!armed) {
      armed = true
      if ((await alarm.get()) === null) await alarm.set(now + pruneEvery)
    }
    return { state: taken.state }
  }

  /** Deletes expired counters; schedules the alarm again while counters remain. */
  const prune = async (now: number): Promise<void> => {
    sql.exec("DELETE FROM counters WHERE ends <= ?", now)
    const left = sql.exec("SELECT 1 FROM counters LIMIT 1").toArray().length > 0
    armed = left
    if (left) await alarm.set(now + pruneEvery)
  }

  return {
    take,
    prune,
    counters: () =>
      sql.exec<{ n: number }>("SELECT count(*) AS n FROM counters").toArray()[0]?.n ?? 0
  }
}

/** The methods of a Limiter object. */
export interface LimiterStub {
  take(taking: LimiterTaking): Promise<LimiterAnswer>
}

const shards = 64

/**
 * The limiter in Durable Objects, sharded by address: a flood affects at most a 64th of the
 * addresses.
 *
 * A failing object is called once more; then the request is rejected, so a flood can't disable
 * the limits.
 */
export const layer = (
  stubOf: (shard: string) => LimiterStub,
  masterKey: Redacted.Redacted<Uint8Array>
): Layer.Layer<Limiter> => {
  const secret = hkdfKey(masterKey, "limiter keys")
  return Layer.succeed(
    Limiter,
    Limiter.of({
      take: Effect.fn("Limiter.take")(function* ({ address, key, points, limits }: Taking) {
        const now = yield* Clock.currentTimeMillis
        const shard = `limiter-${(sha256(address)[0] ?? 0) % shards}`
        const hashed = createHmac("sha256", secret)
          .update(JSON.stringify([address, key]))
          .digest("base64url")
        const answer = yield* Effect.tryPromise({
          try: () => stubOf(shard).take({ key: hashed, points, limits, now }),
          catch: (cause) => new LimiterUnavailable({ cause })
        }).pipe(Effect.retry({ times: 1 }))
        if ("exceeded" in answer) return yield* exceededBy(answer.exceeded, now)
        return answer.state
      })
    })
  )
}

/** The bounds of this table, for all 64 objects together. */
export const bounds = (): Bounds => ({
  counters: {
    filledBy: "anybody",
    bound: "65,536 counters in each of 64 objects; those that end first go",
    bytes: 64 * 64 * 64 * 16 * 256,
    per: "host"
  }
})
