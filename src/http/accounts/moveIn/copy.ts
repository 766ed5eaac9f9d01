import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Config } from "../../../services/host/Config.ts"
import { Outgoing, type OutgoingError } from "../../../services/host/Outgoing.ts"
import { uploadBlob } from "../../blobs/upload.ts"
import { importRepo } from "../../repo/importRepo.ts"
import { credentialsOf } from "../../sessions/credentials.ts"
import { callThere, decoded, MoveInFailed } from "./call.ts"
import { here, type Moving, there, withHere } from "./remote.ts"

/** The most blobs that one request copies: a Worker has a budget of requests. */
const mostBlobs = 40

/** How long one request copies blobs, in milliseconds. */
const longest = 15_000

/** How long the old server may take for the repo, in milliseconds. */
const repoMillis = 240_000

/** How long the old server may take for a blob, in milliseconds. */
const blobMillis = 60_000

const Latest = Schema.Struct({ rev: Schema.String.check(Schema.isMaxLength(64)) })

/** The rev of the repo at the old server. */
export const latestRev = Effect.fnUntraced(function* ({ did, notes }: Moving) {
  const nsid = "com.atproto.sync.getLatestCommit"
  const answer = yield* callThere(notes.from, nsid, { params: { did } })
  return (yield* decoded(nsid, Latest, answer)).rev
})

/** The old server's body broke off, or took too long. */
const brokenOff = (nsid: string) => () =>
  Effect.fail(new MoveInFailed({ why: "unreachable", nsid }))

/** A response of the old server as the body of an upload here. */
const asUpload = Effect.fnUntraced(function* (
  nsid: string,
  stream: { readonly headers: Headers; readonly body: ReadableStream<Uint8Array> | null },
  upload: { readonly auth: string; readonly contentType: string }
) {
  const { publicUrl } = yield* Config
  // SAFETY: `duplex` is missing in the platform's types, and Node requires it for a stream.
  return new Request(`${publicUrl}/xrpc/${nsid}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${upload.auth}`,
      "content-type": upload.contentType
    },
    body: stream.body,
    duplex: "half"
  } as RequestInit)
})

/** Copies the repo, which the import checks as a whole. */
export const copyRecords = Effect.fn("moveIn.records")(function* (moving: Moving) {
  const { did, notes } = moving
  const rev = yield* latestRev(moving)
  const nsid = "com.atproto.sync.getRepo"
  const { importLimit } = yield* Config
  const outgoing = yield* Outgoing
  const query = new URLSearchParams({ did })
  const copy = Effect.fnUntraced(function* (auth: string) {
    const stream = yield* Effect.mapError(
      outgoing.open(`${notes.from}/xrpc/${nsid}?${query}`, {
        accept: "application/vnd.ipld.car",
        maxBytes: importLimit,
        timeout: "30 seconds",
        bodyTimeout: repoMillis
      }),
      () => new MoveInFailed({ why: "unreachable", nsid })
    )
    const car = { auth, contentType: "application/vnd.ipld.car" }
    const request = yield* asUpload("com.atproto.repo.importRepo", stream, car)
    yield* importRepo(did, request, credentialsOf(request)).pipe(
      Effect.catchTag("BlobIncomplete", brokenOff(nsid))
    )
  })
  yield* here(moving, "com.atproto.server.checkAccountStatus")
  yield* withHere(moving, copy)
  yield* moving.keep({ rev })
  yield* retryBlobs(moving)
})

const Missing = Schema.Struct({
  blobs: Schema.Array(Schema.Struct({ cid: Schema.String, recordUri: Schema.String }))
})

/** The missing blobs, in the order of their CIDs, from the first one behind `cursor`. */
export const missingBlobs = Effect.fnUntraced(function* (moving: Moving, cursor?: string) {
  const nsid = "com.atproto.repo.listMissingBlobs"
  const params = { limit: "100", ...(cursor === undefined ? {} : { cursor }) }
  return (yield* decoded(nsid, Missing, yield* here(moving, nsid, { params }))).blobs
})

/** The missing blobs that weren't set aside. */
export const blobsToCopy = (moving: Moving) => missingBlobs(moving, moving.notes.after)

