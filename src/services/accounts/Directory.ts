import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { InactiveStatus } from "../stream/Sequencer.ts"

/** Whether an account is active, or why it is not. */
export type DirectoryStatus = "active" | InactiveStatus

/** An account in the host's directory: enough to find its object, nothing secret. */
export interface DirectoryEntry {
  readonly did: string
  readonly handle: string
  readonly email: string | undefined
  readonly status: DirectoryStatus
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The invite code that the account used. */
  readonly invite: string | undefined
  /** True if the administrator has revoked the account's right to invite. */
  readonly invitesDisabled: boolean
}

/** An invite code and the accounts that used it. */
export interface Invite {
  readonly code: string
  /** How many accounts may use it in total. */
  readonly available: number
  readonly disabled: boolean
  /** The account that may give it away, or `admin`. */
  readonly forAccount: string
  readonly createdBy: string
  readonly createdAt: number
  /** Its creator's note, for operators. */
  readonly note?: string
  /** It can't be used from this time on, in milliseconds. */
  readonly expiresAt?: number
  readonly uses: ReadonlyArray<{ readonly usedBy: string; readonly usedAt: number }>
}

/** An account and the invite that brought it here. */
export interface Invited {
  readonly did: string
  readonly handle: string
  readonly createdAt: number
  readonly code?: string
  /** The DID of the account that gave the code away, or else of the code's creator; or `admin`. */
  readonly by?: string
  readonly note?: string
}

/** Selects accounts by who invited them. */
export interface InvitedPage {
  readonly by?: string | undefined
  /** The DID of the previous page's last account. */
  readonly after?: string | undefined
  readonly limit: number
}

/** The order of a listing of codes: newest or most used first. */
export type InviteOrder = "recent" | "usage"

/** A position in a listing of codes: the code and its rank. */
export interface InvitePlace {
  readonly rank: number
  readonly code: string
}

/** One page of a listing of codes; `after` is the last entry of the previous page. */
export interface InvitePage {
  readonly order: InviteOrder
  readonly limit: number
  readonly after?: InvitePlace
}

/** Which epoch of an account the edge may cache. */
export interface EdgeState {
  /** Increases with everything that the account takes back. */
  readonly epoch: number
  readonly isOpen: boolean
}

/** An account's names, reserved before anything else of it exists. */
export interface Reservation {
  readonly did: string
  readonly handle: string
  readonly email?: string
  /** Counted as used by the reservation, returned by its release. */
  readonly invite?: string
  /** Lets the administrator assign a handle that is reserved for another account. */
  readonly override?: true
}

/** Options of a change of handle. */
export interface HandleChangeOptions {
  /** Reserves the old handle for the account, for 30 days. */
  readonly keep: boolean
  /** Lets the administrator assign a handle that is reserved for another account. */
  readonly override?: boolean
}

/** Another account has this handle, or may take it back. */
export class HandleNotAvailable extends Schema.TaggedError<HandleNotAvailable>()(
  "HandleNotAvailable",
  { handle: Schema.String }
) {}

/** Another account has this email address. */
export class EmailTaken extends Schema.TaggedError<EmailTaken>()("EmailTaken", {
  email: Schema.String
}) {}

/** Age at which a reservation belongs to an interrupted sign-up, in milliseconds. */
export const reservedFor = 15 * 60_000

/** The account exists here already. */
export class AccountExists extends Schema.TaggedError<AccountExists>()("AccountExists", {
  did: Schema.String
}) {}

/** The invite code is unknown, disabled, expired or used up. */
export class InvalidInviteCode extends Schema.TaggedError<InvalidInviteCode>()(
  "InvalidInviteCode",
  {}
) {}

/** The directory could not be reached or failed. */
export class DirectoryUnavailable extends Schema.TaggedError<DirectoryUnavailable>()(
  "DirectoryUnavailable",
  { operation: Schema.String, cause: Schema.Defect() }
) {}

/** Why a reservation failed. */
export type ReservationRefused = HandleNotAvailable | EmailTaken | AccountExists | InvalidInviteCode

type Answer<A, E = never> = Effect.Effect<A, E | DirectoryUnavailable>

/**
 * The accounts on this server: handles, email addresses, status and invite codes.
 *
 * Look-ups ignore a reservation until `setStatus` confirms it.
 */
