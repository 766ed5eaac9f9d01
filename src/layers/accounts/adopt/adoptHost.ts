import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { toBase64Url } from "../../../core/bytes/base64url.ts"
import { formatDidKey, publicKeyOf } from "../../../core/identity/didKey.ts"
import { accountFrame, type PendingFrame } from "../../../core/repo/frame.ts"
import { type Account, inactiveStatus } from "../../../services/accounts/AccountStore.ts"
import type { SqlStorage } from "../../../services/host/SqlStorage.ts"
import { Keys } from "../../../services/identity/Keys.ts"
import type { OutboxEvent } from "../../../services/stream/Sequencer.ts"
import * as AdoptedTokens from "../../oauth/AdoptedTokensD1.ts"
import * as ReservedKeys from "../../identity/ReservedKeysD1.ts"
import type { EventLog } from "../../stream/EventLog.ts"
import { syncEvent } from "../../stream/syncEvent.ts"
import * as Directory from "../DirectoryD1.ts"
import type { AdoptedRepo } from "./adoptRepo.ts"
import type { SourceAccount } from "./sourceAccounts.ts"
import { millisOf, type SourceDatabase } from "./sourceDatabase.ts"
import type { SourcePlaces } from "./sourcePlaces.ts"

type Sql = SqlStorage["Service"]

/** Makes the tables of the directory that an adoption fills. */
export const makeTables = (directory: Sql): void => {
  for (const { tables } of [Directory, ReservedKeys, AdoptedTokens]) {
    for (const table of tables) directory.exec(table)
  }
}

/** Whether an account is in the directory already. */
export const isListed = (directory: Sql, did: string): boolean =>
  directory.exec("SELECT 1 FROM accounts WHERE did = ?", did).toArray().length > 0

/** Enters an account into the directory, its last step. */
export const listAccount = (directory: Sql, source: SourceAccount, account: Account): void => {
  directory.exec(
    `INSERT INTO accounts (did, handle, email, status, created_at, invite, invites_disabled)
      VALUES (?, ?, ?, ?, ?, ?, ?)`,
    source.did,
    // An account without a handle is stored under its DID.
    source.handle?.toLowerCase() ?? source.did,
    source.email ?? null,
    inactiveStatus(account) ?? "active",
    source.createdAt,
    source.invite ?? null,
    source.invitesDisabled ? 1 : 0
  )
}

const eventOf = (
  kind: OutboxEvent["kind"],
  { bytes, seqOffset }: PendingFrame
): Pick<OutboxEvent, "kind" | "frame" | "seqOffset"> => ({ kind, frame: bytes, seqOffset })

/** Tells the stream of an account: its status and, if it is active, its head. Returns the last id. */
export const announce = (
  log: EventLog,
  account: Account,
  { head, collections }: AdoptedRepo,
  now: number
): number => {
  const { did } = account
  const time = new Date(now).toISOString()
  const status = inactiveStatus(account)
  const standing = status === undefined ? { active: true } : { active: false, status }
  const known = {
    head: { commit: head.commit.toString(), rev: head.rev },
    collections: { added: collections, removed: [], whole: true }
  }
  const id = now * 1000
  const events: Array<OutboxEvent> = [
    {
      id,
      ...eventOf("account", accountFrame({ did, ...standing, time })),
      account: standing,
      ...known
    }
  ]
  if (status === undefined)
    events.push({ id: id + 1, ...syncEvent({ did, head, collections, time }) })
  log.append(did, events)
  return id + 1
}

/** Copies the invite codes and their uses; returns how many codes there are. */
export const adoptInvites = (source: SourceDatabase, directory: Sql): number => {
  let count = 0
  for (const row of source.rows("SELECT * FROM invite_code")) {
    count += 1
    directory.exec(
      `INSERT OR IGNORE INTO invites (code, available, disabled, for_account, created_by, created_at)
        VALUES (?, ?, ?, ?, ?, ?)`,
      String(row["code"]),
      Number(row["availableUses"]),
      Number(row["disabled"] ?? 0),
      String(row["forAccount"]),
      String(row["createdBy"]),
      millisOf(row, "createdAt") ?? 0
    )
  }
  for (const row of source.rows("SELECT * FROM invite_code_use")) {
    directory.exec(
      "INSERT OR IGNORE INTO invite_uses (code, used_by, used_at) VALUES (?, ?, ?)",
      String(row["code"]),
      String(row["usedBy"]),
      millisOf(row, "usedAt") ?? 0
    )
  }
  return count
}

/** The signing keys that wait for an account, by the DID or the did:key that they are for. */
const reservedKeysOf = ({ actors }: SourcePlaces) => {
  const folder = join(actors, "reserved_keys")
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((owner) => {
    const secret = new Uint8Array(readFileSync(join(folder, owner)))
    return secret.length === 32 && owner.startsWith("did:") ? [{ owner, secret }] : []
  })
}

/** How many signing keys wait for an account. */
export const countReservedKeys = (places: SourcePlaces): number => reservedKeysOf(places).length

/** Copies the signing keys that wait for an account. */
export const adoptReservedKeys = Effect.fnUntraced(function* (
  places: SourcePlaces,
  directory: Sql,
  now: number
) {
  const keys = yield* Keys
  for (const { owner, secret } of reservedKeysOf(places)) {
    const didKey = formatDidKey(publicKeyOf("k256", secret))
    const wrapped = yield* keys.wrap(didKey, {
      curve: "k256",
      didKey,
      secret: Redacted.make(secret, { label: "private key" })
    })
    directory.exec(
      "INSERT OR IGNORE INTO reserved_key (did, did_key, wrapped, created_at) VALUES (?, ?, ?, ?)",
      owner,
      didKey,
      toBase64Url(wrapped),
      now
    )
  }
})

/** The last sequence number of the old stream. */
export const lastSeq = (sequencer: SourceDatabase): number => {
  const [row] = sequencer.rows("SELECT max(seq) AS seq FROM repo_seq")
  return Number(row?.["seq"] ?? 0)
}

/**
 * Starts the stream above the old one: readers with an old cursor hear that it is outdated unless
 * they were at its end.
 */
export const continueStream = (log: EventLog, seq: number): void => {
  if (log.newest < seq) log.setNote("pruned", String(seq))
}
