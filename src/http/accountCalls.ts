import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AccountEvents } from "../services/AccountEvents.ts"
import type { AccountCalls, Credentials } from "../services/AccountCalls.ts"
import { AccountStore, inactiveStatus } from "../services/AccountStore.ts"
import { Rejected } from "../services/Accounts.ts"
import { Alarm } from "../services/Alarm.ts"
import { Auth, Denied } from "../services/Auth.ts"
import type { Authority } from "../services/Authority.ts"
import { BlobIndex, BlobNotFound, BlobQuotaExceeded } from "../services/BlobIndex.ts"
import { Config } from "../services/Config.ts"
import { Passwords } from "../services/Passwords.ts"
import { Repo } from "../services/Repo.ts"
import { Sessions } from "../services/Sessions.ts"
import { BlobTooLarge } from "../services/BlobStore.ts"
import { accepts } from "../lexicon/blobs.ts"
import { wireError } from "./errors.ts"
import { type Failure, InvalidRequest } from "./failures.ts"
import { readableAccount } from "./xrpc/account/standing.ts"

const authenticate = Effect.fnUntraced(function* (
  credentials: Credentials,
  authority: Authority,
  nsid: string
) {
  return yield* (yield* Auth).authenticate(credentials, authority, nsid)
})

/** When the alarm looks whether a sign-up was left unannounced, in milliseconds. */
const announceAfter = 30_000

/** How many records the account in this object has; none where its sign-up was cut off before the repo was made. */
const recordCount = Effect.flatMap(Repo, (repo) => repo.head).pipe(
  Effect.map(({ records }) => records),
  Effect.catchTag("RepoNotFound", () => Effect.undefined)
)

const create = Effect.fnUntraced(function* (input: AccountCalls["create"]["input"]) {
  const now = yield* Clock.currentTimeMillis
  const accounts = yield* AccountStore
  if (accounts.peek() !== undefined && (yield* recordCount) === undefined) yield* accounts.destroy
  const password =
    input.password === undefined ? undefined : yield* (yield* Passwords).hash(input.password)
  const createdAt = new Date(now).toISOString()
  yield* accounts.create({
    did: input.did,
    handle: input.handle,
    email: input.email,
    emailConfirmed: false,
    password,
    signingKey: input.signingKey,
    deactivatedAt: input.active ? undefined : createdAt,
    deleteAfter: undefined,
    takedown: undefined,
    createdAt
  })
  yield* (yield* Repo).create
  // A sign-up that is cut off after it became valid is announced by the alarm (`ring`).
  if (input.active) yield* (yield* Alarm).by(now + announceAfter)
  else yield* (yield* AccountEvents).noSignUp
  return yield* (yield* Sessions).open(input.did, { level: "full" })
})

/** Undoes a sign-up; an account that has written anything is none, and stays. */
const destroy = Effect.gen(function* () {
  const accounts = yield* AccountStore
  if (accounts.peek() === undefined) return yield* accounts.destroy
  if (((yield* recordCount) ?? 0) > 0) {
    return yield* new InvalidRequest({ message: "The account is in use and is not removed" })
  }
  yield* accounts.destroy
})

const summary = Effect.gen(function* () {
  const account = yield* (yield* AccountStore).get
  // Without a repo the sign-up was cut off, and nobody lives here yet.
  yield* (yield* Repo).head
  const status = inactiveStatus(account)
  return {
    did: account.did,
    handle: account.handle,
    signingKey: account.signingKey.didKey,
    active: status === undefined,
    ...(status === undefined ? {} : { status })
  }
})

/** Who may upload: a session, or the account itself by service token (the video service). */
const uploadAuthority = (mimeType: string): Authority => ({
  kind: "session",
  level: "standard",
  oauth: [`blob:${mimeType}`],
  service: true
})

/** The declared type is checked before the first byte, the one that the bytes tell before it is recorded. */
const assertAccepted = (patterns: ReadonlyArray<string>, mimeType: string) =>
  patterns.some((pattern) => accepts(pattern, mimeType))
    ? Effect.void
    : Effect.fail(new InvalidRequest({ message: `Blobs of type ${mimeType} are not accepted` }))

const authorizeUpload = Effect.fnUntraced(function* (
  input: AccountCalls["authorizeUpload"]["input"]
) {
  const { blobLimit, blobMimeTypes, blobQuota } = yield* Config
  yield* authenticate(input, uploadAuthority(input.mimeType), "com.atproto.repo.uploadBlob")
  const account = yield* (yield* AccountStore).get
  if (account.takedown !== undefined) {
    return yield* new Denied({ error: "AccountTakedown", message: "Account has been taken down" })
  }
  yield* assertAccepted(blobMimeTypes, input.mimeType)
  if (input.size !== undefined && input.size > blobLimit) {
    return yield* new BlobTooLarge({ limit: blobLimit })
  }
  const blobs = yield* BlobIndex
  const used = blobs.usage().bytes
  if (blobQuota > 0 && used + (input.size ?? 0) > blobQuota) {
    return yield* new BlobQuotaExceeded({ used, quota: blobQuota })
  }
  const key = `${account.did}/${randomUUID()}`
  blobs.noteUpload(key, yield* Clock.currentTimeMillis)
  yield* sweepLater
  return { key, limit: blobLimit }
})

/** Lets the alarm ring when there is something to sweep. */
const sweepLater = Effect.gen(function* () {
  const { blobGraceHours } = yield* Config
  const next = (yield* BlobIndex).nextSweep(blobGraceHours * 3_600_000)
  if (next !== undefined) yield* (yield* Alarm).by(next)
})

const recordUpload = Effect.fnUntraced(function* (input: AccountCalls["recordUpload"]["input"]) {
  const { blobMimeTypes, blobQuota } = yield* Config
  yield* assertAccepted(blobMimeTypes, input.mimeType)
  const recorded = (yield* BlobIndex).record({
    ...input,
    now: yield* Clock.currentTimeMillis,
    ...(blobQuota > 0 ? { quota: blobQuota } : {})
  })
  yield* sweepLater
  return "_tag" in recorded ? yield* recorded : recorded.blob
})

const locateBlob = Effect.fnUntraced(function* (input: AccountCalls["locateBlob"]["input"]) {
  const caller =
    input.credentials === undefined
      ? ({ kind: "anonymous" } as const)
      : yield* authenticate(input.credentials, { kind: "optional" }, "com.atproto.sync.getBlob")
  yield* readableAccount(caller)
  const location = (yield* BlobIndex).locate(input.cid)
  return location ?? (yield* new BlobNotFound({ cid: input.cid }))
})

const calls = {
  create,
  announce: () => Effect.flatMap(AccountEvents, (events) => events.signUp),
  destroy: () => destroy,
  summary: () => summary,
  authorizeUpload,
  recordUpload,
  locateBlob
}

/** What the internal methods need: everything that lives in an account's object. */
type Needs = Effect.Services<ReturnType<(typeof calls)[keyof typeof calls]>>

/** Runs an internal method of an account's object; a failure is told as it will go over the wire. */
export const call = <K extends keyof AccountCalls>(
  method: K,
  input: AccountCalls[K]["input"]
): Effect.Effect<AccountCalls[K]["output"], Rejected, Needs> => {
  // SAFETY: the table holds, for each method, the function from its input to its output.
  const run = calls[method] as unknown as (
    input: AccountCalls[K]["input"]
  ) => Effect.Effect<AccountCalls[K]["output"], Failure, Needs>
  return Effect.mapError(run(input), (failure) => new Rejected(wireError(failure)))
}