export class Directory extends Context.Service<
  Directory,
  {
    byDid(did: string): Answer<DirectoryEntry | undefined>
    byHandle(handle: string): Answer<DirectoryEntry | undefined>
    byEmail(email: string): Answer<DirectoryEntry | undefined>
    /** The DID of the account that has the handle, or for which it is reserved. */
    holderOf(handle: string): Answer<string | undefined>
    /**
     * Reserves the DID, the handle and the email address and uses the invite, all or nothing.
     *
     * Returns the DIDs of abandoned reservations (interrupted sign-ups) that it removed because
     * they conflicted.
     */
    reserve(reservation: Reservation): Answer<ReadonlyArray<string>, ReservationRefused>
    /** Undoes a reservation: the account never existed, and the invite's use is returned. */
    release(did: string): Answer<void>
    /**
     * Removes the reservation of an interrupted sign-up and returns the invite's use; keeps a
     * confirmed account.
     */
    abandon(did: string): Answer<void>
    /** When the DID was reserved, in milliseconds; undefined if it wasn't or is confirmed. */
    reservedAt(did: string): Answer<number | undefined>
    /** The DID that is reserved with both of these names. */
    reservedAs(names: {
      readonly handle: string
      readonly email: string
    }): Answer<string | undefined>
    /** Removes a deleted account; its invite stays used. */
    remove(did: string): Answer<void>
    /**
     * Changes an account's handle, unless another account has it or may take it back.
     *
     * An account has at most ten reserved handles; any more that it gives up are free at once.
     */
    setHandle(
      did: string,
      handle: string,
      options: HandleChangeOptions
    ): Answer<void, HandleNotAvailable>
    /**
     * Removes the handle of an account whose domain proves another DID; it has none until it
     * chooses one.
     */
    dropHandle(did: string): Answer<void>
    setEmail(did: string, email: string | undefined): Answer<void, EmailTaken>
    /**
     * Sets the account's status and ends its epoch at the edge; the first call confirms its
     * reservation.
     *
     * False if the account or reservation doesn't exist any more.
     */
    setStatus(did: string, status: DirectoryStatus): Answer<boolean>
    /** Accounts by DID, after the cursor; with `email`, those whose address contains it. */
    list(page: {
      readonly cursor?: string
      readonly limit: number
      readonly email?: string
    }): Answer<{ readonly accounts: ReadonlyArray<DirectoryEntry>; readonly cursor?: string }>
    /**
     * Accounts by handle, after one: those whose handle, address or DID contains the text, with
     * this status.
     */
    search(page: {
      readonly after?: string | undefined
      readonly limit: number
      readonly text?: string | undefined
      readonly status?: DirectoryStatus | undefined
    }): Answer<{ readonly accounts: ReadonlyArray<DirectoryEntry>; readonly next?: string }>
    createInvites(invites: {
      readonly codes: ReadonlyArray<{ readonly code: string; readonly forAccount: string }>
      readonly available: number
      readonly createdBy: string
      readonly note?: string | undefined
      readonly expiresAt?: number | undefined
    }): Answer<void>
    /** Accounts with who invited them, by DID. */
    invited(page: InvitedPage): Answer<ReadonlyArray<Invited>>
    /** The codes that an account may give away, oldest first. */
    invitesOf(did: string): Answer<ReadonlyArray<Invite>>
    invite(code: string): Answer<Invite | undefined>
    /** All codes, page by page; the last page has no `next`. */
    listInvites(
      page: InvitePage
    ): Answer<{ readonly invites: ReadonlyArray<Invite>; readonly next?: InvitePlace }>
    /** Disables codes by name, and all codes of accounts. */
    disableInvites(which: {
      readonly codes?: ReadonlyArray<string>
      readonly accounts?: ReadonlyArray<string>
    }): Answer<void>
    /** Revokes or restores an account's right to get invites. */
    setInvitesDisabled(did: string, disabled: boolean): Answer<void>
    /** The account's state at the edge; undefined if it was never opened or shut. */
    edgeOf(did: string): Answer<EdgeState | undefined>
    /**
     * Allows the edge to cache an active account, if it is still in the given epoch; returns the
     * epoch to cache under.
     *
     * Called after asking its object, which allowed sharing.
     */
    openEdge(did: string, epoch: number | undefined): Answer<number | undefined>
    /** Ends the epoch, so its cached copies are never found again. */
    shutEdge(did: string): Answer<void>
    /** Succeeds if the directory can be reached. */
    readonly ping: Answer<void>
  }
>()("nacre/services/Directory") {}
