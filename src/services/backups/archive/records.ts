import * as Effect from "effect/Effect"
import type { ArchivedCollection, ArchiveHead } from "../../../core/backups/archiveHead.ts"
import { blockToJsonText } from "../../../core/repo/jsonText.ts"
import { AccountStore } from "../../accounts/AccountStore.ts"
import { BlockStore } from "../../repo/BlockStore.ts"
import { type ExportBody, exportStream } from "../../repo/exportStream.ts"
import { Records } from "../../repo/Records.ts"
import { Repo, type Snapshot } from "../../repo/Repo.ts"
import {
  exportBlocks,
  wholeRepo,
  measureExport,
  type RepoStores,
  snapshotRecords
} from "../../repo/RepoExport.ts"

/** Records measured between two pauses for other requests, and bytes of lines sent at once. */
const stride = 1000
const chunkBytes = 64 * 1024

const utf8 = new TextEncoder()

const collectionOf = (path: string): string => path.slice(0, path.indexOf("/"))

/** The lines of an account's records: address, CID and value as JSON, one record a line. */
function* recordLines(
  did: string,
  snapshot: Snapshot,
  { records }: RepoStores
): Generator<{ readonly collection: string; readonly line: Uint8Array }> {
  for (const { path, cid, value } of snapshotRecords(snapshot, records)) {
    const uri = JSON.stringify(`at://${did}/${path}`)
    const text = `{"uri":${uri},"cid":"${cid.toString()}","value":${blockToJsonText(value)}}\n`
    yield { collection: collectionOf(path), line: utf8.encode(text) }
  }
}

/** Measures what `archiveChunks` will send; yields to let other requests run. */
function* measure(
  did: string,
  snapshot: Snapshot,
  stores: RepoStores
): Generator<void, ArchiveHead> {
  const { length } = yield* measureExport(snapshot, stores, undefined)
  const collections: Array<{ -readonly [K in keyof ArchivedCollection]: ArchivedCollection[K] }> =
    []
  let steps = 0
  for (const { collection, line } of recordLines(did, snapshot, stores)) {
    const last = collections.at(-1)
    if (last?.collection === collection) {
      last.records++
      last.size += line.length
    } else collections.push({ collection, records: 1, size: line.length })
    if (++steps % stride === 0) yield
  }
  const { commit, rev } = snapshot.head
  return { commit: commit.toString(), rev, car: length, collections }
}

function* archiveChunks(
  did: string,
  first: Uint8Array,
  snapshot: Snapshot,
  stores: RepoStores
): Generator<Uint8Array> {
  yield first
  yield* exportBlocks(snapshot, stores.records, wholeRepo)
  let lines: Array<Uint8Array> = []
  let bytes = 0
  for (const { line } of recordLines(did, snapshot, stores)) {
    lines.push(line)
    bytes += line.length
    if (bytes < chunkBytes) continue
    yield Buffer.concat(lines)
    lines = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(lines)
}

const prepare = Effect.gen(function* () {
  const { did } = yield* (yield* AccountStore).get
  const stores = { records: yield* Records, blocks: yield* BlockStore }
  const snapshot = yield* (yield* Repo).snapshot
  const steps = measure(did, snapshot, stores)
  const head = yield* Effect.gen(function* () {
    while (true) {
      const { done, value } = steps.next()
      if (done === true) return value
      yield* Effect.yieldNow
    }
  }).pipe(Effect.onError(() => Effect.sync(() => snapshot.close())))
  const first = utf8.encode(`${JSON.stringify(head)}\n`)
  const lines = head.collections.reduce((sum, { size }) => sum + size, 0)
  const body: ExportBody = {
    length: first.length + head.car + lines,
    chunks: archiveChunks(did, first, snapshot, stores),
    close: () => snapshot.close()
  }
  return body
})

/** Streams an account's records twice, from one snapshot: as the CAR, and as lines of JSON. */
export const archiveRecords = Effect.gen(function* () {
  const { did } = yield* (yield* AccountStore).get
  const { readable, length } = yield* exportStream(
    { did, network: undefined, isOwner: true },
    prepare
  )
  return new Response(readable, { headers: { "content-length": String(length) } })
})
