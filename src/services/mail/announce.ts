import { randomUUID } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Accounts } from "../accounts/Accounts.ts"
import { Directory } from "../accounts/Directory.ts"
import { Config } from "../host/Config.ts"
import { type Announcement, Announcements, type AnnouncementState } from "./Announcements.ts"
import { Mailer } from "./Mailer.ts"
import { announcementMail } from "./mailTexts.ts"

/** How long one caller works on an announcement after its last save, in milliseconds. */
const leaseMillis = 120_000

/** How often an account's mail is tried. */
const attempts = 3

/** The most accounts that an announcement names as failed. */
const mostNamed = 500

const named = (list: ReadonlyArray<string>, did: string): ReadonlyArray<string> =>
  list.length < mostNamed ? [...list, did] : list

/** The accounts after the cursor, in the order of their DIDs. */
const nextAccounts = Effect.fnUntraced(function* ({ dids }: Announcement, cursor: string) {
  const directory = yield* Directory
  if (dids === undefined) {
    const page = yield* directory.list({ cursor, limit: 50 })
    const last = page.accounts.at(-1)?.did
    return { accounts: page.accounts.filter(({ status }) => status === "active"), last }
  }
  const some = dids.filter((did) => did > cursor).slice(0, 50)
  const found = yield* Effect.forEach(some, (did) => directory.byDid(did))
  return { accounts: found.filter((entry) => entry !== undefined), last: some.at(-1) }
})

/** Sends one account's mail; false if its address isn't confirmed. */
const mailOne = Effect.fnUntraced(function* (
  { subject, body }: Announcement,
  { did, handle, email }: { readonly did: string; readonly handle: string; readonly email: string }
) {
  const { emailConfirmedAt } = yield* (yield* Accounts).call(did, "summary")
  if (emailConfirmedAt === undefined) return false
  const { brand, host, publicUrl } = yield* Config
  const context = { server: brand.name ?? host, color: brand.color, publicUrl, handle }
  const mail = announcementMail(subject, body, context)
  yield* (yield* Mailer).send({ to: email, purpose: "announcement", ...mail })
  return true
})

/**
 * Continues the oldest announcement: at most `mails` accounts, one after the other.
 *
 * Each account is claimed in the database before its mail is sent, so none gets it twice, even if
 * the server stops in between; such an account is counted as interrupted. After a failure the next
 * call continues with the same account.
 */
export const continueAnnouncements = Effect.fn("continueAnnouncements")(function* (limits: {
  readonly mails: number
  readonly millis: number
}) {
  if (!(yield* Mailer).delivers) return
  const announcements = yield* Announcements
  const started = yield* Clock.currentTimeMillis
  const holder = randomUUID()
  const taken = yield* announcements.take(holder, started, started + leaseMillis)
  if (taken === undefined) return
  const { claimed, ...rest } = taken.state
  let state: AnnouncementState =
    claimed === undefined ? rest : { ...rest, interrupted: named(rest.interrupted, claimed) }
  let left = limits.mails

  const save = Effect.fnUntraced(function* (next: AnnouncementState, end?: "released" | "ended") {
    state = next
    const now = yield* Clock.currentTimeMillis
    const progress = { state, until: end === undefined ? now + leaseMillis : 0 }
    return yield* announcements.save(
      taken.id,
      holder,
      end === "ended" ? { ...progress, endedAt: now } : progress
    )
  })

  while (true) {
    const { accounts, last } = yield* nextAccounts(taken, state.cursor)
    if (last === undefined) return void (yield* save(state, "ended"))
    for (const { did, handle, email } of accounts) {
      if (email === undefined) {
        state = { ...state, cursor: did, withoutAddress: state.withoutAddress + 1 }
        continue
      }
      const now = yield* Clock.currentTimeMillis
      if (left === 0 || now - started > limits.millis) return void (yield* save(state, "released"))
      left -= 1
      const before = state
      if (!(yield* save({ ...before, cursor: did, claimed: did }))) return
      const outcome = yield* mailOne(taken, { did, handle, email }).pipe(
        Effect.map((isSent) => (isSent ? ("sent" as const) : ("unconfirmed" as const))),
        Effect.catch((failure) =>
          Effect.as(
            Effect.logWarning("an announcement was not sent to an account", failure),
            "failed" as const
          )
        )
      )
      if (outcome !== "failed") {
        yield* save({ ...before, cursor: did, tries: 0, [outcome]: before[outcome] + 1 })
        continue
      }
      const isLast = before.tries + 1 >= attempts
      const next = isLast
        ? { ...before, cursor: did, tries: 0, failed: named(before.failed, did) }
        : { ...before, tries: before.tries + 1 }
      return void (yield* save(next, "released"))
    }
    state = { ...state, cursor: last }
  }
})
