import type { SqlStorage } from "../../services/host/SqlStorage.ts"
import { notesOver } from "../sessions/sessionCounts.ts"

/** The most ended sessions that are remembered for unredeemed codes. */
export const mostEnded = 1000

/** The sessions that ended a short time ago, so codes on their way open none of them. */
export const endedSessions = (sql: SqlStorage["Service"]) => {
  const notes = notesOver(sql)
  const put = (id: string, now: number): void => {
    sql.exec("INSERT OR REPLACE INTO oauth_over VALUES (?, ?)", id, now)
  }

  /** Notes that all sessions ended, so unredeemed codes open none. */
  const noteAll = (now: number): void => {
    sql.exec("DELETE FROM oauth_over")
    notes.write("oauth_over", 0)
    put("", now)
  }

  return {
    noteAll,
    /** Notes that a session ended; at the limit, all unredeemed codes become invalid. */
    note: (id: string, now: number): void => {
      const there = notes.read("oauth_over") ?? 0
      if (there >= mostEnded) return noteAll(now)
      notes.write("oauth_over", there + 1)
      put(id, now)
    },
    /** When a session ended, or with an empty id all of them. */
    since: (id: string): number | undefined =>
      sql.exec<{ at: number }>("SELECT at FROM oauth_over WHERE id = ?", id).toArray()[0]?.at,
    /** Removes what ended before a time. */
    sweep: (before: number): void => {
      sql.exec("DELETE FROM oauth_over WHERE at <= ?", before)
      const [over] = sql.exec<{ n: number }>("SELECT count(*) AS n FROM oauth_over").toArray()
      notes.write("oauth_over", over?.n ?? 0)
    }
  }
}
