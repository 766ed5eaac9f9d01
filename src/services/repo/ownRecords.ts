import * as Effect from "effect/Effect"
import { excerptOf, type Json } from "../../core/repo/readable.ts"
import { blockToJsonText } from "../../core/repo/jsonText.ts"
import { AccountStore, inactiveStatus, RepoInactive } from "../accounts/AccountStore.ts"
import { Takedowns } from "../accounts/Takedowns.ts"
import { type RecordPage, Records, type Tally } from "./Records.ts"
import { Repo } from "./Repo.ts"

/** The most collections of a page, and the rows that counting them may read. */
export const collectionsAPage = 50
export const talliedRows = 50_000

/** The most rows counted for one collection. */
export const talliedAtMost = 20_000

/** Letters of a record in a list. */
const excerptLength = 160

/** A collection with its size; not `exact` if it has more than was counted. */
export interface OwnCollection extends Tally {
  readonly collection: string
  readonly exact: boolean
}

/** A record in a list. */
export interface OwnRecord {
  readonly rkey: string
  /** Its first text, or what it refers to. */
  readonly excerpt?: string
  /** The length of its block in bytes. */
  readonly size: number
}

/** The collections after one, counted as far as the page's rows allow. */
const ownCollections = ({ after }: { readonly after?: string }) =>
  Effect.map(Records, (records) => {
    const names = records.collections(after, collectionsAPage + 1)
    let left = talliedRows
    const items = names.slice(0, collectionsAPage).map((collection): OwnCollection => {
      const limit = Math.min(left, talliedAtMost)
      const tally = limit === 0 ? { records: 0, bytes: 0 } : records.tally(collection, limit)
      left -= tally.records
      return { collection, ...tally, exact: tally.records < limit }
    })
    const last = names.length > collectionsAPage ? items.at(-1)?.collection : undefined
    return { items, ...(last === undefined ? {} : { after: last }) }
  })

const jsonOf = (value: Uint8Array): Json => JSON.parse(blockToJsonText(value)) as Json

/** A page of a collection. */
const ownRecords = (page: RecordPage) =>
  Effect.map(Records, (all) => {
    const { records, more } = all.page(page)
    const { collection } = page
    const items = records.map(({ path, value }): OwnRecord => {
      const excerpt = excerptOf(collection, jsonOf(value), excerptLength)
      return {
        rkey: path.slice(collection.length + 1),
        size: value.byteLength,
        ...(excerpt === undefined ? {} : { excerpt })
      }
    })
    return { items, more }
  })

/** A record with its JSON; undefined if there is none. */
const ownRecord = Effect.fnUntraced(function* (path: string) {
  const record = (yield* Records).get(path)
  if (record === undefined) return undefined
  return {
    cid: record.cid.toString(),
    size: record.value.byteLength,
    json: blockToJsonText(record.value),
    isTakenDown: (yield* Takedowns).record(path) !== undefined
  }
})

/** Deletes records in one commit; ignores those that are gone. */
const deleteOwnRecords = Effect.fnUntraced(function* ({
  collection,
  rkeys
}: {
  readonly collection: string
  readonly rkeys: ReadonlyArray<string>
}) {
  const account = yield* (yield* AccountStore).get
  const status = inactiveStatus(account)
  if (status !== undefined) return yield* new RepoInactive({ did: account.did, status })
  const writes = rkeys.map((rkey) => ({ action: "delete", collection, rkey }) as const)
  yield* (yield* Repo).write(writes, {})
})

/** The owner's calls about their records. */
export const ownRecordCalls = { ownCollections, ownRecords, ownRecord, deleteOwnRecords }
