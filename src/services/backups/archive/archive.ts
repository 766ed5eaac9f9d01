import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { ArchiveHead } from "../../../core/backups/archiveHead.ts"
import { blobFileName } from "../../../core/blobs/fileName.ts"
import { isNsid } from "../../../core/lexicon/syntax.ts"
import { type ZipFile, zipLength, ZipWriter } from "../../../core/bytes/zip.ts"
import { Accounts } from "../../accounts/Accounts.ts"
import type { Page } from "../../blobs/BlobIndex.ts"
import { BlobStore } from "../../blobs/BlobStore.ts"
import { Background } from "../../host/Background.ts"
import { Config } from "../../host/Config.ts"
import { sizedStream } from "../../host/sizedStream.ts"
import type { KeptBlob } from "../AccountRows.ts"
import { BackupSourceFailed } from "../BackupTarget.ts"
import { type Content, cut, type Take, wholeOf } from "./pieces.ts"

/** The client stopped reading. */
class ClientGone extends Schema.TaggedError<ClientGone>()("ClientGone", {
  cause: Schema.Defect()
}) {}

/** A file of an archive, with its content. */
interface Source extends ZipFile {
  /** Its name if the content is lost; as long as `name`, because the archive's length is known. */
  readonly lostName?: string
  /** The content; undefined if it is lost. */
  readonly open: Effect.Effect<Content | undefined, BackupSourceFailed>
}

/** A part of an archive to open. */
export interface ArchiveWish {
  readonly did: string
  readonly after?: string | undefined
  readonly blobs: number
  /** The part's number, from 1. */
  readonly part: number
  /** The text of `README.txt`. */
  readonly readme: (handle: string) => string
}

/** The path of an account's object that streams its records. */
export const recordsPath = "/archive"

const utf8 = new TextEncoder()
const zeros = new Uint8Array(64 * 1024)

/** As many zeros as a lost file has bytes. */
const nothing =
  (size: number): Content =>
  (take) =>
    Effect.gen(function* () {
      for (let left = size; left > 0; left -= zeros.length) {
        yield* take(left < zeros.length ? zeros.subarray(0, left) : zeros)
      }
    })

/** Opens the stream of an account's records, as the administrator, who may read inactive accounts. */
const openRecords = Effect.fnUntraced(function* (did: string) {
  const { adminPassword, publicUrl } = yield* Config
  const credentials = Buffer.from(`admin:${Redacted.value(adminPassword)}`).toString("base64")
  const request = new Request(`${publicUrl}${recordsPath}`, {
    headers: { authorization: `Basic ${credentials}` }
  })
  const answer = yield* (yield* Accounts).forward(did, request)
  if (answer.status !== 200 || answer.body === null) {
    const cause = `the records answered ${answer.status}`
    return yield* new BackupSourceFailed({ key: did, cause })
  }
  const records = cut(answer.body, did)
  // SAFETY: the account's object wrote it.
  const head = JSON.parse(yield* records.line) as ArchiveHead
  return { ...records, head }
})

type OpenRecords = Effect.Success<ReturnType<typeof openRecords>>

/** The blobs of a part. */
const blobsOf = Effect.fnUntraced(function* ({ did, after, blobs }: ArchiveWish) {
  if (blobs === 0) return []
  const cursor = after === undefined ? {} : { cursor: after }
  const page: Page<KeptBlob> = yield* (yield* Accounts).call(did, "backupBlobs", {
    ...cursor,
    limit: blobs
  })
  return page.items
})

const textFile = (name: string, text: () => string): Source => ({
  name,
  size: utf8.encode(text()).length,
  open: Effect.sync(() => (take) => take(utf8.encode(text())))
})

/** The manifest, whose digests are filled in when the files have been sent. */
const manifestOf = (name: string, facts: object, files: ReadonlyArray<Source>) => {
  const digests = new Map<string, string>()
  const lost = new Set<string>()
  const listed = () =>
    files.map(({ name, lostName, size }) => ({
      name: lost.has(name) ? lostName : name,
      size,
      sha256: digests.get(name) ?? "0".repeat(64)
    }))
  const text = () => `${JSON.stringify({ ...facts, files: listed() }, null, 1)}\n`
  return { source: textFile(name, text), digests, lost }
}

