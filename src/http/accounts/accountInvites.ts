import type { ComAtprotoServerGetAccountInviteCodes as GetAccountInviteCodes } from "@atproto/api"
import * as Effect from "effect/Effect"
import { Directory } from "../../services/accounts/Directory.ts"
import { inviteView } from "./inviteView.ts"
import { type Call, method } from "../Xrpc.ts"
import { only, owner } from "./readableAccount.ts"

/** com.atproto.server.getAccountInviteCodes: the codes are the host's, the caller is known to the object. */
export const getAccountInviteCodes = method(
  "com.atproto.server.getAccountInviteCodes",
  { authority: owner },
  Effect.fnUntraced(function* ({ caller, params }: Call<GetAccountInviteCodes.QueryParams>) {
    const { did } = yield* only(caller, "session")
    const invites = yield* (yield* Directory).invitesOf(did)
    const shown = invites.filter(
      ({ disabled, uses, available }) =>
        !disabled && (params.includeUsed !== false || uses.length < available)
    )
    return { codes: shown.map(inviteView) }
  })
)

/** The invite codes of an account. */
export const inviteMethods = [getAccountInviteCodes]
