import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import {
  type Announcement,
  Announcements,
  type AnnouncementState
} from "../../services/mail/Announcements.ts"
import * as Directory from "../accounts/DirectoryD1.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row an announcement; `state` is its progress as JSON, `holder` who sends until `lease`. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS announcement (
    id INTEGER PRIMARY KEY, subject TEXT NOT NULL, body TEXT NOT NULL, dids TEXT,
    created_at INTEGER NOT NULL, ended_at INTEGER, state TEXT NOT NULL,
    holder TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0
  )`
]

/** How many announcements are under way at most, and how many are kept. */
const most = { open: 3, kept: 20 }

interface Row {
  readonly id: number
  readonly subject: string
  readonly body: string
  readonly dids: string | null
  readonly created_at: number
  readonly ended_at: number | null
  readonly state: string
}

const fresh: AnnouncementState = {
  cursor: "",
  tries: 0,
  sent: 0,
  withoutAddress: 0,
  unconfirmed: 0,
  failed: [],
  interrupted: []
}

const announcementOf = (row: Row): Announcement => ({
  id: row.id,
  subject: row.subject,
  body: row.body,
  // SAFETY: `create` wrote it.
  ...(row.dids === null ? {} : { dids: JSON.parse(row.dids) as ReadonlyArray<string> }),
  createdAt: row.created_at,
  ...(row.ended_at === null ? {} : { endedAt: row.ended_at }),
  // SAFETY: `create` and `save` wrote it.
  state: JSON.parse(row.state) as AnnouncementState
})

/** Announcements in the host's database. */
export const layer: Layer.Layer<Announcements, never, HostDatabase> = Layer.effect(
  Announcements,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql, batch } = database
    const { once, repeatable } = queriesOver(
      database,
      [...Directory.tables, ...tables],
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    return Announcements.of({
      audience: Effect.map(
        repeatable(
          "audience",
          sql<{ accounts: number; mailed: number }>`SELECT count(*) AS accounts,
            count(email) AS mailed FROM accounts WHERE status = 'active'`
        ),
        ([row]) => ({
          accounts: row?.accounts ?? 0,
          withoutAddress: (row?.accounts ?? 0) - (row?.mailed ?? 0)
        })
      ),
      create: Effect.fn("Announcements.create")(function* ({ subject, body, dids, createdAt }) {
        const list = dids === undefined ? null : JSON.stringify(dids)
        const [rows] = yield* once(
          "createAnnouncement",
          batch([
            sql`INSERT INTO announcement (subject, body, dids, created_at, state)
              SELECT ${subject}, ${body}, ${list}, ${createdAt}, ${JSON.stringify(fresh)}
              WHERE (SELECT count(*) FROM announcement WHERE ended_at IS NULL) < ${most.open}
              RETURNING id`,
            sql`DELETE FROM announcement WHERE ended_at IS NOT NULL AND id NOT IN
              (SELECT id FROM announcement ORDER BY id DESC LIMIT ${most.kept})`
          ])
        )
        // SAFETY: the statement returns this one column.
        return (rows as ReadonlyArray<{ readonly id: number }>)[0]?.id
      }),
      list: Effect.map(
        repeatable(
          "announcements",
          sql<Row>`SELECT * FROM announcement ORDER BY id DESC LIMIT ${most.kept}`
        ),
        (rows) => rows.map(announcementOf)
      ),
      take: (holder, now, until) =>
        Effect.map(
          once(
            "takeAnnouncement",
            sql<Row>`UPDATE announcement SET holder = ${holder}, lease = ${until}
              WHERE id = (SELECT min(id) FROM announcement WHERE ended_at IS NULL) AND lease < ${now}
              RETURNING *`
          ),
          ([row]) => (row === undefined ? undefined : announcementOf(row))
        ),
      save: (id, holder, { state, until, endedAt }) =>
        Effect.map(
          repeatable(
            "saveAnnouncement",
            sql<{ id: number }>`UPDATE announcement SET state = ${JSON.stringify(state)},
              lease = ${until}, ended_at = ${endedAt ?? null}
              WHERE id = ${id} AND holder = ${holder} RETURNING id`
          ),
          (rows) => rows.length > 0
        )
    })
  })
)

/** What bounds this table. */
export const bounds = (): Bounds => ({
  announcement: {
    filledBy: "admins",
    bound: "20 announcements of 64 KiB; the oldest go",
    bytes: 24 * 256 * 1024,
    per: "host"
  }
})
