import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Config, type Problem, type Settings } from "../../services/host/Config.ts"
import { HostKeys, newerData } from "../../services/host/HostKeys.ts"
import { schemaVersion } from "../../core/host/schemaVersion.ts"
import { rotationKey, rotationKeys } from "../../services/identity/Keys.ts"
import { fingerprintOf } from "../../services/identity/keys/olderKeys.ts"
import { HostDatabase } from "./sql/HostDatabase.ts"
import { type Database, withTables } from "./sql/sqlTables.ts"
import type { Bounds } from "./sql/bounds.ts"

/**
 * One row a key: a fingerprint that doesn't help to guess it. One more row: the schema's version.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS host_key (
    variable TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, noted_at INTEGER NOT NULL
  ) WITHOUT ROWID`
]

/** How long the database may take, because requests wait for it. */
const patience = "2 seconds"

interface Row {
  readonly variable: string
  readonly fingerprint: string
}

const schemaRow = "SCHEMA_VERSION"

const fingerprintsOf = (settings: Settings): ReadonlyArray<Row> => [
  { variable: "MASTER_KEY", fingerprint: fingerprintOf(settings.masterKey) },
  // Public, because the accounts' DIDs contain it.
  { variable: "PLC_ROTATION_KEY", fingerprint: rotationKey(settings).didKey },
  { variable: schemaRow, fingerprint: String(schemaVersion) }
]

/** The keys before, which the data may still be under during a rotation. */
const previousOf = (settings: Settings): ReadonlyArray<Row> => [
  ...(settings.masterKeyPrevious === undefined
    ? []
    : [{ variable: "MASTER_KEY", fingerprint: fingerprintOf(settings.masterKeyPrevious) }]),
  ...rotationKeys(settings)
    .slice(1)
    .map(({ didKey }) => ({ variable: "PLC_ROTATION_KEY", fingerprint: didKey }))
]

const problemOf = ({ variable }: Row): Problem =>
  variable === schemaRow
    ? newerData
    : {
        variable,
        message: `is not the key that this server's data was made with: put that one back. While a rotation isn't finished, the data's key must be set as ${variable}_PREVIOUS`
      }

const make = (database: Database, settings: Settings): HostKeys["Service"] => {
  const { sql, batch } = database
  const own = fingerprintsOf(settings)
  const previous = previousOf(settings)
  const isPrevious = (row: Row) =>
    previous.some(
      ({ variable, fingerprint }) => variable === row.variable && fingerprint === row.fingerprint
    )
  let areRight = false

  const stored = Effect.suspend(() => sql<Row>`SELECT variable, fingerprint FROM host_key`)

  /** The first server of a database stores its fingerprints; of two concurrent ones, one does. */
  const noted = Effect.gen(function* () {
    const rows = yield* stored
    const missing = own.filter((key) => rows.every(({ variable }) => variable !== key.variable))
    if (missing.length === 0) return rows
    const now = yield* Clock.currentTimeMillis
    yield* batch(
      missing.map(
        ({ variable, fingerprint }) =>
          sql`INSERT OR IGNORE INTO host_key (variable, fingerprint, noted_at)
            VALUES (${variable}, ${fingerprint}, ${now})`
      )
    )
    return yield* stored
  })

  /** Older data is migrated as it is used; from now on it has this version. */
  const raised = Effect.suspend(
    () => sql`UPDATE host_key SET fingerprint = ${String(schemaVersion)}
      WHERE variable = ${schemaRow} AND CAST(fingerprint AS INTEGER) < ${schemaVersion}`
  )

  const look = Effect.gen(function* () {
    const rows = yield* withTables(database, tables, noted).pipe(Effect.timeout(patience))
    const stale = (row: Row) =>
      row.variable === schemaRow && Number(row.fingerprint) < schemaVersion
    if (rows.some(stale)) yield* raised
    const others = own.filter(({ variable, fingerprint }) =>
      rows.some(
        (row) =>
          row.variable === variable &&
          row.fingerprint !== fingerprint &&
          !stale(row) &&
          !isPrevious(row)
      )
    )
    const problems = others.map(problemOf)
    if (problems.length === 0) areRight = true
    else yield* Effect.logError("the server does not fit its data", { problems })
    return problems
  })

  return HostKeys.of({
    areRight: () => areRight,
    // Only a success is remembered: a failing database says nothing about the keys.
    problems: Effect.suspend(() =>
      areRight
        ? Effect.succeed([])
        : Effect.catchCause(look, (cause) =>
            Effect.as(Effect.logWarning("the server's keys could not be compared", cause), [])
          )
    )
  })
}

/** The fingerprints in the host's database, compared by each isolate before its first response. */
export const layer: Layer.Layer<HostKeys, never, HostDatabase | Config> = Layer.effect(
  HostKeys,
  Effect.gen(function* () {
    return make(yield* HostDatabase, yield* Config)
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  host_key: {
    filledBy: "the server",
    bound: "one row a key, and one for the schema",
    bytes: 4 * 1024,
    per: "host"
  }
})
