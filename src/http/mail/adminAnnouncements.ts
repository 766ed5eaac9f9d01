import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { calledName } from "../../core/identity/calledName.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { type Announcement, Announcements } from "../../services/mail/Announcements.ts"
import { Mailer } from "../../services/mail/Mailer.ts"
import { entryOf } from "../accounts/adminAccounts.ts"
import { noteAct } from "../CurrentRequest.ts"
import { adminInput, ownAnswer } from "../limits/ownEndpoint.ts"

/** The longest subject and text, in characters, and the most accounts that are named. */
export const longestAnnouncement = { subject: 150, text: 8000, accounts: 200 }

/** Whom an announcement reaches. */
export interface Audience {
  readonly dids?: ReadonlyArray<string>
  readonly accounts: number
  readonly withoutAddress: number
}

/** The accounts of an announcement: all active ones, or those named, which must be here. */
export const audienceOf = Effect.fn("http.audience")(function* (to: ReadonlyArray<string>) {
  if (to.length === 0) {
    const all: Audience = yield* (yield* Announcements).audience
    return all
  }
  const entries = yield* Effect.forEach(to, (name) => entryOf(calledName(name)))
  const dids = [...new Set(entries.map(({ did }) => did))].toSorted()
  const without = entries.filter(({ did, email }, at) => {
    return email === undefined && entries.findIndex((one) => one.did === did) === at
  })
  const some: Audience = { dids, accounts: dids.length, withoutAddress: without.length }
  return some
})

/** Notes an announcement; the cron trigger sends it. */
export const createAnnouncement = Effect.fn("http.createAnnouncement")(function* (
  { subject, text }: { readonly subject: string; readonly text: string },
  { dids, accounts, withoutAddress }: Audience
) {
  if (!(yield* Mailer).delivers) {
    return yield* new InvalidRequest({ message: "This server doesn't send email" })
  }
  yield* noteAct({ after: { subject, accounts, withoutAddress } })
  const createdAt = yield* Clock.currentTimeMillis
  const given = { subject, body: text, createdAt, ...(dids === undefined ? {} : { dids }) }
  const id = yield* (yield* Announcements).create(given)
  if (id === undefined) {
    return yield* new InvalidRequest({ message: "Three announcements are being sent already" })
  }
  return id
})

const bounded = (most: number) =>
  Schema.String.check(Schema.makeFilter((text) => text.trim() !== "" && text.length <= most))

const Input = Schema.Struct({
  subject: bounded(longestAnnouncement.subject),
  text: bounded(longestAnnouncement.text),
  to: Schema.optionalKey(
    Schema.Array(Schema.String).check(Schema.isMaxLength(longestAnnouncement.accounts))
  ),
  dryRun: Schema.optionalKey(Schema.Boolean)
})

const needed = `subject and text are needed: ${longestAnnouncement.subject} and ${longestAnnouncement.text} characters at most; to: ${longestAnnouncement.accounts} accounts at most`

/** POST `/admin/announcements`: mails all accounts, or those in `to`; `dryRun` only counts them. */
export const announce = Effect.fn("http.announce")(function* (request: Request) {
  const { subject, text, to = [], dryRun = false } = yield* adminInput(request, Input, needed)
  const audience = yield* audienceOf(to)
  const { accounts, withoutAddress } = audience
  const { delivers } = yield* Mailer
  if (dryRun) return ownAnswer({ accounts, withoutAddress, delivers })
  const id = yield* createAnnouncement({ subject, text }, audience)
  return ownAnswer({ id, accounts, withoutAddress, delivers })
})

const viewOf = ({ id, subject, dids, createdAt, endedAt, state }: Announcement) => {
  const { sent, withoutAddress, unconfirmed, failed, interrupted } = state
  return {
    id,
    subject,
    to: dids?.length ?? "all",
    createdAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    sent,
    withoutAddress,
    unconfirmed,
    failed,
    interrupted
  }
}

/** GET `/admin/announcements`: the last announcements with their progress, the newest first. */
export const listAnnouncements = Effect.fn("http.announcements")(function* () {
  return ownAnswer({ announcements: (yield* (yield* Announcements).list).map(viewOf) })
})
