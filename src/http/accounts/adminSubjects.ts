import type {
  ComAtprotoAdminGetSubjectStatus as GetSubjectStatus,
  ComAtprotoAdminUpdateSubjectStatus as UpdateSubjectStatus
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { parseAtUri } from "../../core/lexicon/syntax.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import type { Subject } from "../../services/accounts/Takedowns.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { type ActNotes, noteAct } from "../CurrentRequest.ts"
import { mayChangeStanding } from "../operators/standing.ts"
import { type Call, method } from "../Xrpc.ts"
import { entryOf } from "./adminAccounts.ts"

const moderator = { at: "host", authority: { kind: "moderator" } } as const

const refs = {
  account: "com.atproto.admin.defs#repoRef",
  record: "com.atproto.repo.strongRef",
  blob: "com.atproto.admin.defs#repoBlobRef"
} as const

/** A subject and its account. */
interface Place {
  readonly account: string
  readonly subject: Subject
}

const recordPlace = Effect.fnUntraced(function* (uri: string) {
  const { authority, collection, rkey } = parseAtUri(uri) ?? {}
  if (authority === undefined || collection === undefined || rkey === undefined) {
    return yield* new InvalidRequest({ message: `Not the URI of a record: ${uri}` })
  }
  const subject = { kind: "record", path: `${collection}/${rkey}` } as const
  return { account: authority, subject } satisfies Place
})

const askedPlace = Effect.fnUntraced(function* ({ did, uri, blob }: GetSubjectStatus.QueryParams) {
  if (blob !== undefined) {
    if (did === undefined) {
      return yield* new InvalidRequest({ message: "Must provide a did to request blob state" })
    }
    return { account: did, subject: { kind: "blob", cid: blob } } satisfies Place
  }
  if (uri !== undefined) return yield* recordPlace(uri)
  if (did === undefined) return yield* new InvalidRequest({ message: "No provided subject" })
  return { account: did, subject: { kind: "account" } } satisfies Place
})

const givenPlace = Effect.fnUntraced(function* (
  subject: UpdateSubjectStatus.InputSchema["subject"]
) {
  if (subject.$type === refs.record && "uri" in subject) return yield* recordPlace(subject.uri)
  if ("did" in subject && "cid" in subject && subject.$type === refs.blob) {
    return {
      account: subject.did,
      subject: { kind: "blob", cid: String(subject.cid) }
    } satisfies Place
  }
  if ("did" in subject && subject.$type === refs.account) {
    return { account: subject.did, subject: { kind: "account" } } satisfies Place
  }
  return yield* new InvalidRequest({ message: `Invalid subject (${subject.$type})` })
})

/** What a subject is called in the audit log. */
const nameOf = (did: string, subject: Subject): string => {
  if (subject.kind === "account") return did
  return subject.kind === "record" ? `at://${did}/${subject.path}` : `${did} ${subject.cid}`
}

interface Applied {
  readonly applied: boolean
  readonly ref?: string | undefined
}

/** A subject's standing in the words of the audit log. */
const standingOf = ({
  takedown,
  deactivated
}: {
  readonly takedown?: Applied | undefined
  readonly deactivated?: Applied | undefined
}): NonNullable<ActNotes["before"]> => ({
  ...(takedown === undefined ? {} : { takedown: takedown.applied }),
  ...(takedown?.ref === undefined ? {} : { ref: takedown.ref }),
  ...(deactivated === undefined ? {} : { deactivated: deactivated.applied })
})

const getSubjectStatus = method(
  "com.atproto.admin.getSubjectStatus",
  moderator,
  Effect.fnUntraced(function* ({ params }: Call<GetSubjectStatus.QueryParams>) {
    const { account, subject } = yield* askedPlace(params)
    const { did } = yield* entryOf(account)
    yield* noteAct({ subject: nameOf(did, subject) })
    const view = yield* (yield* Accounts).call(did, "subjectStatus", { subject })
    const { cid, ...standing } = view
    const $type = refs[subject.kind]
    if (subject.kind === "account") return { subject: { $type, did }, ...standing }
    return subject.kind === "blob"
      ? { subject: { $type, did, cid: subject.cid }, ...standing }
      : { subject: { $type, uri: `at://${did}/${subject.path}`, cid }, ...standing }
  })
)

const updateSubjectStatus = method(
  "com.atproto.admin.updateSubjectStatus",
  moderator,
  Effect.fnUntraced(function* ({ input }: Call<object, UpdateSubjectStatus.InputSchema>) {
    const { subject, takedown, deactivated } = input
    const place = yield* givenPlace(subject)
    const { did } = yield* entryOf(place.account)
    const change = { takedown, deactivated }
    const accounts = yield* Accounts
    const before = yield* accounts.call(did, "subjectStatus", { subject: place.subject })
    yield* noteAct({
      subject: nameOf(did, place.subject),
      before: standingOf(before),
      after: standingOf(change)
    })
    if (place.subject.kind === "account") yield* mayChangeStanding(did)
    yield* accounts.call(did, "updateSubject", { subject: place.subject, change })
    return { subject, ...(takedown === undefined ? {} : { takedown }) }
  })
)

/** Takedowns of accounts, records and blobs. */
export const adminSubjectMethods = [getSubjectStatus, updateSubjectStatus]
