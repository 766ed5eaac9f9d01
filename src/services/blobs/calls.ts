import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { declaredType, storedType, unknownType } from "../../core/blobs/mime.ts"
import { accepts, blobTypeIn } from "../../core/lexicon/blobs.ts"
import type { Permission } from "../../core/oauth/types.ts"
import { readStoredRecord } from "../../core/repo/cborLoose.ts"
import { lastingAccount, readableAccount } from "../accounts/AccountStatus.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import { downFailure } from "../accounts/suspension.ts"
import { BlobIndex, type BlobLocation, BlobNotFound, BlobQuotaExceeded } from "./BlobIndex.ts"
import { BlobTooLarge } from "./BlobStore.ts"
import { armSweep } from "./BlobSweep.ts"
import { ownBlobCalls } from "./ownBlobs.ts"
import { blobQuota, quotaCalls } from "./quota.ts"
import { PublicCacheGate } from "../edge/PublicCacheGate.ts"
import { InvalidRequest } from "../failures.ts"
import { Config } from "../host/Config.ts"
import { Records } from "../repo/Records.ts"
import { Auth, authenticate, type Credentials, permit } from "../sessions/Auth.ts"
import type { Authority, Caller } from "../sessions/Authority.ts"

/** Who may upload: a session, or the account itself with service auth (the video service). */
export const uploadAuthority = (needs: ReadonlyArray<Permission>): Authority => ({
  kind: "session",
  level: "standard",
  oauth: () => needs,
  service: true
})

/**
 * Checked for the declared type before the first byte, and for the sniffed one before the upload is
 * recorded.
 */
const assertAccepted = (patterns: ReadonlyArray<string>, mimeType: string) =>
  patterns.some((pattern) => accepts(pattern, mimeType))
    ? Effect.void
    : Effect.fail(new InvalidRequest({ message: `Blobs of type ${mimeType} are not accepted` }))

/**
 * Fails if a body of this size exceeds a limit; of unknown size, only if there is no room at all.
 */
const assertFits = Effect.fnUntraced(function* (size = 0) {
  const { blobLimit } = yield* Config
  if (size > blobLimit) return yield* new BlobTooLarge({ limit: blobLimit })
  const quota = yield* blobQuota
  if (quota === 0) return
  const used = (yield* BlobIndex).usage()
  if (used + size > quota) return yield* new BlobQuotaExceeded({ used, quota })
})

/** Admits an upload of this size by an authorized caller, and notes the key it will write to. */
export const admitUpload = Effect.fnUntraced(function* ({ size }: { readonly size?: number }) {
  const { blobLimit: limit } = yield* Config
  const { did } = yield* (yield* AccountStore).get
  yield* assertFits(size)
  const key = `${did}/${randomUUID()}`
  ;(yield* BlobIndex).noteUpload(key, yield* Clock.currentTimeMillis)
  yield* armSweep
  return { key, limit }
})

/** Authorizes an upload before its first byte. */
const authorizeUpload = Effect.fnUntraced(function* (
  input: Credentials & { readonly mimeType: string; readonly size?: number }
) {
  const { blobMimeTypes } = yield* Config
  const needs = [{ resource: "blob", mime: input.mimeType }] as const
  const caller = yield* authenticate(input, uploadAuthority(needs), "com.atproto.repo.uploadBlob")
  yield* Effect.fromResult(permit(caller, needs))
  const account = yield* (yield* AccountStore).get
  if (account.takedown !== undefined) {
    return yield* yield* downFailure(account)
  }
  yield* assertAccepted(blobMimeTypes, input.mimeType)
  return { ...(yield* admitUpload(input)), caller }
})

/**
 * The type of a blob that a record waits for: what its bytes show, or else what the record says.
 *
 * When accounts move in, clients send blobs as the old server returned them, often without a type.
 */
const awaitedType = Effect.fnUntraced(function* (cid: string, sniffed: string | undefined) {
  const path = (yield* BlobIndex).awaitedBy(cid)
  const record = path === undefined ? undefined : (yield* Records).get(path)
  if (record === undefined) return undefined
  const said = blobTypeIn(readStoredRecord(record.value).fields, cid) ?? null
  const type = storedType(sniffed, declaredType(said))
  return type === unknownType ? undefined : type
})

/** Records an upload whose last byte is stored. */
const recordUpload = Effect.fnUntraced(function* ({
  caller,
  sniffed,
  ...upload
}: BlobLocation & {
  readonly caller?: Caller
  /** The type that the bytes show, if any. */
  readonly sniffed?: string
}) {
  const { blobMimeTypes } = yield* Config
  // An account deleted meanwhile leaves nobody to sweep the bytes, so the upload fails and they are
  // deleted at once.
  yield* lastingAccount
  const mimeType = (yield* awaitedType(upload.cid, sniffed)) ?? upload.mimeType
  const input = { ...upload, mimeType }
  yield* assertAccepted(blobMimeTypes, mimeType)
  // An app may upload the types that it has permission for, whatever it declares.
  if (caller !== undefined) {
    const needs = [{ resource: "blob", mime: input.mimeType }] as const
    const still = (yield* Auth).recheck(caller, uploadAuthority(needs))
    yield* Effect.fromResult(Result.flatMap(still, (same) => permit(same, needs)))
  }
  const quota = yield* blobQuota
  const recorded = (yield* BlobIndex).record({
    ...input,
    now: yield* Clock.currentTimeMillis,
    ...(quota > 0 ? { quota } : {})
  })
  return "_tag" in recorded ? yield* recorded : recorded.blob
})

/** Who may download: anyone; for an inactive account, its owner and the administrator. */
export const downloadAuthority: Authority = { kind: "optional" }

/** The location of a blob, for a caller who may read the account. */
const locateBlob = Effect.fnUntraced(function* (input: {
  readonly cid: string
  readonly credentials?: Credentials
}) {
  const caller =
    input.credentials === undefined
      ? ({ kind: "anonymous" } as const)
      : yield* authenticate(input.credentials, downloadAuthority, "com.atproto.sync.getBlob")
  const shared = (yield* PublicCacheGate).share() && caller.kind === "anonymous"
  yield* readableAccount(caller)
  const location = (yield* BlobIndex).locate(input.cid)
  if (location === undefined) return yield* new BlobNotFound({ cid: input.cid })
  return { ...location, shared }
})

/**
 * The blob calls of the account's object; the Worker moves the bytes to and from the blob store.
 */
export const blobCalls = {
  authorizeUpload,
  recordUpload,
  locateBlob,
  ...ownBlobCalls,
  ...quotaCalls
}
