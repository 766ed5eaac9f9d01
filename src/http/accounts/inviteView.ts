import type { Invite } from "../../services/accounts/Directory.ts"

const time = (millis: number) => new Date(millis).toISOString()

/** An invite code as `com.atproto.server.defs#inviteCode`. */
export const inviteView = (invite: Invite) => ({
  ...invite,
  createdAt: time(invite.createdAt),
  uses: invite.uses.map(({ usedBy, usedAt }) => ({ usedBy, usedAt: time(usedAt) }))
})
