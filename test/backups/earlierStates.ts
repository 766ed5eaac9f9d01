import * as Effect from "effect/Effect"
import { dropTables } from "../../src/layers/accounts/AccountStoreSqlite.ts"
import { ObjectRestarted, type WayBack } from "../../src/layers/objects/AccountsMemory.ts"
import { PointInTimeOff } from "../../src/services/backups/pointInTime/PointInTime.ts"
import type { SqlStorage, SqlValue } from "../../src/services/host/SqlStorage.ts"

type Sql = SqlStorage["Service"]
type Row = Record<string, SqlValue>

/** A whole database, with the mark of its object. */
interface State {
  readonly at: number
  readonly creates: ReadonlyArray<string>
  readonly rows: ReadonlyArray<readonly [table: string, rows: ReadonlyArray<Row>]>
  readonly mark: string | undefined
}

const copyOf = (sql: Sql, at: number, mark: string | undefined): State => {
  const made = sql
    .exec<{ type: string; name: string; sql: string }>(
      "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC"
    )
    .toArray()
  return {
    at,
    mark,
    creates: made.map((one) => one.sql),
    rows: made
      .filter(({ type }) => type === "table")
      .map(({ name }) => [name, sql.exec<Row>(`SELECT * FROM "${name}"`).toArray()])
  }
}

const restore = (sql: Sql, { creates, rows }: State): void => {
  dropTables(sql)
  for (const create of creates) sql.exec(create)
  for (const [table, all] of rows) {
    for (const row of all) {
      // The driver binds empty bytes as NULL.
      const isEmpty = (value: SqlValue) => value instanceof Uint8Array && value.length === 0
      const places = Object.values(row).map((value) => (isEmpty(value) ? "x''" : "?"))
      sql.exec(
        `INSERT INTO "${table}" (${Object.keys(row).join(", ")}) VALUES (${places.join(", ")})`,
        ...Object.values(row).filter((value) => !isEmpty(value))
      )
    }
  }
}

/** A stand-in for a platform that keeps earlier states: those that a test takes. */
export const earlierStates = (now: () => number) => {
  const databases = new Map<string, Sql>()
  const states: Array<readonly [did: string, State]> = []
  const marks = new Map<string, string>()
  /** Restarts that are still to fail, as if the platform had no answer. */
  const failing = { goTo: 0 }
  let restarts = 0

  const take = (did: string): number => {
    const at = now()
    states.push([did, copyOf(databases.get(did)!, at, marks.get(did))])
    return states.length - 1
  }

  const wayBack: WayBack = (did, sql, forget) => {
    databases.set(did, sql)
    const restart = Effect.suspend(() => {
      restarts += 1
      forget()
      return Effect.die(new ObjectRestarted())
    })
    return {
      bookmarkAt: (time) =>
        Effect.suspend(() => {
          const found = states.findLastIndex(([one, { at }]) => one === did && at <= time)
          return found === -1
            ? Effect.fail(new PointInTimeOff({ problem: "that is too long ago" }))
            : Effect.succeed(String(found))
        }),
      now: Effect.sync(() => String(take(did))),
      goTo: (bookmark) =>
        Effect.suspend(() => {
          if (failing.goTo-- > 0) return restart
          const [, state] = states[Number(bookmark)]!
          restore(sql, state)
          if (state.mark === undefined) marks.delete(did)
          else marks.set(did, state.mark)
          return restart
        }),
      restart,
      mark: () => marks.get(did),
      setMark: (mark) => void marks.set(did, mark)
    }
  }
  return { wayBack, take, failing, restarts: () => restarts }
}
