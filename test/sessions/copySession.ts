import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import { kindOf, newSessionId } from "../../src/core/sessions/sessionId.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"

/**
 * Stores copies of a session, one a second, and counts them; opening a thousand takes seconds.
 * Returns their ids.
 */
export const copySession = Effect.fnUntraced(function* (
  table: "session" | "oauth_session",
  id: string,
  count: number
) {
  const sql = yield* SqlStorage
  const now = yield* Clock.currentTimeMillis
  const kind = kindOf(id)!
  const [row] = sql.exec(`SELECT * FROM ${table} WHERE id = ?`, id).toArray()
  const ids = Array.from({ length: count }, (_, at) => newSessionId(kind, now + (at + 1) * 1000))
  const places = Object.keys(row!).map(() => "?")
  sql.transaction(() => {
    for (const copy of ids) {
      const values = Object.values({ ...row, id: copy })
      sql.exec(`INSERT INTO ${table} VALUES (${places})`, ...values)
    }
    sql.exec("UPDATE session_note SET value = value + ? WHERE name = ?", count, kind)
  })
  yield* TestClock.adjust(count * 1000)
  return ids
})
