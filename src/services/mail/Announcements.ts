import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

/** How far an announcement is; it goes through its accounts in the order of their DIDs. */
export interface AnnouncementState {
  /** The last account that was dealt with. */
  readonly cursor: string
  /** The account whose mail is being sent. */
  readonly claimed?: string
  /** How often the next account's mail has failed. */
  readonly tries: number
  readonly sent: number
  readonly withoutAddress: number
  /** Accounts whose address isn't confirmed, so it may be a stranger's. */
  readonly unconfirmed: number
  readonly failed: ReadonlyArray<string>
  /** Accounts whose mail was being sent when the server stopped: nobody knows whether it was sent. */
  readonly interrupted: ReadonlyArray<string>
}

/** A mail to all accounts, or to some. */
export interface Announcement {
  readonly id: number
  readonly subject: string
  readonly body: string
  /** The accounts, or undefined for all active ones. */
  readonly dids?: ReadonlyArray<string>
  readonly createdAt: number
  readonly endedAt?: number
  readonly state: AnnouncementState
}

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** Announcements and their progress (D1). */
export class Announcements extends Context.Service<
  Announcements,
  {
    /** How many active accounts there are, and how many of them have no address. */
    readonly audience: Answer<{ readonly accounts: number; readonly withoutAddress: number }>
    /** Fails to (undefined) if too many are under way. */
    create(
      announcement: Pick<Announcement, "subject" | "body" | "dids" | "createdAt">
    ): Answer<number | undefined>
    /** The newest first. */
    readonly list: Answer<ReadonlyArray<Announcement>>
    /** Takes the oldest open announcement that nobody else works on. */
    take(holder: string, now: number, until: number): Answer<Announcement | undefined>
    /** Saves progress; false if somebody else has taken it. */
    save(
      id: number,
      holder: string,
      progress: {
        readonly state: AnnouncementState
        readonly until: number
        readonly endedAt?: number
      }
    ): Answer<boolean>
  }
>()("nacre/services/Announcements") {}
