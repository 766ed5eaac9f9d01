/**
 * What a method demands of its caller, and who the caller turned out to be.
 *
 * A method without a declared authority does not exist: the default is deny.
 */
import type { Permission } from "../../core/oauth/types.ts"

/** How much a password session may do: the main password, a privileged app password, any app password. */
export type SessionLevel = "full" | "privileged" | "standard"

/** The permissions that one call of a method takes, by what it asks for: its token must hold every one. */
export type NeedsOf = (call: {
  readonly params: Record<string, unknown>
  readonly input: unknown
  /** The server's own app view, as permissions name it; undefined where it has none. */
  readonly appView?: string | undefined
}) => ReadonlyArray<Permission>

/** What an OAuth token must hold: nothing (`any` token identifies), never enough (`no`), or permissions. */
export type OAuthNeed = "any" | "no" | NeedsOf

/** The authority that a method declares. */
export type Authority =
  /** Public: credentials are not looked at. */
  | { readonly kind: "none" }
  /** Public, but the owner's or the admin's credentials see past an inactive status. */
  | { readonly kind: "optional" }
  /** A session of this account. */
  | {
      readonly kind: "session"
      readonly level: SessionLevel
      readonly oauth: OAuthNeed
      /** A session that was opened while the account was taken down may call this too. */
      readonly takendown?: true
      /** The account must be active (not deactivated). */
      readonly active?: true
      /** A service token issued by the account itself for this method will do too. */
      readonly service?: true
      /** A moderation service's token will do too, for the account that the parameter `did` names. */
      readonly moderator?: true
    }
  /** The refresh token of a session; `expired` lets an expired one end its session. */
  | { readonly kind: "refresh"; readonly expired?: true }
  /** A service token by the user: iss = the account, aud = this server, lxm = the method. */
  | { readonly kind: "service" }
  /** The administrator (Basic). */
  | { readonly kind: "admin" }
  /** The administrator, or a moderation service that the configuration names, by its service token for this method. */
  | { readonly kind: "moderator" }
  /** Judged by the account's object in this internal call, before anything is done; `demands` is what it judges by. */
  | {
      readonly kind: "object"
      readonly call: "authorizeImport" | "authorizeUpload" | "authorizeMethod" | "locateBlob"
      readonly demands: Authority
    }
  /** Sign-up: open to everybody; a service token or the admin's credentials are judged when present. */
  | { readonly kind: "signup" }

/** Who calls. */
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
      readonly clientId: string
      /** What the app may do: a scope, with each `include:` expanded. */
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
  | { readonly kind: "admin" }
