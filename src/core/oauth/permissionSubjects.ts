import {
  AccountPermission,
  BlobPermission,
  IdentityPermission,
  RepoPermission,
  RpcPermission
} from "@atproto/oauth-scopes"
import { collectionNames, type Subject, subjects } from "./plainNames.ts"
import type { ScopeValue } from "./scopes.ts"

type Actions = Set<RepoPermission["action"][number]>

/** Everything that a scope says about one subject. */
export interface Gathered {
  readonly scopes: Set<string>
  readonly collections: Map<string, Actions>
  readonly accepts: Set<string>
  /** Methods by audience. */
  readonly methods: Map<string, Set<string>>
  readonly manages: Set<string>
  readonly reads: Set<string>
}

const emptyGathered = (): Gathered => ({
  scopes: new Set(),
  collections: new Map(),
  accepts: new Set(),
  methods: new Map(),
  manages: new Set(),
  reads: new Set()
})

const chatService = "did:web:api.bsky.chat#bsky_chat"
/** Reading and writing preferences, which this server stores. */
export const preferenceMethods = ["app.bsky.actor.getPreferences", "app.bsky.actor.putPreferences"]

const subjectOfMethod = (aud: string, lxm: string): Subject => {
  if (lxm.toLowerCase().startsWith("chat.bsky.") || aud === chatService) return "messages"
  return preferenceMethods.includes(lxm) ? "preferences" : "services"
}

/** Groups the values of a scope by subject. */
export class Gathering {
  readonly #subjects = new Map<Subject, Gathered>()

  /** The group of a subject, after adding a scope value to it. */
  of(subject: Subject, scope: string): Gathered {
    const gathered = this.#subjects.get(subject) ?? emptyGathered()
    this.#subjects.set(subject, gathered)
    gathered.scopes.add(scope)
    return gathered
  }

  /** Adds one value. */
  add(value: Exclude<ScopeValue, string>, scope: string): void {
    if (value instanceof RepoPermission) this.#repo(value, scope)
    else if (value instanceof RpcPermission) this.#rpc(value, scope)
    else if (value instanceof BlobPermission) {
      for (const accept of value.accept) this.of("uploads", scope).accepts.add(accept.toLowerCase())
    } else if (value instanceof AccountPermission) {
      const { attr, action } = value
      const gathered = this.of(attr === "email" ? "email" : "account", scope)
      ;(action.includes("manage") ? gathered.manages : gathered.reads).add(attr)
    } else if (value instanceof IdentityPermission) {
      this.of(value.attr === "*" ? "identity" : "handle", scope)
    }
  }

  #repo({ collection, action }: RepoPermission, scope: string): void {
    for (const nsid of collection) {
      const subject = nsid === "*" ? "repo" : (collectionNames.get(nsid)?.subject ?? "records")
      const { collections } = this.of(subject, scope)
      collections.set(nsid, new Set([...(collections.get(nsid) ?? []), ...action]))
    }
  }

  #rpc({ aud, lxm }: RpcPermission, scope: string): void {
    for (const method of lxm) {
      const { methods } = this.of(subjectOfMethod(aud, method), scope)
      methods.set(aud, new Set([...(methods.get(aud) ?? []), method]))
    }
  }

  /** The groups, in the order of subjects. */
  sorted(): ReadonlyArray<readonly [Subject, Gathered]> {
    return subjects.flatMap((subject) => {
      const gathered = this.#subjects.get(subject)
      return gathered === undefined ? [] : [[subject, gathered] as const]
    })
  }
}
