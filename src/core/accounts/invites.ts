const day = 86_400_000

/** The longest note of an invite, in characters. */
export const maxInviteNote = 200

/** A note on one line; undefined if it is blank. */
export const inviteNote = (typed: string): string | undefined => {
  const note = typed.replaceAll(/[\s\p{Cc}]+/gu, " ").trim()
  return note === "" ? undefined : note
}

/**
 * When an invite ends, in milliseconds: `7d`, a date (until its end in UTC), or a date with a time.
 *
 * Undefined if the text is none of these, or in the past.
 */
export const inviteEnd = (typed: string, now: number): number | undefined => {
  const text = typed.trim()
  const days = /^(\d{1,4})d$/i.exec(text)?.[1]
  if (days !== undefined) return Number(days) > 0 ? now + Number(days) * day : undefined
  if (!/^\d{4}-\d{2}-\d{2}(T|$)/.test(text)) return undefined
  const time = Date.parse(text)
  const end = text.length === 10 ? time + day : time
  return end > now ? end : undefined
}

/** Why a code can't be used any more. */
export const inviteState = (
  invite: {
    readonly disabled: boolean
    readonly available: number
    readonly uses: ReadonlyArray<unknown>
    /** In milliseconds. */
    readonly expiresAt?: number | undefined
  },
  now: number
): "disabled" | "used up" | "expired" | undefined => {
  if (invite.disabled) return "disabled"
  if (invite.uses.length >= invite.available) return "used up"
  return invite.expiresAt !== undefined && invite.expiresAt <= now ? "expired" : undefined
}

/** An account, and who invited it: an account's DID, `admin`, or nobody. */
export interface Invitee {
  readonly did: string
  readonly createdAt: number
  readonly by?: string | undefined
}

/** An account with the accounts that it invited. */
export interface InviteTree<A extends Invitee> {
  readonly account: A
  readonly invited: ReadonlyArray<InviteTree<A>>
}

/**
 * Who invited whom, the oldest first. An account whose inviter isn't among the accounts is a root.
 *
 * An account that was deleted and came back by an invite of somebody whom it had invited would be
 * its own ancestor; each account is in the forest once all the same.
 */
export const inviteForest = <A extends Invitee>(
  accounts: ReadonlyArray<A>
): ReadonlyArray<InviteTree<A>> => {
  const known = new Set(accounts.map(({ did }) => did))
  const below = new Map<string, Array<A>>()
  const roots: Array<A> = []
  const ordered = accounts.toSorted((one, other) => one.createdAt - other.createdAt)
  for (const account of ordered) {
    const { by = "", did } = account
    if (!known.has(by) || by === did) roots.push(account)
    else below.set(by, [...(below.get(by) ?? []), account])
  }
  const seen = new Set<string>()
  const treesOf = (among: ReadonlyArray<A>): ReadonlyArray<InviteTree<A>> =>
    among.flatMap((account) => {
      if (seen.has(account.did)) return []
      seen.add(account.did)
      return [{ account, invited: treesOf(below.get(account.did) ?? []) }]
    })
  return [...treesOf(roots), ...treesOf(ordered)]
}

/** An account and its depth, in the order of the tree. */
export const inviteRows = <A extends Invitee>(
  accounts: ReadonlyArray<A>
): ReadonlyArray<{ readonly account: A; readonly depth: number }> => {
  const rowsOf = (
    trees: ReadonlyArray<InviteTree<A>>,
    depth: number
  ): ReadonlyArray<{ readonly account: A; readonly depth: number }> =>
    trees.flatMap(({ account, invited }) => [{ account, depth }, ...rowsOf(invited, depth + 1)])
  return rowsOf(inviteForest(accounts), 0)
}
