/**
 * What a method requires of its caller, and the resulting caller.
 *
 * Every method must declare its authority: the default is deny.
 */
import type { Permission } from "../../core/oauth/types.ts"
import type { Role } from "../../core/operators/roles.ts"

/**
 * What a password session may do: with the main password, a privileged app password, or any app
 * password.
 */
export type SessionLevel = "full" | "privileged" | "standard"

/** The permissions that one call requires, by its input: the token must have all of them. */
export type NeedsOf = (call: {
  readonly params: Record<string, unknown>
  readonly input: unknown
  /** The server's own AppView, as permissions name it; undefined if it has none. */
  readonly appView?: string | undefined
}) => ReadonlyArray<Permission>

/** What an OAuth token needs: nothing (`any`), permissions, or it never suffices (`no`). */
export type OAuthNeed = "any" | "no" | NeedsOf

/** The authority that a method declares. */
export type Authority =
  /** Public: ignores credentials. */
  | { readonly kind: "none" }
  /** Public, but the owner's or the administrator's credentials work on an inactive account. */
  | { readonly kind: "optional" }
  /** A session of this account. */
  | {
      readonly kind: "session"
      readonly level: SessionLevel
      readonly oauth: OAuthNeed
      /** Also accepts a session opened while the account was taken down. */
      readonly takendown?: true
      /** The account must not be deactivated. */
      readonly active?: true
      /** Also accepts service auth that the account issued for this method. */
      readonly service?: true
      /** Also accepts a moderation service's token, for the account in the parameter `did`. */
      readonly moderator?: true
    }
  /** A session's refresh token; `expired` lets an expired one end its session. */
  | { readonly kind: "refresh"; readonly expired?: true }
  /** The user's service auth: iss = the account, aud = this server, lxm = the method. */
  | { readonly kind: "service" }
  /** The administrator (Basic) or an operator with at least this role, by default `admin`. */
  | { readonly kind: "admin"; readonly role?: Role }
  /**
   * The administrator, an operator with at least the role `moderator` (or the given one), or a
   * configured moderation service with service auth for this method.
   */
  | { readonly kind: "moderator"; readonly role?: "inviter" }
  /**
   * Checked by the account's object in this internal call, before anything else; `demands` is the
   * requirement.
   */
  | {
      readonly kind: "object"
      readonly call: "authorizeImport" | "authorizeUpload" | "authorizeMethod" | "locateBlob"
      readonly demands: Authority
    }
  /** Sign-up: public; checks service auth or the administrator's credentials if present. */
  | { readonly kind: "signup" }

/** The authenticated caller. */
export type Caller =
  | { readonly kind: "anonymous" }
  | {
      readonly kind: "session"
      readonly did: string
      readonly level: SessionLevel | "takendown"
      /** The session's id: the family of its refresh tokens. */
      readonly session: string
    }
  | {
      readonly kind: "oauth"
      readonly did: string
      /** The session's id. */
      readonly session: string
      /** Undefined for an app password or access token with a scope, which is treated as an app. */
      readonly clientId: string | undefined
      /** What the app may do: a scope with each `include:` expanded. */
      readonly granted: string
    }
  | {
      readonly kind: "refresh"
      readonly did: string
      readonly session: string
      readonly token: string
    }
  | { readonly kind: "service"; readonly did: string }
  | { readonly kind: "moderator"; readonly did: string }
  /** An operator with a recent session. */
  | { readonly kind: "operator"; readonly did: string; readonly role: Role }
  | { readonly kind: "admin" }
