import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** Whether an account is active, or why it is not. */
export type DirectoryStatus = "active" | InactiveStatus

/** An account as the host knows it: enough to find its object, nothing secret. */
export interface DirectoryEntry {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  readonly status: DirectoryStatus
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The code by which the account came. */
  readonly invite: string | undefined
  /** The administrator has taken from it the right to invite. */
  readonly invitesDisabled: boolean
}

/** An invite code, and who has come by it. */
export interface Invite {
  readonly code: string
  /** How many accounts may come by it in all. */
  readonly available: number
  readonly disabled: boolean
  /** The account that gives it away, or `admin`. */
  readonly forAccount: string
  readonly createdBy: string
  readonly createdAt: number
  readonly uses: ReadonlyArray<{ readonly usedBy: string; readonly usedAt: number }>
}

/** By what codes are listed: the newest first, or the most used. */
export type InviteOrder = "recent" | "usage"

/** A place in a listing of codes: the number that it goes by, and a code. */
export interface InvitePlace {
  readonly rank: number
  readonly code: string
}

/** One page of a listing of codes; `after` is the last of the page before. */
export interface InvitePage {
  readonly order: InviteOrder
  readonly limit: number
  readonly after?: InvitePlace
}

/** Up to where the edge may remember what an account's object has told. */
export interface EdgeState {
  /** Rises with everything that the account takes back. */
  readonly epoch: number
  readonly isOpen: boolean
}

/** A place in the directory, asked for before anything else of an account exists. */
export interface Reservation {
  readonly did: string
  readonly handle: string
  readonly email?: string
  /** Counted as used with the reservation, and given back with its release. */
  readonly invite?: string
  /** The administrator gives the handle away though another account may take it back. */
  readonly override?: true
}

/** What a change of handle does besides. */
export interface HandleChangeOptions {
  /** The handle that is given up is kept for the account, for 30 days. */
  readonly keep: boolean
  /** The administrator gives the handle away though another account may take it back. */
  readonly override?: boolean
}

/** Another account has this handle, or may take it back. */
export class HandleNotAvailable extends Schema.TaggedError<HandleNotAvailable>()(
  "HandleNotAvailable",
  { handle: Schema.String }
) {}

/** Another account has this e-mail address. */
export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", {
  email: Schema.String
}) {}

/** After how many milliseconds a reservation belongs to a sign-up that was cut off. */
export const reservedFor = 15 * 60_000

/** The account is here already. */
export class AccountExists extends Schema.TaggedError<AccountExists>()("AccountExists", {
  did: Schema.String
}) {}

/** The invite code is unknown, disabled or used up. */
export class InvalidInviteCode extends Schema.TaggedError<InvalidInviteCode>()(
  "InvalidInviteCode",
  {}
) {}

/** The directory could not be reached or failed. */
export class DirectoryUnavailable extends Schema.TaggedError<DirectoryUnavailable>()(
  "DirectoryUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/** Why a reservation was turned down. */
export type ReservationRefused = HandleNotAvailable | EmailTaken | AccountExists | InvalidInviteCode

type Answer<A, E = never> = Effect.Effect<A, E | DirectoryUnavailable>

/**
 * Which accounts are here: handles, e-mail addresses, standing, and invite codes.
 *
 * A reserved place is not seen by any look-up until `setStatus` confirms it.
 */
export class Directory extends Context.Service<
  Directory,
  {
    byDid(did: string): Answer<DirectoryEntry | undefined>
    byHandle(handle: string): Answer<DirectoryEntry | undefined>
    byEmail(email: string): Answer<DirectoryEntry | undefined>
    /** The DID of the account that has the handle, or for which it is kept. */
    holderOf(handle: string): Answer<string | undefined>
    /**
     * Takes the DID, the handle, the e-mail address and the invite's use in one step, or none of them.
     *
     * Answers the DIDs of abandoned reservations (their sign-up was cut off) that stood in the way and are gone.
     */
    reserve(reservation: Reservation): Answer<ReadonlyArray<string>, ReservationRefused>
    /** Undoes a reservation: the account was never made, the invite's use is given back. */
    release(did: string): Answer<void>
    /** Gives up a reservation whose sign-up was cut off, with the invite's use; a confirmed account stays. */
    abandon(did: string): Answer<void>
    /** When the DID was reserved, in milliseconds; nothing where it was not, or is confirmed. */
    reservedAt(did: string): Answer<number | undefined>
    /** The DID that is reserved under both of these names. */
    reservedAs(names: {
      readonly handle: string
      readonly email: string
    }): Answer<string | undefined>
    /** Takes out an account that was deleted; its invite stays used. */
    remove(did: string): Answer<void>
    /**
     * Gives an account another handle, unless somebody else has it or it is kept for them.
     *
     * An account has ten handles kept at most; what it gives up beyond these is free at once.
     */
    setHandle(
      did: string,
      handle: string,
      options: HandleChangeOptions
    ): Answer<void, HandleNotAvailable>
    /** Takes the handle away from an account whose domain proves another DID; it has none until it chooses one. */
    dropHandle(did: string): Answer<void>
    setEmail(did: string, email: string | undefined): Answer<void, EmailTaken>
    /**
     * Tells the account's standing, and ends its epoch at the edge; the first time confirms its reservation.
     *
     * False if there is no such account or reservation any more.
     */
    setStatus(did: string, status: DirectoryStatus): Answer<boolean>
    /** Accounts in order of their DID, after the cursor; with `email`, those whose address has it within. */
    list(page: {
      readonly cursor?: string
      readonly limit: number
      readonly email?: string
    }): Answer<{ readonly accounts: ReadonlyArray<DirectoryEntry>; readonly cursor?: string }>
    createInvites(invites: {
      readonly codes: ReadonlyArray<{ readonly code: string; readonly forAccount: string }>
      readonly available: number
      readonly createdBy: string
    }): Answer<void>
    /** The codes that an account may give away, oldest first. */
    invitesOf(did: string): Answer<ReadonlyArray<Invite>>
    invite(code: string): Answer<Invite | undefined>
    /** All codes, page by page; no `next` means that it was the last. */
    listInvites(
      page: InvitePage
    ): Answer<{ readonly invites: ReadonlyArray<Invite>; readonly next?: InvitePlace }>
    /** Disables codes by name, and all codes of accounts. */
    disableInvites(which: {
      readonly codes?: ReadonlyArray<string>
      readonly accounts?: ReadonlyArray<string>
    }): Answer<void>
    /** Gives or takes an account's right to be given invites. */
    setInvitesDisabled(did: string, disabled: boolean): Answer<void>
    /** How the account stands to the edge; nothing where it was never opened or shut. */
    edgeOf(did: string): Answer<EdgeState | undefined>
    /**
     * Opens an active account to the edge, if it is still in the epoch that was seen; answers the epoch to remember under.
     *
     * By whoever has asked its object since, and was let share what it told.
     */
    openEdge(did: string, epoch: number | undefined): Answer<number | undefined>
    /** Ends the epoch: what is remembered of it is found no more. */
    shutEdge(did: string): Answer<void>
    /** Answers when the directory can be reached. */
    readonly ping: Answer<void>
  }
>()("nacre/services/Directory") {}
