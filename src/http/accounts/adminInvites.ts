import type {
  ComAtprotoAdminDisableAccountInvites as DisableAccountInvites,
  ComAtprotoAdminDisableInviteCodes as DisableInviteCodes,
  ComAtprotoAdminEnableAccountInvites as EnableAccountInvites,
  ComAtprotoAdminGetInviteCodes as GetInviteCodes
} from "@atproto/api"
import * as Effect from "effect/Effect"
import { inviteCode } from "../../core/identity/calledName.ts"
import { Directory, type InvitePlace } from "../../services/accounts/Directory.ts"
import { InvalidRequest } from "../../services/failures.ts"
import { inviteView } from "./inviteView.ts"
import { type Call, method } from "../Xrpc.ts"
import { entryOf } from "./adminAccounts.ts"

const moderator = { authority: { kind: "moderator" } } as const

const cursorOf = ({ rank, code }: InvitePlace): string => `${rank}:${code}`

const placeOf = Effect.fnUntraced(function* (cursor: string) {
  const parts = /^(\d{1,15}):(.+)$/.exec(cursor)
  if (parts === null) return yield* new InvalidRequest({ message: "Malformed cursor" })
  return { rank: Number(parts[1]), code: parts[2]! }
})

const getInviteCodes = method(
  "com.atproto.admin.getInviteCodes",
  moderator,
  Effect.fnUntraced(function* ({ params }: Call<GetInviteCodes.QueryParams & { limit: number }>) {
    const { limit, cursor } = params
    const sort: string = params.sort ?? "recent"
    if (sort !== "recent" && sort !== "usage") {
      return yield* new InvalidRequest({ message: `unknown sort method: ${sort}` })
    }
    const place = cursor === undefined ? {} : { after: yield* placeOf(cursor) }
    const page = yield* (yield* Directory).listInvites({ order: sort, limit, ...place })
    const next = page.next === undefined ? {} : { cursor: cursorOf(page.next) }
    return { ...next, codes: page.invites.map(inviteView) }
  })
)

const disableInviteCodes = method(
  "com.atproto.admin.disableInviteCodes",
  moderator,
  Effect.fnUntraced(function* ({ input }: Call<object, DisableInviteCodes.InputSchema>) {
    const { accounts, codes } = input
    if (accounts?.includes("admin") === true) {
      return yield* new InvalidRequest({ message: "cannot disable admin invite codes" })
    }
    yield* (yield* Directory).disableInvites({
      ...input,
      ...(codes && { codes: codes.map(inviteCode) })
    })
  })
)

const setInvitesDisabled = Effect.fnUntraced(function* (account: string, disabled: boolean) {
  const { did } = yield* entryOf(account)
  yield* (yield* Directory).setInvitesDisabled(did, disabled)
})

const disableAccountInvites = method(
  "com.atproto.admin.disableAccountInvites",
  moderator,
  ({ input }: Call<object, DisableAccountInvites.InputSchema>) =>
    setInvitesDisabled(input.account, true)
)

const enableAccountInvites = method(
  "com.atproto.admin.enableAccountInvites",
  moderator,
  ({ input }: Call<object, EnableAccountInvites.InputSchema>) =>
    setInvitesDisabled(input.account, false)
)

/** What becomes of invite codes, and who may give them away. */
export const adminInviteMethods = [
  getInviteCodes,
  disableInviteCodes,
  disableAccountInvites,
  enableAccountInvites
]
