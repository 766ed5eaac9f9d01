import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Alert, AlertKind, Channel, Look } from "../../core/operators/alerts.ts"
import type { DirectoryUnavailable } from "../accounts/Directory.ts"

type Answer<A> = Effect.Effect<A, DirectoryUnavailable>

/** The open alerts by kind, and when the watch looked last, in milliseconds. */
export interface AlertSummary {
  readonly at: number
  readonly open: Readonly<Partial<Record<AlertKind, number>>>
}

/** What the watch found, in the host's database; an alert shorter than its kind's patience never shows. */
export class Alerts extends Context.Service<
  Alerts,
  {
    /** Open alerts, and with `past` those that have ended, newest first. */
    list(page: { readonly past: boolean; readonly limit: number }): Answer<ReadonlyArray<Alert>>
    /** The open alerts as of the last look; reads one row. */
    readonly summary: Answer<AlertSummary | undefined>
    /** Begins, continues and ends alerts. */
    note(look: Look, now: number): Answer<void>
    /** Ends an open alert between two looks. */
    end(alert: Pick<Alert, "kind" | "subject">, now: number): Answer<void>
    /** Adds an alert that began while the database was down, unless it is open. */
    add(alert: Omit<Alert, "id" | "endedAt" | "reportedEnd">): Answer<void>
    /** Alerts whose begin or end a channel must still report, oldest first. */
    unreported(channel: Channel, limit: number): Answer<ReadonlyArray<Alert>>
    /** Notes that a channel has reported the present state of alerts, or never will. */
    settled(
      alerts: ReadonlyArray<Alert>,
      channel: Channel,
      outcome: "sent" | "not sent"
    ): Answer<void>
  }
>()("nacre/services/Alerts") {}
