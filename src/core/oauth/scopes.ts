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
 * Scopes: what a token holds, and what is missing.
 *
 * A value that is malformed or unknown grants nothing. Spec: permission, OAuth profile.
 */

/** The values without parameters. */
export const staticScopes = [
  "atproto",
  "transition:generic",
  "transition:chat.bsky",
  "transition:email"
] as const

/** A value of a scope, read. */
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

/** Reads one value of a scope; undefined where it is none that this server knows. */
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

/** The values of a scope, as they are written. */
const valuesOf = (scope: string): ReadonlyArray<string> => scope.split(" ")

/** Whether the scope can be asked for, and what of it is understood. */
export type ScopeCheck =
  | { readonly ok: true; readonly scope: string }
  | { readonly ok: false; readonly reason: string }

/**
 * Checks the scope of a request against what its client has declared, value by value, as they are written.
 *
 * Each value once, in their order; values that this server cannot read are left out, so that nobody is asked
 * to agree to what cannot be explained.
 */
export const checkScope = (scope: string, client: Pick<Client, "scope">): ScopeCheck => {
  const asked = new Set(valuesOf(scope))
  const declared = new Set(valuesOf(client.scope))
  if (!asked.has("atproto")) return { ok: false, reason: 'The scope must contain "atproto"' }
  for (const value of asked) {
    if (!declared.has(value)) {
      return { ok: false, reason: `The client's metadata does not declare the scope "${value}"` }
    }
  }
  const known = [...asked].filter((value) => readScopeValue(value) !== undefined)
  return { ok: true, scope: known.join(" ") }
}

interface Held {
  readonly words: ReadonlySet<string>
  readonly values: ReadonlyArray<Exclude<ScopeValue, string>>
}

/** The scopes that were read last: a token's is the same for each of its calls. */
const memory = new Map<string, Held>()
const remembered = 32

const readScope = (scope: string): Held => {
  const hit = memory.get(scope)
  if (hit !== undefined) return hit
  const read = valuesOf(scope).map(readScopeValue)
  const held: Held = {
    words: new Set(read.filter((value) => typeof value === "string")),
    values: read.filter((value) => typeof value === "object").map(inLowerCase)
  }
  for (const oldest of memory.keys()) {
    if (memory.size < remembered) break
    memory.delete(oldest)
  }
  memory.set(scope, held)
  return held
}

/** Types of media are the same in any case; the library writes them in lower case. */
const inLowerCase = (value: Exclude<ScopeValue, string>) =>
  value instanceof BlobPermission ? (BlobPermission.fromString(value.toString()) ?? value) : value

/**
 * What the transitional scopes hold.
 *
 * `lxm` is `*` for a token that names no method: it would be good for chats too.
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

/** Whether what was granted holds a permission. An `include:` holds nothing before it is expanded. */
export const holds = (granted: string, permission: Permission): boolean => {
  const { words, values } = readScope(granted)
  return byTransition(words, permission) || values.some((value) => grants(value, permission))
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

/** The first permission that is not held, as the scope that would hold it; undefined when all are. */
export const missing = (
  granted: string,
  permissions: ReadonlyArray<Permission>
): string | undefined => {
  const first = permissions.find((permission) => !holds(granted, permission))
  return first === undefined ? undefined : scopeNeededFor(first)
}

/** The permission sets that a scope refers to; `aud` is what their entries may inherit. */
export const includesOf = (
  scope: string
): ReadonlyArray<{ readonly nsid: string; readonly aud?: string }> =>
  valuesOf(scope)
    .map(readScopeValue)
    .filter((value) => value instanceof IncludeScope)
    .map(({ nsid, aud }) => (aud === undefined ? { nsid } : { nsid, aud }))

/**
 * The scope with each `include:` replaced by what its set holds under the set's own namespace.
 *
 * A set that is not there grants nothing.
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

/** The most characters that permission sets may come to in one token: its session's row holds them, as does each answer. */
const maxExpanded = 65_536

/** Whether a scope's permission sets are not too much for one token; it stops counting when they are. */
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

/** The permissions that a set brings by an `include:` of it. */
export const includedBy = (
  include: IncludeScope,
  set: PermissionSet | undefined
): ReadonlyArray<RepoPermission | RpcPermission> =>
  // SAFETY: the library takes entries of any shape and drops those that mean nothing.
  set === undefined
    ? []
    : include.toPermissions({
        type: "permission-set",
        permissions: set.permissions
      } as Parameters<IncludeScope["toPermissions"]>[0])
