import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Fragment } from "effect/sql/Statement"
import {
  type Device,
  type DeviceAccount,
  Devices,
  type DeviceTraits
} from "../../services/oauth/Devices.ts"
import { trimBucket } from "../host/sql/buckets.ts"
import { HostDatabase } from "../host/sql/HostDatabase.ts"
import { codeLife, oauthQueriesOver, tables as requestTables } from "./OAuthRequestsD1.ts"
import { hashOf, randomText } from "../host/secretText.ts"
import type { Database } from "../host/sql/sqlTables.ts"
import type { Bounds } from "../host/sql/bounds.ts"
import { spanned } from "../../services/operators/spanned.ts"

/**
 * Browsers and the accounts signed in on them; `secret` is the SHA-256 of the cookie's secret part.
 */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS device (
    id TEXT PRIMARY KEY, secret TEXT NOT NULL, user_agent TEXT, address TEXT NOT NULL,
    created_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, expires_at INTEGER NOT NULL
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS device_expires_at ON device (expires_at)`,
  `CREATE TABLE IF NOT EXISTS device_account (
    device TEXT NOT NULL, did TEXT NOT NULL, authenticated_at INTEGER NOT NULL,
    remembered INTEGER NOT NULL, PRIMARY KEY (device, did)
  ) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS device_account_did ON device_account (did)`
]

const minute = 60_000
const day = 24 * 60 * minute
const year = 365 * day

/** How long an unseen device is kept: not long if nobody signed in (a crawler's, for example). */
const deviceLife = { signedIn: year, stranger: day }

/** How long an account stays listed after its owner signed in. */
const accountLife = { remembered: year, visit: 15 * minute }

/** Minimum time between two updates of a device's last use. */
const seenEvery = 5 * minute

const maxUserAgent = 256

/**
 * The most devices in a bucket, and for one account. Removes expired ones first, then those without
 * a sign-in, then the longest unseen.
 */
export const budget = { perBucket: 32, ofAccount: 100 }

/** The most devices that one new one removes. */
const pruneStep = 20

interface DeviceRow {
  readonly id: string
  readonly user_agent: string | null
  readonly address: string
  readonly created_at: number
  readonly seen_at: number
}

const deviceOf = (row: DeviceRow): Device => ({
  id: row.id,
  userAgent: row.user_agent ?? undefined,
  address: row.address,
  createdAt: row.created_at,
  seenAt: row.seen_at
})

interface AccountRow {
  readonly did: string
  readonly authenticated_at: number
  readonly remembered: number
}

const accountOf = (row: AccountRow): DeviceAccount => ({
  did: row.did,
  authenticatedAt: row.authenticated_at,
  remembered: row.remembered !== 0
})

const newSecret = () => {
  const id = randomText(16)
  const secret = randomText(32)
  return { id, hash: hashOf(secret), cookie: `dev.${id}.${secret}` }
}

const readCookie = (cookie: string) => {
  const [, id, secret] = /^dev\.([\w-]{22})\.([\w-]{43})$/.exec(cookie) ?? []
  return id === undefined || secret === undefined ? undefined : { id, hash: hashOf(secret) }
}

const shortened = ({ userAgent, address }: DeviceTraits) => ({
  userAgent: userAgent?.slice(0, maxUserAgent),
  address
})

const make = (database: Database): Devices["Service"] => {
  const { sql, batch } = database
  const { repeatable } = oauthQueriesOver(database, [...tables, ...requestTables])

  /** Condition: a row of `device_account` is still valid. */
  const live = (now: number) => sql`authenticated_at >
    CASE remembered WHEN 0 THEN ${now - accountLife.visit} ELSE ${now - accountLife.remembered} END`

  const create = spanned("Devices.create")(function* (traits: DeviceTraits) {
    const now = yield* Clock.currentTimeMillis
    const { id, hash, cookie } = newSecret()
    const { userAgent, address } = shortened(traits)
    const over = sql`SELECT id FROM device WHERE expires_at <= ${now} ORDER BY expires_at, id LIMIT ${pruneStep}`
    yield* repeatable(
      "createDevice",
      batch([
        sql`DELETE FROM device_account WHERE device IN (${over})`,
        sql`DELETE FROM device WHERE id IN (${over})`,
        sql`INSERT OR IGNORE INTO device (id, secret, user_agent, address, created_at, seen_at, expires_at)
          VALUES (${id}, ${hash}, ${userAgent ?? null}, ${address}, ${now}, ${now}, ${now + deviceLife.stranger})`,
        trimBucket(sql, { name: "device", key: "id" }, id, sql`expires_at DESC`, budget.perBucket)
      ])
    )
    return { device: { id, userAgent, address, createdAt: now, seenAt: now }, cookie }
  })

  const find = spanned("Devices.find")(function* (cookie: string, traits: DeviceTraits) {
    const named = readCookie(cookie)
    if (named === undefined) return undefined
    const now = yield* Clock.currentTimeMillis
    const itself = sql`id = ${named.id} AND secret = ${named.hash} AND expires_at > ${now}`
    const [row] = yield* repeatable(
      "findDevice",
      sql<DeviceRow>`SELECT * FROM device WHERE ${itself}`
    )
    if (row === undefined || row.seen_at > now - seenEvery) return row && deviceOf(row)
    const { userAgent, address } = shortened(traits)
    const [seen] = yield* repeatable(
      "noteDevice",
      sql<DeviceRow>`UPDATE device SET user_agent = ${userAgent ?? null}, address = ${address}, seen_at = ${now},
          expires_at = ${now} + CASE WHEN EXISTS (SELECT 1 FROM device_account WHERE device = id)
            THEN ${deviceLife.signedIn} ELSE ${deviceLife.stranger} END
        WHERE ${itself} RETURNING *`
    )
    return seen && deviceOf(seen)
  })

  const signIn = spanned("Devices.signIn")(function* (
    device: string,
    { did, remembered }: { readonly did: string; readonly remembered: boolean }
  ) {
    const now = yield* Clock.currentTimeMillis
    const { id, hash, cookie } = newSecret()
    yield* repeatable(
      "signIn",
      batch([
        // The aggregates return one row even if a concurrent sign-in has just replaced the old
        // device: its traits are updated when it is next seen.
        sql`INSERT OR IGNORE INTO device (id, secret, user_agent, address, created_at, seen_at, expires_at)
          SELECT ${id}, ${hash}, max(user_agent), coalesce(max(address), ''),
            coalesce(max(created_at), ${now}), coalesce(max(seen_at), 0), ${now + deviceLife.signedIn}
          FROM device WHERE id = ${device}`,
        sql`DELETE FROM device_account WHERE device = ${device} AND NOT (${live(now)})`,
        sql`UPDATE device_account SET device = ${id} WHERE device = ${device}`,
        sql`INSERT INTO device_account (device, did, authenticated_at, remembered)
          VALUES (${id}, ${did}, ${now}, ${remembered ? 1 : 0}) ON CONFLICT (device, did) DO UPDATE
          SET authenticated_at = excluded.authenticated_at, remembered = excluded.remembered`,
        sql`DELETE FROM device_account WHERE did = ${did} AND device NOT IN (SELECT device FROM device_account
          WHERE did = ${did} ORDER BY authenticated_at DESC, device LIMIT ${budget.ofAccount})`,
        sql`UPDATE oauth_request SET device = ${id} WHERE device = ${device}`,
        sql`DELETE FROM device WHERE id = ${device}`
      ])
    )
    return { device: id, cookie }
  })

  const accounts = spanned("Devices.accounts")(function* (device: string) {
    const now = yield* Clock.currentTimeMillis
    const rows = yield* repeatable(
      "deviceAccounts",
      sql<AccountRow>`SELECT * FROM device_account WHERE device = ${device} AND ${live(now)}
        ORDER BY authenticated_at DESC, did`
    )
    return rows.map(accountOf)
  })

  const account = spanned("Devices.account")(function* (device: string, did: string) {
    const now = yield* Clock.currentTimeMillis
    const [row] = yield* repeatable(
      "deviceAccount",
      sql<AccountRow>`SELECT * FROM device_account
        WHERE device = ${device} AND did = ${did} AND ${live(now)}`
    )
    return row && accountOf(row)
  })

  const ofAccount = spanned("Devices.ofAccount")(function* (did: string) {
    const now = yield* Clock.currentTimeMillis
    const rows = yield* repeatable(
      "devicesOfAccount",
      sql<DeviceRow & AccountRow>`SELECT device.*, did, authenticated_at, remembered
        FROM device_account JOIN device ON device.id = device_account.device
        WHERE did = ${did} AND ${live(now)} ORDER BY seen_at DESC, id`
    )
    return rows.map((row) => ({ ...deviceOf(row), ...accountOf(row) }))
  })

  const codeDevice = sql`json_extract(stands_for, '$.device')`

  /** Signs an account out on some devices and revokes unredeemed codes issued there. */
  const signOut = Effect.fnUntraced(function* (
    operation: string,
    did: string,
    onDevice: Fragment,
    byDevice: Fragment
  ) {
    const now = yield* Clock.currentTimeMillis
    yield* repeatable(
      operation,
      batch([
        sql`DELETE FROM device_account WHERE did = ${did} AND ${onDevice}`,
        sql`DELETE FROM oauth_code WHERE created_at > ${now - codeLife.good} AND redeemed_at IS NULL
          AND json_extract(stands_for, '$.did') = ${did} AND ${byDevice}`
      ])
    )
  })

  return Devices.of({
    create,
    find,
    signIn,
    accounts,
    account,
    signOut: (device, did) =>
      signOut("signOut", did, sql`device = ${device}`, sql`${codeDevice} = ${device}`),
    ofAccount,
    signOutAll: (did, { except = "" } = {}) =>
      signOut("signOutAll", did, sql`device <> ${except}`, sql`${codeDevice} <> ${except}`)
  })
}

/** Devices in the host's database. */
export const layer: Layer.Layer<Devices, never, HostDatabase> = Layer.effect(
  Devices,
  Effect.map(HostDatabase, make)
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  device: {
    filledBy: "anybody",
    bound: "131,072 browsers; those where nobody has signed in go first",
    bytes: 64 * 64 * 32 * 2048,
    per: "host"
  },
  device_account: {
    filledBy: "its owner",
    bound: "100 browsers an account; the oldest sign-in goes",
    bytes: 100 * 5 * 1024,
    per: "account"
  }
})
