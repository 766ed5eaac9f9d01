import type { KeyObject } from "node:crypto"
import { isSignedWith, type Jwt, rememberingVerifier } from "../../core/sessions/jwt.ts"
import { hkdfKey, hkdfKeys, type MasterKeys } from "../../services/host/derivedSecrets.ts"
import { bytesOf, type SqlStorage } from "../../services/host/SqlStorage.ts"
import {
  keptKey,
  type KeptPurpose,
  olderKeysSealer
} from "../../services/identity/keys/olderKeys.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** One row for each master key before: keys derived from it, sealed with the current one. */
export const tables: ReadonlyArray<string> = [
  `CREATE TABLE IF NOT EXISTS older_key (
    master TEXT PRIMARY KEY, made_at INTEGER NOT NULL, until INTEGER NOT NULL, sealed BLOB NOT NULL
  ) WITHOUT ROWID`
]

/** The most rows; a rotation beyond removes the oldest. */
export const mostOlderKeys = 32

/** The keys of one purpose in an account. */
export interface KeptKeys {
  /** The key for new hashes and signatures. */
  readonly current: KeyObject
  /**
   * The keys before it, whose hashes and signatures are still valid; with a time in milliseconds,
   * only those that sessions of that time may have. Reads the storage.
   */
  older(now?: number): ReadonlyArray<KeyObject>
}

/** The keys of a purpose, from the settings and an account's storage. */
export const keptKeys = (
  sql: SqlStorage["Service"],
  masterKeys: MasterKeys,
  purpose: KeptPurpose
): KeptKeys => {
  const [, ...previous] = hkdfKeys(masterKeys, purpose)
  const sealer = olderKeysSealer(masterKeys)
  return {
    current: hkdfKey(masterKeys.masterKey, purpose),
    older: (now = 0) => {
      const rows = sql.exec<{ master: string; sealed: ArrayBuffer }>(
        "SELECT master, sealed FROM older_key WHERE until > ? ORDER BY made_at DESC",
        now
      )
      const stored = rows.toArray().flatMap(({ master, sealed }) => {
        const keys = sealer.tryOpen(master, bytesOf(sealed))
        return keys === undefined ? [] : [keptKey(keys, purpose)]
      })
      return [...previous, ...stored]
    }
  }
}

/** Whether one of the keys signed a token; remembers the tokens of the current one. */
export const verifier = (keys: KeptKeys) => {
  const isCurrent = rememberingVerifier(keys.current)
  return (now: number) =>
    (jwt: Jwt): boolean =>
      isCurrent(jwt) || keys.older(now).some((key) => isSignedWith(key, jwt))
}

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  older_key: {
    filledBy: "the administrator",
    bound: "the last 32 master keys",
    bytes: 32 * 1024,
    per: "account"
  }
})
