import * as Effect from "effect/Effect"
import { shownPreferences } from "../../accounts/OwnerPreferences.ts"
import { AccountStore } from "../../accounts/AccountStore.ts"
import type { Preferences } from "../../accounts/Preferences.ts"
import { AccountRows } from "../AccountRows.ts"

/** The most blobs in a part of an archive, and their bytes, unless one blob is larger. */
export const maxPartBlobs = 900
const maxPartBytes = 1_000_000_000

/** Rows read at a time. */
const pageSize = 1000

/** A part of an archive: the blobs after a cursor. The first also holds the records. */
export interface ArchivePart {
  readonly after?: string
  readonly blobs: number
  readonly bytes: number
}

/** The counts and sizes of the parts; reads each row of the blobs once. */
const measured = (rows: AccountRows["Service"]) => {
  const parts = [{ blobs: 0, bytes: 0 }]
  let cursor: string | undefined
  do {
    const page = rows.blobs({ limit: pageSize, ...(cursor === undefined ? {} : { cursor }) })
    for (const { size } of page.items) {
      const last = parts.at(-1)!
      const isFull = last.blobs === maxPartBlobs || last.bytes + size > maxPartBytes
      if (isFull && last.blobs > 0) parts.push({ blobs: 1, bytes: size })
      else {
        last.blobs++
        last.bytes += size
      }
    }
    cursor = page.cursor
  } while (cursor !== undefined)
  return parts
}

/** The parts of an account's archive as it is now. */
const archiveParts = () =>
  Effect.map(AccountRows, (rows) => {
    let after: string | undefined
    return measured(rows).map((part): ArchivePart => {
      const from = after === undefined ? {} : { cursor: after, after }
      after = rows.blobs({ ...from, limit: Math.max(1, part.blobs) }).cursor
      return { ...part, ...(from.after === undefined ? {} : { after: from.after }) }
    })
  })

/** What an archive holds besides records and blobs. */
const archiveOwner = Effect.fnUntraced(function* () {
  const { did, handle } = yield* (yield* AccountStore).get
  const services = yield* Effect.context<Preferences>()
  return { did, handle, preferences: shownPreferences(true, services) }
})

/** The Worker's calls to the account's object for its archive. */
export const archiveCalls = { archiveParts, archiveOwner }
