import * as Effect from "effect/Effect"
import type { Row, Tables } from "../../../core/backups/rows.ts"
import { Config } from "../../host/Config.ts"
import type { MasterKeys } from "../../host/derivedSecrets.ts"
import { sealer, type Sealer } from "../../host/sealedSecrets.ts"
import { Keys } from "../Keys.ts"
import { fingerprintOf, keptKeysOf, olderKeysSealer } from "./olderKeys.ts"

/** The tables of an account with something under the master key. */
export const secretTables = ["account", "authenticator", "older_key"] as const

/** Seals the secrets of authenticators. */
export const totpSealer = (keys: MasterKeys): Sealer => sealer(keys, "totp secrets")

/** An account's rows under the current master key, and what couldn't be opened. */
export interface Rewrapped {
  /** The rows with changes, complete; undefined if none changed. */
  readonly tables: Tables | undefined
  readonly problems: ReadonlyArray<string>
}

const bytesIn = (row: Row, column: string): Uint8Array => {
  const value = row[column]
  return value instanceof Uint8Array ? value : new Uint8Array(0)
}

/** The bytes under the current key; undefined if they already are. */
const resealed = Effect.fnUntraced(function* (sealer: Sealer, owner: string, sealed: Uint8Array) {
  if (sealer.isCurrent(owner, sealed)) return { isReadable: true, sealed: undefined }
  const secret = sealer.tryOpen(owner, sealed)
  if (secret === undefined) return { isReadable: false, sealed: undefined }
  return { isReadable: true, sealed: yield* sealer.seal(owner, secret) }
})

/**
 * Puts an account's rows under the current master key: its signing key, the authenticators'
 * secrets, and the keys kept for its hashes and sessions; adds those of the previous master key.
 *
 * The rows may come from the account's object or from a backup.
 */
export const rewrapRows = Effect.fn("rewrapRows")(function* (
  did: string,
  { account = [], authenticator = [], older_key: older = [] }: Tables,
  now: number
) {
  const config = yield* Config
  const { lifetimes, masterKeyPrevious } = config
  const keys = yield* Keys
  const problems: Array<string> = []
  let isChanged = false

  const wrapped = yield* Effect.forEach(account, (row) =>
    Effect.matchEffect(keys.rewrap(did, bytesIn(row, "wrapped_key")), {
      onFailure: () => {
        problems.push("its signing key can't be opened")
        return Effect.succeed(row)
      },
      onSuccess: (key) => {
        if (key !== undefined) isChanged = true
        return Effect.succeed(key === undefined ? row : { ...row, wrapped_key: key })
      }
    })
  )
  // Nobody knows which key an unreadable one was under; what the old one derived may still be in use.
  const mayMove = isChanged || problems.length > 0

  const reseal = Effect.fnUntraced(function* (
    {
      column,
      owner,
      sealer,
      what
    }: {
      readonly column: string
      readonly owner: string
      readonly sealer: Sealer
      readonly what: string
    },
    row: Row
  ) {
    const { isReadable, sealed } = yield* resealed(sealer, owner, bytesIn(row, column))
    if (!isReadable) problems.push(`${what} can't be opened`)
    if (sealed === undefined) return row
    isChanged = true
    return { ...row, [column]: sealed }
  })
  const totp = {
    column: "secret",
    owner: did,
    sealer: totpSealer(config),
    what: "an authenticator"
  }
  const authenticators = yield* Effect.forEach(authenticator, (row) => reseal(totp, row))
  const olderKeys = { column: "sealed", sealer: olderKeysSealer(config), what: "an older key" }
  const kept = yield* Effect.forEach(older, (row) =>
    reseal({ ...olderKeys, owner: String(row["master"]) }, row)
  )

  const before = masterKeyPrevious === undefined ? undefined : fingerprintOf(masterKeyPrevious)
  const isKnown = older.some(({ master }) => master === before)
  const added: Array<Row> = []
  if (mayMove && before !== undefined && masterKeyPrevious !== undefined && !isKnown) {
    const { oauthConfidentialSession, oauthPublicSession, session } = lifetimes
    added.push({
      master: before,
      made_at: now,
      until: now + Math.max(session, oauthPublicSession, oauthConfidentialSession),
      sealed: yield* olderKeys.sealer.seal(before, keptKeysOf(masterKeyPrevious))
    })
  }
  if (!isChanged && added.length === 0) return { tables: undefined, problems } satisfies Rewrapped
  return {
    tables: { account: wrapped, authenticator: authenticators, older_key: [...kept, ...added] },
    problems
  } satisfies Rewrapped
})
