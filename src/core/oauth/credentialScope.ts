import {
  AccountPermission,
  BlobPermission,
  RepoPermission,
  RpcPermission
} from "@atproto/oauth-scopes"
import { readOnlyScope, readScopeValue } from "./scopes.ts"

/** What an app password or an access token may do at most; the scopes are those of apps. */
export const credentialScopes = {
  /** As an app password of the protocol. */
  standard: "atproto transition:generic",
  /** The same, with chats. */
  privileged: "atproto transition:generic transition:chat.bsky",
  read: `atproto ${readOnlyScope}`
} as const

/** Permissions that an owner can choose from, by the name of their checkbox. */
export const permissionChoices = {
  read: readOnlyScope,
  posts:
    "repo?collection=app.bsky.feed.post&collection=app.bsky.feed.threadgate&collection=app.bsky.feed.postgate",
  uploads: "blob?accept=image/*&accept=video/*",
  reactions: "repo?collection=app.bsky.feed.like&collection=app.bsky.feed.repost",
  follows: "repo:app.bsky.graph.follow",
  profile: "repo:app.bsky.actor.profile",
  lists:
    "repo?collection=app.bsky.graph.list&collection=app.bsky.graph.listitem&collection=app.bsky.graph.starterpack",
  blocks: "repo?collection=app.bsky.graph.block&collection=app.bsky.graph.listblock",
  records: "repo:*",
  messages: "transition:chat.bsky",
  email: "account:email"
} as const

/** The most characters of a credential's scope. */
export const maxCredentialScope = 2000

/**
 * Whether a credential may have a permission. No credential may change the account, its address or
 * its identity.
 */
const isAllowed = (text: string): boolean => {
  if (text === readOnlyScope) return true
  const value = readScopeValue(text)
  if (typeof value === "string") return value !== "transition:email"
  if (value instanceof AccountPermission) return value.attr === "email" && text === "account:email"
  return (
    value instanceof RepoPermission ||
    value instanceof BlobPermission ||
    value instanceof RpcPermission
  )
}

/** A credential's scope with each value once, or the first value that it may not have. */
export const checkCredentialScope = (
  text: string
):
  | { readonly ok: true; readonly scope: string }
  | { readonly ok: false; readonly value: string } => {
  const values = new Set(["atproto", ...text.split(/\s+/).filter((value) => value !== "")])
  for (const value of values) if (!isAllowed(value)) return { ok: false, value }
  const scope = [...values].join(" ")
  return scope.length > maxCredentialScope ? { ok: false, value: scope } : { ok: true, scope }
}
