import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Accounts } from "../../services/accounts/Accounts.ts"
import type { Config } from "../../services/host/Config.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"

/** An upstream's body is not JSON, or too large to parse. */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  reason: Schema.String
}) {}

/** An upstream's response that may be patched for the caller. */
export interface Patchable {
  readonly nsid: string
  /** The caller's request: its parameters, and its headers for more requests to the upstream. */
  readonly request: Request
  readonly url: URL
  /** The caller, authenticated by the account's object. */
  readonly did: string
  /** The rev of the caller's repo at that time. */
  readonly rev: string
  /** The origin of the upstream. */
  readonly endpoint: string
  /** The audience of service auth for the upstream. */
  readonly audience: string
  /** The upstream's status, 200 or 4xx, and its headers. */
  readonly status: number
  readonly headers: Headers
  /**
   * The response's JSON, decoded and read completely (10 MiB at most), once for all uses.
   *
   * If it is never used, the response streams through untouched.
   */
  readonly json: Effect.Effect<unknown, Unreadable>
}

/** The response that replaces the upstream's, with status 200. */
export interface Patched {
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

/** The services that a patch may use. */
export type PatchServices = Accounts | Config | Outgoing

/**
 * Patches an upstream's response; undefined leaves it as it is.
 *
 * A failure also leaves it, and is logged: no patch makes a response worse.
 */
export type Patch = (
  answer: Patchable
) => Effect.Effect<Patched | undefined, unknown, PatchServices>
