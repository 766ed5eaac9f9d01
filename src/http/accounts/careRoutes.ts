import * as Effect from "effect/Effect"
import type { Role } from "../../core/operators/roles.ts"
import { announce, listAnnouncements } from "../mail/adminAnnouncements.ts"
import { forOperator } from "../limits/ownEndpoint.ts"
import {
  accountCheck,
  accountDelete,
  accountHistory,
  accountKeep,
  accountQuota,
  accountRestore,
  accountSuspend,
  setAccountQuota
} from "./adminCare.ts"
import { createInvites, inviteTree } from "./adminInvites.ts"

/** Each path with the role that it takes. */
const declared = [
  ["GET", "/admin/accounts/history", "moderator", accountHistory],
  ["GET", "/admin/accounts/check", "moderator", accountCheck],
  ["POST", "/admin/accounts/suspend", "moderator", accountSuspend],
  ["POST", "/admin/accounts/restore", "moderator", accountRestore],
  ["POST", "/admin/accounts/delete", "admin", accountDelete],
  ["POST", "/admin/accounts/keep", "admin", accountKeep],
  ["GET", "/admin/accounts/quota", "moderator", accountQuota],
  ["POST", "/admin/accounts/quota", "admin", setAccountQuota],
  ["GET", "/admin/announcements", "admin", listAnnouncements],
  ["POST", "/admin/announcements", "admin", announce],
  ["POST", "/admin/invites", "inviter", createInvites],
  ["GET", "/admin/invites/tree", "inviter", inviteTree]
] as const

type Made = ReturnType<(typeof declared)[number][3]>
type Make = (
  request: Request,
  url: URL
) => Effect.Effect<
  Response,
  Effect.Error<Made> | Effect.Error<ReturnType<typeof forOperator>>,
  Effect.Services<Made> | Effect.Services<ReturnType<typeof forOperator>>
>

/** The operators' paths for the care of accounts and invites. */
export const careRoutes: ReadonlyArray<{
  readonly verb: "GET" | "POST"
  readonly path: string
  readonly role: Role
  readonly make: Make
}> = declared.map(([verb, path, role, make]) => ({
  verb,
  path,
  role,
  make: (request, url) => {
    const answer: ReturnType<Make> = make(request, url)
    return Effect.andThen(forOperator(request, path.slice(1), role), answer)
  }
}))
