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

/** A taking as it is sent to an object: the key hashed, the time told by the caller. */
export interface LimiterTaking extends Omit<Taking, "address"> {
  readonly now: number
}

/** What a Limiter object answers. */
export type LimiterAnswer =
  | Pick<Extract<Taken, { state: unknown }>, "state">
  | Extract<Taken, { exceeded: unknown }>

/**
 * How many counters an object holds at most of those whose keys begin with the same two characters; those that end first
 * go first. The keys are an HMAC, so nobody can tell which names would push a counter out.
 */
export const perBucket = 16

/** How often an object looks for counters that have run out. */
const pruneEvery = 3_600_000

/** The one alarm of a Limiter object. */
export interface LimiterAlarm {
  readonly get: () => Promise<number | null>
  readonly set: (time: number) => Promise<void>
}

/**
 * The inside of a Limiter object: one row a key, written once a taking, swept by the alarm.
 *
 * A taking that is refused, or takes no point, writes nothing.
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
    // SAFETY: the column holds what this function wrote.
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

  /** Sweeps what has run out; rings again while counters are left. */
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

/** Reaches a Limiter object. */
export interface LimiterStub {
  take(taking: LimiterTaking): Promise<LimiterAnswer>
}

const shards = 64

/**
 * The limiter in Durable Objects, sharded by address: one that floods disturbs a 64th at most.
 *
 * An object that fails is asked once more; then the request is turned away, for a flood must not open the door.
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

/** What bounds this table: of all 64 objects together. */
export const bounds: Bounds = {
  counters: {
    filledBy: "anybody",
    bound: "65,536 counters in each of 64 objects; those that end first go",
    bytes: 64 * 64 * 64 * 16 * 256,
    per: "host"
  }
}
