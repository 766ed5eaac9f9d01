import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { AccountEvents } from "../stream/AccountEvents.ts"
import type { HistoryEvent } from "../../core/accounts/history.ts"
import { noter } from "./AccountHistory.ts"
import { AccountLock } from "./AccountLock.ts"
import { activate, deactivate } from "./AccountStatus.ts"
import { AccountStore } from "./AccountStore.ts"
import { BlobIndex } from "../blobs/BlobIndex.ts"
import { Directory } from "./Directory.ts"
import { PublicCacheGate } from "../edge/PublicCacheGate.ts"
import { PasskeyLinks } from "../factors/PasskeyLinks.ts"
import { Records } from "../repo/Records.ts"
import { type Subject, Takedowns } from "./Takedowns.ts"

/** The record or blob doesn't exist. */
export class SubjectNotFound extends Schema.TaggedError<SubjectNotFound>()("SubjectNotFound", {}) {}

/** The changes contradict each other or the account's current status. */
export class StatusRefused extends Schema.TaggedError<StatusRefused>()("StatusRefused", {
  message: Schema.String
}) {}

/** Whether a status applies, and its reference. */
export interface StatusAttr {
  readonly applied: boolean
  readonly ref?: string | undefined
}

/** A subject's status; `cid` is a record's. */
export interface SubjectView {
  readonly takedown: StatusAttr
  readonly deactivated?: StatusAttr
  readonly cid?: string
}

/** The changes to a subject; without any, an account's status is emitted again. */
export interface SubjectChange {
  readonly takedown?: StatusAttr | undefined
  readonly deactivated?: StatusAttr | undefined
}

const attr = (ref: string | undefined): StatusAttr =>
  ref === undefined ? { applied: false } : { applied: true, ref }

const accountView = Effect.gen(function* () {
  const { takedown, deactivatedAt } = yield* (yield* AccountStore).get
  const ref = (yield* Takedowns).account()
  return {
    takedown: takedown === undefined ? attr(undefined) : attr(ref ?? takedown),
    deactivated: { applied: deactivatedAt !== undefined }
  } satisfies SubjectView
})

const recordView = Effect.fnUntraced(function* (path: string) {
  const record = (yield* Records).get(path)
  if (record === undefined) return yield* new SubjectNotFound()
  const takedown = attr((yield* Takedowns).record(path))
  return { takedown, cid: record.cid.toString() } satisfies SubjectView
})

const blobView = Effect.fnUntraced(function* (cid: string) {
  const blobs = yield* BlobIndex
  const ref = blobs.takedown(cid)
  if (ref === undefined && blobs.locate(cid) === undefined) return yield* new SubjectNotFound()
  return { takedown: attr(ref) } satisfies SubjectView
})

/** The status of a subject of this account. */
export const subjectStatus = Effect.fn("subjectStatus")(function* (
  subject: Subject
): Effect.fn.Return<
  SubjectView,
  SubjectNotFound | Effect.Error<typeof accountView>,
  AccountStore | Takedowns | Records | BlobIndex
> {
  const view = yield* accountView
  if (subject.kind === "account") return view
  return yield* subject.kind === "record" ? recordView(subject.path) : blobView(subject.cid)
})

const eventOf = {
  takendown: (): HistoryEvent => ({ kind: "taken-down" }),
  suspended: (reason: string): HistoryEvent => ({ kind: "suspended", reason })
} as const

/**
 * Takes the account down or restores it: while it is down nothing is served, and its owner may only
 * leave.
 */
const setAccountTakedown = Effect.fnUntraced(function* (
  ref: string | undefined,
  as: "takendown" | "suspended" = "takendown"
) {
  const accounts = yield* AccountStore
  const directory = yield* Directory
  const takedowns = yield* Takedowns
  const links = yield* PasskeyLinks
  const events = yield* AccountEvents
  const change = Effect.gen(function* () {
    const { did, deactivatedAt } = yield* accounts.get
    const standing = deactivatedAt === undefined ? "active" : "deactivated"
    // The directory first: if it is unreachable nothing has changed, and the call can be repeated.
    yield* directory.setStatus(did, ref === undefined ? standing : as)
    yield* accounts.update(
      { takedown: ref === undefined ? undefined : as },
      ref === undefined ? { kind: "restored" } : eventOf[as](ref)
    )
    takedowns.setAccount(ref)
    links.revoke()
    yield* events.account
  })
  yield* (yield* AccountLock).alone(change)
})

/** The longest reason of a suspension, in characters. */
export const longestReason = 500

/** Suspends the account with a reason that its owner reads at sign-in. */
export const suspend = Effect.fn("suspend")(function* (input: { readonly reason: string }) {
  const reason = input.reason.trim()
  if (reason === "" || reason.length > longestReason) {
    const message = `A suspension needs a reason of at most ${longestReason} characters`
    return yield* new StatusRefused({ message })
  }
  yield* setAccountTakedown(reason, "suspended")
})

/** Restores an account that is suspended or taken down. */
export const restore = Effect.fn("restore")(function* () {
  const { takedown } = yield* (yield* AccountStore).get
  if (takedown === undefined) {
    return yield* new StatusRefused({ message: "The account is neither suspended nor taken down" })
  }
  yield* setAccountTakedown(undefined)
})

const setTakedown = Effect.fnUntraced(function* (subject: Subject, ref: string | undefined) {
  if (subject.kind === "account") return yield* setAccountTakedown(ref)
  const note = yield* noter
  const kind = ref === undefined ? "content-restored" : "content-taken-down"
  if (subject.kind === "blob") {
    const blobs = yield* BlobIndex
    const change = Effect.sync(() => {
      const isHere = blobs.setTakedown(subject.cid, ref)
      if (isHere) note({ kind, subject: subject.cid })
      return isHere
    })
    const isHere = yield* (yield* PublicCacheGate).whileShut(change)
    return isHere ? undefined : yield* new SubjectNotFound()
  }
  if (ref !== undefined) yield* recordView(subject.path)
  const takedowns = yield* Takedowns
  takedowns.setRecord(subject.path, ref)
  note({ kind, subject: subject.path })
})

/** Refuses to activate an account that is taken down or about to be. */
const checkChange = Effect.fnUntraced(function* ({ takedown, deactivated }: SubjectChange) {
  if (deactivated?.applied !== false) return
  if (takedown?.applied === true) {
    return yield* new StatusRefused({
      message: "Cannot activate and takedown an account at the same time"
    })
  }
  const account = yield* (yield* AccountStore).get
  if (account.takedown !== undefined && takedown === undefined) {
    return yield* new StatusRefused({ message: "Cannot activate an account that is taken down" })
  }
})

/**
 * Changes a subject's status for a moderator.
 *
 * Activation has the same requirements as by the owner.
 */
export const updateSubject = Effect.fn("updateSubject")(function* (
  subject: Subject,
  change: SubjectChange
) {
  const { takedown, deactivated } = change
  const isAccount = subject.kind === "account"
  yield* (yield* AccountStore).get
  if (isAccount) yield* checkChange(change)
  if (takedown !== undefined) {
    const now = new Date(yield* Clock.currentTimeMillis).toISOString()
    yield* setTakedown(subject, takedown.applied ? (takedown.ref ?? now) : undefined)
  }
  if (!isAccount) return
  if (deactivated !== undefined) {
    yield* deactivated.applied ? deactivate(undefined) : activate()
  } else if (takedown === undefined) {
    yield* (yield* AccountEvents).account
  }
})
