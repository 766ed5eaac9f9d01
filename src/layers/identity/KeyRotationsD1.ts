import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { DirectoryUnavailable } from "../../services/accounts/Directory.ts"
import {
  type HostKeyRotation,
  KeyRotations,
  type MasterRotation
} from "../../services/identity/keys/KeyRotations.ts"
import * as Directory from "../accounts/DirectoryD1.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { HostDatabase, queriesOver } from "../host/sql/HostDatabase.ts"

/** One row for each key that is or was replaced: the rotation's progress as JSON. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS key_rotation (
    variable TEXT PRIMARY KEY, progress TEXT NOT NULL
  ) WITHOUT ROWID`
]

/** The rotations in the host's database. */
export const layer: Layer.Layer<KeyRotations, never, HostDatabase> = Layer.effect(
  KeyRotations,
  Effect.gen(function* () {
    const database = yield* HostDatabase
    const { sql } = database
    const { repeatable } = queriesOver(
      database,
      [...Directory.tables, ...tables],
      (operation) => (cause) => new DirectoryUnavailable({ operation, cause })
    )
    const find = (variable: string) =>
      Effect.map(
        repeatable(
          "rotationOf",
          sql<{ progress: string }>`SELECT progress FROM key_rotation WHERE variable = ${variable}`
        ),
        ([row]) => row?.progress
      )
    const save = (variable: string, progress: string) =>
      Effect.asVoid(
        repeatable(
          "saveRotation",
          sql`INSERT INTO key_rotation (variable, progress) VALUES (${variable}, ${progress})
            ON CONFLICT (variable) DO UPDATE SET progress = excluded.progress`
        )
      )

    return KeyRotations.of({
      master: Effect.map(find("MASTER_KEY"), (progress) =>
        // SAFETY: `saveMaster` wrote it from a value of this type.
        progress === undefined ? undefined : (JSON.parse(progress) as MasterRotation)
      ),
      saveMaster: (rotation) => save("MASTER_KEY", JSON.stringify(rotation)),
      hostKey: Effect.map(find("PLC_ROTATION_KEY"), (progress) =>
        // SAFETY: `saveHostKey` wrote it from a value of this type.
        progress === undefined ? undefined : (JSON.parse(progress) as HostKeyRotation)
      ),
      saveHostKey: (rotation) => save("PLC_ROTATION_KEY", JSON.stringify(rotation)),
      dids: (after, limit) =>
        Effect.map(
          repeatable(
            "accountsWithKeys",
            sql<{ did: string }>`SELECT did FROM accounts WHERE did > ${after}
              ORDER BY did LIMIT ${limit}`
          ),
          (rows) => rows.map(({ did }) => did)
        ),
      replaceFingerprint: (variable, before, after) =>
        Effect.asVoid(
          repeatable(
            "replaceFingerprint",
            sql`UPDATE host_key SET fingerprint = ${after}
              WHERE variable = ${variable} AND fingerprint = ${before}`
          )
        )
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  key_rotation: {
    filledBy: "the administrator",
    bound: "one row a key; two hundred faults are named of each",
    bytes: 2 * 128 * 1024,
    per: "host"
  }
})