/** Writes the files one after the other. */
const writeFiles = Effect.fnUntraced(function* (
  sources: ReadonlyArray<Source>,
  { digests, lost }: Pick<ReturnType<typeof manifestOf>, "digests" | "lost">,
  now: number,
  write: Take<ClientGone>
) {
  const zip = new ZipWriter(now)
  for (const { name, lostName = name, size, open } of sources) {
    const content = yield* open
    if (content === undefined) lost.add(name)
    yield* write(zip.begin({ name: content === undefined ? lostName : name, size }))
    const hash = createHash("sha256")
    yield* (content ?? nothing(size))((piece) => {
      zip.content(piece)
      hash.update(piece)
      return write(piece)
    })
    digests.set(name, hash.digest("hex"))
    yield* write(zip.complete())
  }
  for (const piece of zip.end()) yield* write(piece)
})

/** Whether every system can have a file of this name; collections of old repos may be anything. */
const isFileName = (collection: string): boolean => isNsid(collection) && collection.length <= 200

/** The files of a part, without its manifest. */
const filesOf = Effect.fnUntraced(function* (
  { readme }: ArchiveWish,
  owner: { readonly handle: string; readonly preferences: ReadonlyArray<unknown> },
  records: OpenRecords | undefined,
  blobs: ReadonlyArray<KeptBlob>
) {
  const store = yield* BlobStore
  const ofBlob = (blob: KeptBlob): Source => ({
    name: `blobs/${blobFileName(blob)}`,
    lostName: `lost-/${blobFileName(blob)}`,
    size: blob.size,
    open: store.get(blob.key).pipe(
      Effect.mapError((cause) => new BackupSourceFailed({ key: blob.key, cause })),
      Effect.map((found) =>
        found === undefined || found.size !== blob.size ? undefined : wholeOf(found.body, blob.key)
      )
    )
  })
  const { preferences } = owner
  const first = ({ head, take }: OpenRecords): ReadonlyArray<Source> => [
    { name: "repo.car", size: head.car, open: Effect.sync(() => take(head.car)) },
    ...head.collections.map(({ collection, size }, at) => ({
      name: `records/${isFileName(collection) ? collection : `other-${at + 1}`}.jsonl`,
      size,
      open: Effect.sync(() => take(size))
    })),
    textFile("preferences.json", () => `${JSON.stringify({ preferences }, null, 2)}\n`)
  ]
  return [
    textFile("README.txt", () => readme(owner.handle)),
    ...(records === undefined ? [] : first(records)),
    ...blobs.map(ofBlob)
  ]
})

/**
 * Opens a part of an account's archive: a ZIP file of stored files, whose length is known.
 *
 * The first part holds the records, all of one commit, as a CAR and as lines of JSON. The content
 * streams from the account's object and the blob store; a failure breaks the transfer off. A blob
 * that the store has lost is in the folder `lost-`, filled with zeros.
 */
export const openArchive = Effect.fn("archive.open")(function* (wish: ArchiveWish, now: number) {
  const { did, part } = wish
  const { publicUrl } = yield* Config
  const owner = yield* (yield* Accounts).call(did, "archiveOwner")
  const blobs = yield* blobsOf(wish)
  const records = wish.after === undefined ? yield* openRecords(did) : undefined
  const files = yield* filesOf(wish, owner, records, blobs)
  const { commit, rev, collections } = records?.head ?? {}
  const facts = {
    type: "nacre-export",
    version: 1,
    did,
    handle: owner.handle,
    server: publicUrl,
    part,
    commit,
    rev,
    collections,
    blobs: blobs.length,
    completedAt: new Date(now).toISOString()
  }
  const manifest = manifestOf(part === 1 ? "manifest.json" : `manifest-${part}.json`, facts, files)
  const all = [...files, manifest.source]
  const length = zipLength(all)
  const { readable, writable } = sizedStream(length)
  const writer = writable.getWriter()
  const sending = <A>(step: () => Promise<A>) =>
    Effect.tryPromise({ try: step, catch: (cause) => new ClientGone({ cause }) })
  const work = writeFiles(all, manifest, now, (piece) => sending(() => writer.write(piece))).pipe(
    Effect.andThen(sending(() => writer.close())),
    Effect.tapCause((cause) =>
      Effect.ignore(Effect.tryPromise(() => writer.abort(Cause.squash(cause))))
    ),
    Effect.catchTag("ClientGone", () => Effect.logDebug("nobody reads the archive on")),
    Effect.catchCause((cause) => Effect.logError("an archive broke off", cause)),
    Effect.ensuring(records?.end ?? Effect.void)
  )
  yield* (yield* Background).run(work)
  return { handle: owner.handle, length, body: readable }
})