/** Whether the old server says that it doesn't have a blob. */
const isGone = (failure: OutgoingError): boolean =>
  failure._tag === "OutgoingFailed" &&
  failure.operation === "status" &&
  failure.status !== undefined &&
  failure.status < 500 &&
  failure.status !== 429

/** Copies a blob; false if the old server has lost it, or sends other bytes. */
const copyBlob = Effect.fnUntraced(function* ({ did, notes }: Moving, cid: string, auth: string) {
  const nsid = "com.atproto.sync.getBlob"
  const { blobLimit } = yield* Config
  const outgoing = yield* Outgoing
  const query = new URLSearchParams({ did, cid })
  const stream = yield* outgoing
    .open(`${notes.from}/xrpc/${nsid}?${query}`, {
      maxBytes: blobLimit,
      timeout: "15 seconds",
      bodyTimeout: blobMillis
    })
    .pipe(
      Effect.catch((failure) =>
        isGone(failure)
          ? Effect.undefined
          : Effect.fail(new MoveInFailed({ why: "unreachable", nsid }))
      )
    )
  if (stream === undefined) return false
  const contentType = stream.headers.get("content-type") ?? "application/octet-stream"
  const request = yield* asUpload("com.atproto.repo.uploadBlob", stream, { auth, contentType })
  const { blob } = yield* uploadBlob(did, request, credentialsOf(request)).pipe(
    Effect.catchTag("BlobIncomplete", brokenOff(nsid))
  )
  return blob.ref.$link === cid
})

/** How often a blob is tried before the move continues without it. */
const mostTries = 3

/** The bytes are not acceptable here: another attempt would end the same way. */
const unfit = () => Effect.succeed(false)

/** Copies a blob; false if it must be set aside. */
const tryBlob = (moving: Moving, cid: string) =>
  withHere(moving, (auth) => copyBlob(moving, cid, auth)).pipe(
    Effect.catchTags({
      BlobTooLarge: unfit,
      BlobEmpty: unfit,
      BlobQuotaExceeded: unfit,
      MoveInFailed: (failure) => failedAgain(moving, failure)
    })
  )

/** Counts a failure of the next blob, unless the old server is unreachable as a whole. */
const failedAgain = Effect.fnUntraced(function* (moving: Moving, failure: MoveInFailed) {
  if (failure.why !== "unreachable") return yield* failure
  yield* latestRev(moving)
  const tries = (moving.notes.tries ?? 0) + 1
  if (tries >= mostTries) return false
  yield* moving.keep({ tries })
  return yield* new MoveInFailed({ ...failure, why: "slow" })
})

/** Copies the next blobs, as many as a request may. */
export const copyBlobs = Effect.fn("moveIn.blobs")(function* (moving: Moving) {
  const blobs = yield* blobsToCopy(moving)
  const until = (yield* Clock.currentTimeMillis) + longest
  for (const { cid } of blobs.slice(0, mostBlobs)) {
    if ((yield* Clock.currentTimeMillis) > until) break
    const isHere = yield* tryBlob(moving, cid)
    if (!isHere) yield* moving.keep({ after: cid, tries: 0 })
    else if ((moving.notes.tries ?? 0) > 0) yield* moving.keep({ tries: 0 })
  }
})

/** Forgets which blobs were set aside: the next steps try them again. */
export const retryBlobs = (moving: Moving) => {
  const { after: _, tries: __, ...notes } = moving.notes
  moving.notes = notes
  return moving.keep({})
}

const Preferences = Schema.Struct({ preferences: Schema.Array(Schema.Unknown) })

/** Copies the preferences; a server that stores none has none to copy. */
export const copyPreferences = Effect.fn("moveIn.preferences")(function* (moving: Moving) {
  const get = "app.bsky.actor.getPreferences"
  const copy = Effect.gen(function* () {
    const input = yield* decoded(get, Preferences, yield* there(moving, get))
    yield* here(moving, "app.bsky.actor.putPreferences", { input })
  })
  yield* Effect.catchIf(
    copy,
    (failure) => failure instanceof MoveInFailed && ["refused", "odd"].includes(failure.why),
    () => Effect.void
  )
  yield* moving.keep({ hasPreferences: true })
})
