import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { AuditAct, AuditEntry, AuditHead } from "../../core/operators/auditChain.ts"

/** The audit log can't be read or written. */
export class AuditUnavailable extends Schema.TaggedError<AuditUnavailable>()("AuditUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {}

/**
 * A page of the log: up to `limit` entries after a number in ascending order, or before one in
 * descending order.
 */
export interface AuditPage {
  readonly after?: number
  readonly before?: number
  readonly limit: number
  readonly actor?: string
  readonly act?: string
  readonly subject?: string
}

/** The acts of operators and moderators, in a chain of hashes; entries are added, never changed. */
export class AuditLog extends Context.Service<
  AuditLog,
  {
    /** Adds an act; truncates long texts. */
    append(act: AuditAct): Effect.Effect<AuditEntry, AuditUnavailable>
    page(page: AuditPage): Effect.Effect<ReadonlyArray<AuditEntry>, AuditUnavailable>
    /**
     * The newest entry, noted separately from the entries: nobody can cut off the log's end
     * unnoticed.
     */
    readonly head: Effect.Effect<AuditHead, AuditUnavailable>
  }
>()("nacre/services/AuditLog") {}
