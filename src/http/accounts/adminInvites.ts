import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { inviteEnd, inviteNote, maxInviteNote } from "../../core/accounts/invites.ts"
import { queryValue } from "../../core/lexicon/params.ts"
import { Directory } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { adminInput, ownAnswer } from "../limits/ownEndpoint.ts"
import { makeCodes } from "./invites.ts"

const NewInvites = Schema.Struct({
  codes: Schema.optionalKey(Schema.Int),
  uses: Schema.optionalKey(Schema.Int),
  note: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(maxInviteNote))),
  expires: Schema.optionalKey(Schema.String),
  account: Schema.optionalKey(Schema.String)
})

const allowed = `codes, uses, note (${maxInviteNote} characters at most), expires and account are allowed`

/** POST `/admin/invites`: creates codes with a note and an end. */
export const createInvites = Effect.fn("http.createInvites")(function* (request: Request) {
  const input = yield* adminInput(request, NewInvites, allowed)
  const { codes = 1, uses = 1, account = "admin" } = input
  const now = yield* Clock.currentTimeMillis
  const expiresAt = input.expires === undefined ? undefined : inviteEnd(input.expires, now)
  if (input.expires !== undefined && expiresAt === undefined) {
    return yield* new InvalidRequest({
      message: "expires must be a number of days such as 7d, or a date in the future"
    })
  }
  const note = inviteNote(input.note ?? "")
  const made = yield* makeCodes([account], codes, uses, { note, expiresAt })
  return ownAnswer({
    codes: made.flatMap((each) => each.codes),
    uses,
    ...(note === undefined ? {} : { note }),
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() })
  })
})

/** The most accounts in a page of the tree. */
export const maxInvited = 1000

/** GET `/admin/invites/tree?by=&after=`: accounts with who invited them. */
export const inviteTree = Effect.fn("http.inviteTree")(function* (_: Request, url: URL) {
  const by = queryValue(url.searchParams, "by")
  const after = queryValue(url.searchParams, "after")
  const accounts = yield* (yield* Directory).invited({ by, after, limit: maxInvited })
  const last = accounts.length < maxInvited ? undefined : accounts.at(-1)
  return ownAnswer({ ...(last === undefined ? {} : { cursor: last.did }), accounts })
})
