import * as Result from "effect/Result"
import {
  AccountPermission,
  BlobPermission,
  IdentityPermission,
  IncludeScope,
  RepoPermission,
  RpcPermission
} from "@atproto/oauth-scopes"
import type { PermissionSet } from "./permissionSet.ts"
import type { Client, Permission } from "./types.ts"

/**
 * Scopes: what a token grants, and what is missing.
 *
 * A malformed or unknown value grants nothing. Spec: permission, OAuth profile.
 */

/** The values without parameters. */
const staticScopes = [
  "atproto",
  "transition:generic",
  "transition:chat.bsky",
  "transition:email"
] as const

/**
 * A value of our own for app passwords and access tokens: every query of other services but chats.
 *
 * Apps can't request it, since `readScopeValue` doesn't know it.
 */
export const readOnlyScope = "nacre:read"

/** A parsed value of a scope. */
export type ScopeValue =
  | (typeof staticScopes)[number]
  | AccountPermission
  | BlobPermission
  | IdentityPermission
  | IncludeScope
  | RepoPermission
  | RpcPermission

const readers = new Map<string, (text: string) => ScopeValue | null>(
  Object.entries({
    account: AccountPermission.fromString,
    blob: BlobPermission.fromString,
    identity: IdentityPermission.fromString,
    include: IncludeScope.fromString,
    repo: RepoPermission.fromString,
    rpc: RpcPermission.fromString
  })
)

/** Parses one value of a scope; undefined if this server doesn't know it. */
export const readScopeValue = (text: string): ScopeValue | undefined => {
  const word = staticScopes.find((value) => value === text)
  if (word !== undefined) return word
  const resource = text.split(/[:?]/, 1)[0] ?? ""
  try {
    return readers.get(resource)?.(text) ?? undefined
  } catch {
    // Percent signs that encode nothing.
    return undefined
  }
}

/** The values of a scope, as written. */
const valuesOf = (scope: string): ReadonlyArray<string> => scope.split(" ")

/**
 * Checks the scope of a request against the client's metadata, value by value, as written.
 *
 * Returns each value once, in order, without those that this server can't read, because users can't
 * agree to what can't be explained; fails with the reason for the client's developer.
 */
export const checkScope = (
  scope: string,
  client: Pick<Client, "scope">
): Result.Result<string, string> => {
  const asked = new Set(valuesOf(scope))
  const declared = new Set(valuesOf(client.scope))
  if (!asked.has("atproto")) return Result.fail('The scope must contain "atproto"')
  for (const value of asked) {
    if (!declared.has(value)) {
      return Result.fail(`The client's metadata does not declare the scope "${value}"`)
    }
  }
  const known = [...asked].filter((value) => readScopeValue(value) !== undefined)
  return Result.succeed(known.join(" "))
}

interface Held {
  readonly words: ReadonlySet<string>
  readonly values: ReadonlyArray<Exclude<ScopeValue, string>>
}

/** The scopes parsed last: a token has the same for each of its calls. */
const memory = new Map<string, Held>()
const remembered = 32

const readScope = (scope: string): Held => {
  const hit = memory.get(scope)
  if (hit !== undefined) return hit
  const read = valuesOf(scope).map(readScopeValue)
  const held: Held = {
    words: new Set(
      valuesOf(scope).filter(
        (value) => value === readOnlyScope || typeof readScopeValue(value) === "string"
      )
    ),
    values: read.filter((value) => typeof value === "object").map(inLowerCase)
  }
  for (const oldest of memory.keys()) {
    if (memory.size < remembered) break
    memory.delete(oldest)
  }
  memory.set(scope, held)
  return held
}

/** Media types are case-insensitive; the library writes them in lower case. */
const inLowerCase = (value: Exclude<ScopeValue, string>) =>
  value instanceof BlobPermission ? (BlobPermission.fromString(value.toString()) ?? value) : value

/**
 * What the transitional scopes grant.
 *
 * `lxm` is `*` for a token without a method, which would also be valid for chats.
 */
const byTransition = (words: ReadonlySet<string>, permission: Permission): boolean => {
  const generic = words.has("transition:generic")
  switch (permission.resource) {
    case "repo":
    case "blob":
      return generic
    case "rpc": {
      const chat = words.has("transition:chat.bsky")
      if (permission.lxm === "*") return generic && chat
      return permission.lxm.toLowerCase().startsWith("chat.bsky.") ? chat : generic
    }
    case "account":
      return (
        permission.attr === "email" && permission.action === "read" && words.has("transition:email")
      )
    case "identity":
      return false
  }
}

