import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An app password as it is listed: without the password. */
export interface AppPassword {
  readonly name: string
  /** May call privileged methods (chat, moving the account). */
  readonly privileged: boolean
  readonly createdAt: string
}

/** The account has an app password of this name. */
export class AppPasswordExists extends Schema.TaggedError<AppPasswordExists>()(
  "AppPasswordExists",
  { name: Schema.String }
) {}

/** The account has as many app passwords as it may, or the name is too long. */
export class AppPasswordRefused extends Schema.TaggedError<AppPasswordRefused>()(
  "AppPasswordRefused",
  { message: Schema.String }
) {}

/** Passwords for apps, made by the server, each revocable together with the sessions it opened. */
export class AppPasswords extends Context.Service<
  AppPasswords,
  {
    /** Makes one; the password is told this once. */
    create(
      did: string,
      appPassword: { readonly name: string; readonly privileged: boolean }
    ): Effect.Effect<
      AppPassword & { readonly password: string },
      AppPasswordExists | AppPasswordRefused
    >
    readonly list: Effect.Effect<ReadonlyArray<AppPassword>>
    /** Revokes one and ends its sessions; an unknown name is already revoked. */
    revoke(name: string): Effect.Effect<void>
    /** The app password that this password is, if it is one. */
    match(did: string, password: string): Effect.Effect<AppPassword | undefined>
  }
>()("nacre/services/AppPasswords") {}
