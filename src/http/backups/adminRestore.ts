import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { queryValue } from "../../core/lexicon/params.ts"
import { isDatetime, isDid } from "../../core/lexicon/syntax.ts"
import { AccountExists } from "../../services/accounts/Directory.ts"
import { Budget } from "../../services/backups/Budget.ts"
import { checkAccount } from "../../services/backups/checkAccount.ts"
import { BackupDamaged, backupTarget } from "../../services/backups/BackupTarget.ts"
import { getManifest } from "../../services/backups/objects.ts"
import { runsInStore } from "../../services/backups/tidyBackups.ts"
import { restoreAt } from "../../services/backups/pointInTime/restoreAt.ts"
import { restoreAccount, versionsOf } from "../../services/backups/restoreAccount.ts"
import { restoreServer } from "../../services/backups/restoreServer.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { noteAccount, noteAct } from "../CurrentRequest.ts"
import { forAdministrator, ownAnswer } from "../limits/ownEndpoint.ts"
import { accountBehind } from "../sessions/signInGate.ts"

/** The part of a restore that one request does; the next request continues. */
const aRequest = { millis: 20_000, operations: 400 }

/** The DID in `account`, or the DID of the handle or email address in it. */
export const subjectIn = Effect.fnUntraced(function* (url: URL) {
  const account = queryValue(url.searchParams, "account") ?? ""
  const did = isDid(account) ? account : (yield* accountBehind(account))?.did
  if (did !== undefined) return did
  return yield* new InvalidRequest({
    message: "No such account here. For a deleted account, use its DID"
  })
})

/** GET `/admin/backups/account?account=`: the backups of an account, oldest first. */
export const listVersions = Effect.fn("http.listVersions")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const did = yield* subjectIn(url)
  return ownAnswer({ did, backups: yield* versionsOf(did) })
})

const ignoreMissing = <A, E, R>(reading: Effect.Effect<A, E | BackupDamaged, R>) =>
  Effect.catchIf(
    reading,
    (failure) => failure instanceof BackupDamaged && failure.isMissing,
    () => Effect.void
  )

/** GET `/admin/backups/object?key=`: the stored bytes of an object of a backup; not those of a changed manifest. */
export const getObject = Effect.fn("http.getObject")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const key = queryValue(url.searchParams, "key") ?? ""
  const target = yield* backupTarget
  // A client without the master key can't tell a changed manifest.
  if (key.endsWith(".json")) yield* getManifest(key, Schema.Unknown).pipe(ignoreMissing)
  const found = yield* target.get(key)
  if (found === undefined) return new Response("Not Found\n", { status: 404 })
  return new Response(found.body, {
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(found.size),
      "cache-control": "no-store"
    }
  })
})

/** GET `/admin/backups/objects?prefix=&cursor=`: a page of the backup store's objects. */
export const listObjects = Effect.fn("http.listObjects")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const target = yield* backupTarget
  const prefix = queryValue(url.searchParams, "prefix") ?? ""
  return ownAnswer(yield* target.list(prefix, queryValue(url.searchParams, "cursor")))
})

/** POST `/admin/backups/restore?account=&backup=&replace=`: restores an account, or a part of it. */
export const restoreOne = Effect.fn("http.restoreOne")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const did = yield* subjectIn(url)
  yield* noteAccount(did)
  const versions = yield* versionsOf(did)
  const wanted = queryValue(url.searchParams, "backup")
  const version = wanted ?? versions.at(-1)
  if (version === undefined || !versions.includes(version)) {
    const message = `There is no backup ${wanted === undefined ? "" : `${wanted} `}of this account`
    return yield* new InvalidRequest({ message })
  }
  const until = (yield* Clock.currentTimeMillis) + aRequest.millis
  const budget = new Budget({ ...aRequest, until })
  const replace = queryValue(url.searchParams, "replace") === "true"
  const restored = yield* restoreAccount(did, version, { replace, budget })
  if (restored.kind === "exists") return yield* new AccountExists({ did })
  return ownAnswer(restored)
})

/** POST `/admin/backups/restore-at?account=&at=`: puts an account back to a time in ISO form. */
export const restoreToTime = Effect.fn("http.restoreToTime")(function* (
  request: Request,
  url: URL
) {
  yield* forAdministrator(request, "admin/backups")
  const did = yield* subjectIn(url)
  yield* noteAccount(did)
  const text = queryValue(url.searchParams, "at") ?? ""
  const at = isDatetime(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) {
    const message = "A time such as 2026-01-01T03:00:00Z is needed"
    return yield* new InvalidRequest({ message })
  }
  yield* noteAct({ subject: did, after: { at: text } })
  const until = (yield* Clock.currentTimeMillis) + aRequest.millis
  return ownAnswer(yield* restoreAt(did, at, new Budget({ ...aRequest, until })))
})

/** GET `/admin/check?account=&after=`: checks an account; with `after`, the blobs that follow it. */
export const check = Effect.fn("http.check")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/check")
  const did = yield* subjectIn(url)
  yield* noteAccount(did)
  const until = (yield* Clock.currentTimeMillis) + aRequest.millis
  const budget = new Budget({ ...aRequest, until })
  return ownAnswer(yield* checkAccount(did, queryValue(url.searchParams, "after"), budget))
})

/** POST `/admin/backups/restore-server?backup=&cursor=`: restores a part of a whole server. */
export const restoreAll = Effect.fn("http.restoreAll")(function* (request: Request, url: URL) {
  yield* forAdministrator(request, "admin/backups")
  const run = queryValue(url.searchParams, "backup")
  const cursor = queryValue(url.searchParams, "cursor") ?? ""
  if (run !== undefined && cursor === "" && !(yield* runsInStore).whole.includes(run)) {
    return yield* new InvalidRequest({ message: `There is no backup ${run} of this server` })
  }
  return ownAnswer(yield* restoreServer({ run, cursor }, aRequest))
})