/** What the read-only value grants: no token for another service, only the call itself. */
const byReading = (words: ReadonlySet<string>, permission: Permission): boolean =>
  words.has(readOnlyScope) &&
  permission.resource === "rpc" &&
  permission.query === true &&
  !permission.lxm.toLowerCase().startsWith("chat.bsky.")

const grants = (value: Exclude<ScopeValue, string>, permission: Permission): boolean => {
  switch (permission.resource) {
    case "repo":
      return value instanceof RepoPermission && value.matches(permission)
    case "rpc":
      return value instanceof RpcPermission && value.matches(permission)
    case "blob":
      return (
        value instanceof BlobPermission && value.matches({ mime: permission.mime.toLowerCase() })
      )
    case "account":
      return value instanceof AccountPermission && value.matches(permission)
    case "identity":
      return value instanceof IdentityPermission && value.matches(permission)
  }
}

/**
 * Whether a granted scope includes a permission. An `include:` grants nothing until it is expanded.
 */
export const holds = (granted: string, permission: Permission): boolean => {
  const { words, values } = readScope(granted)
  if (byTransition(words, permission) || byReading(words, permission)) return true
  return values.some((value) => grants(value, permission))
}

const scopeNeededFor = (permission: Permission): string => {
  switch (permission.resource) {
    case "repo":
      return RepoPermission.scopeNeededFor(permission)
    case "rpc":
      return RpcPermission.scopeNeededFor(permission)
    case "blob":
      return BlobPermission.scopeNeededFor(permission)
    case "account":
      return AccountPermission.scopeNeededFor(permission)
    case "identity":
      return IdentityPermission.scopeNeededFor(permission)
  }
}

/** The first missing permission, as a scope that would grant it; undefined if none is missing. */
export const missing = (
  granted: string,
  permissions: ReadonlyArray<Permission>
): string | undefined => {
  const first = permissions.find((permission) => !holds(granted, permission))
  return first === undefined ? undefined : scopeNeededFor(first)
}

/** The permission sets that a scope includes; entries may inherit `aud`. */
export const includesOf = (
  scope: string
): ReadonlyArray<{ readonly nsid: string; readonly aud?: string }> =>
  valuesOf(scope)
    .map(readScopeValue)
    .filter((value) => value instanceof IncludeScope)
    .map(({ nsid, aud }) => (aud === undefined ? { nsid } : { nsid, aud }))

/**
 * The scope with each `include:` replaced by what its set grants under the set's own namespace.
 *
 * A missing set grants nothing.
 */
export const expand = (scope: string, sets: ReadonlyMap<string, PermissionSet>): string => {
  const values = new Set<string>()
  for (const text of valuesOf(scope)) {
    const value = readScopeValue(text)
    if (value instanceof IncludeScope) {
      for (const permission of includedBy(value, sets.get(value.nsid))) {
        values.add(permission.toString())
      }
    } else {
      values.add(text)
    }
  }
  return [...values].join(" ")
}

/**
 * Maximum length of the permission sets in one token: the session's row and each response contain
 * them.
 */
const maxExpanded = 65_536

/** Whether a scope's permission sets fit into one token; stops counting when they don't. */
export const isModest = (scope: string, sets: ReadonlyMap<string, PermissionSet>): boolean => {
  let length = 0
  for (const value of valuesOf(scope).map(readScopeValue)) {
    if (!(value instanceof IncludeScope)) continue
    for (const permission of includedBy(value, sets.get(value.nsid))) {
      length += permission.toString().length
      if (length > maxExpanded) return false
    }
  }
  return true
}

/** The permissions that a set grants through an `include:`. */
export const includedBy = (
  include: IncludeScope,
  set: PermissionSet | undefined
): ReadonlyArray<RepoPermission | RpcPermission> =>
  // SAFETY: the library accepts entries of any shape and drops invalid ones.
  set === undefined
    ? []
    : include.toPermissions({
        type: "permission-set",
        permissions: set.permissions
      } as Parameters<IncludeScope["toPermissions"]>[0])
