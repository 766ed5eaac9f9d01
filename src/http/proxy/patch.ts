import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Accounts } from "../../services/accounts/Accounts.ts"
import type { Config } from "../../services/host/Config.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"

/** The body of an upstream's answer is no JSON, or too large to be looked into. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  reason: Schema.String
}) {}

/** An upstream's answer that may be patched before the caller gets it. */
export interface Patchable {
  readonly nsid: string
  /** The caller's request: its parameters, and its headers for further questions to the upstream. */
  readonly request: Request
  readonly url: URL
  /** Who calls: judged by the account's object. */
  readonly did: string
  /** The rev of the caller's repo when they were judged. */
  readonly rev: string
  /** The origin of the upstream. */
  readonly endpoint: string
  /** Whom service tokens for the upstream are addressed to. */
  readonly audience: string
  /** The upstream's status, 200 or 4xx, and its headers. */
  readonly status: number
  readonly headers: Headers
  /**
   * The answer's JSON, decoded and read whole (10 MiB at most), once however often it is asked for.
   *
   * What is never asked for streams through untouched.
   */
  readonly json: Effect.Effect<unknown, Unreadable>
}

/** What the caller gets in place of the upstream's answer, with status 200. */
export interface Patched {
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

/** What a patch may use. */
export type PatchServices = Accounts | Config | Outgoing

/**
 * Looks at an upstream's answer before the caller gets it; nothing leaves it as it came.
 *
 * A failure leaves it too, and is noted in the log: no patch makes an answer worse than it was.
 */
export type Patch = (
  answer: Patchable
) => Effect.Effect<Patched | undefined, unknown, PatchServices>
