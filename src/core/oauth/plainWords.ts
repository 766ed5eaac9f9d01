import { IncludeScope } from "@atproto/oauth-scopes"
import type { PermissionSet } from "./permissionSet.ts"
import { textIn } from "./permissionSet.ts"
import {
  collectionNames,
  listed,
  mediaName,
  sentence,
  serviceName,
  type Subject,
  subjects,
  verbs
} from "./plainNames.ts"
import { type Gathered, Gathering, preferenceMethods } from "./permissionSubjects.ts"
import { includedBy, readOnlyScope, readScopeValue } from "./scopes.ts"

/** What an app requests about one subject, in plain words. */
export interface PermissionGroup {
  readonly subject: Subject
  /** The permission in one line: “Create and delete posts”. */
  readonly title: string
  readonly detail?: string
  /** The details, one line each; may be empty. */
  readonly items: ReadonlyArray<string>
  /** Allows the app to remove what is hard to restore, so it is shown with a warning. */
  readonly danger: boolean
  /** The scope values that it summarizes. */
  readonly scopes: ReadonlyArray<string>
  /** The NSID of the permission set whose publisher wrote the title and the detail. */
  readonly set?: string
}

type Group = Omit<PermissionGroup, "scopes">
const nameOf = (collection: string): string => collectionNames.get(collection)?.name ?? collection

/** The actions on records; if collections differ, the items list them. */
const aboutRecords = (subject: Subject, { collections }: Gathered): Group => {
  const all = [...collections]
  const done = all.map(([, actions]) => verbs(actions))
  const same = done.every((verb) => verb === done[0])
  const verb = same ? (done[0] ?? "") : "change"
  const items = all.map(([nsid, actions]) =>
    subject === "records" || !same ? `${nameOf(nsid)}: ${verbs(actions)}` : nsid
  )
  const object =
    subject === "records" ? "records of other apps" : listed(all.map(([nsid]) => nameOf(nsid)))
  return { subject, title: sentence(`${verb} ${object}`), items, danger: false }
}

const aboutServices = ({ methods }: Gathered): ReadonlyArray<Group> =>
  [...methods].map(([aud, lxm]) => {
    const everything = lxm.has("*")
    return {
      subject: "services",
      title: `Use ${serviceName(aud)} as you`,
      ...(everything ? { detail: "Everything it offers." } : {}),
      items: everything ? [aud] : [...lxm],
      danger: everything
    } as const
  })

const aboutAccount = ({ manages, reads }: Gathered): ReadonlyArray<Group> =>
  [
    ...(manages.has("repo")
      ? [
          {
            title: "Replace all of your data",
            detail: "It can import another repository in place of yours.",
            danger: true
          }
        ]
      : []),
    ...(manages.has("status") ? [{ title: "Deactivate your account", danger: true }] : []),
    ...(reads.has("repo") ? [{ title: "See the state of your repository", danger: false }] : []),
    ...(reads.has("status") && !manages.has("status")
      ? [{ title: "See whether your account is active", danger: false }]
      : [])
  ].map((group) => ({ subject: "account", items: [], ...group }))

const aboutPreferences = ({ methods }: Gathered): Group => {
  const lxm = new Set([...methods.values()].flatMap((some) => [...some]))
  const does = preferenceMethods.flatMap((method, at) =>
    lxm.has(method) ? [at === 0 ? "see" : "change"] : []
  )
  const title = sentence(`${listed(does)} your preferences`)
  const detail = "Muted words, saved feeds, content filters and the like."
  return { subject: "preferences", title, detail, items: [...lxm], danger: false }
}

const allRecords = ({ collections }: Gathered): Group => ({
  subject: "repo",
  title: sentence(`${verbs(collections.get("*") ?? [])} anything in your repository`),
  detail: "Records of every app, including apps you don’t use yet.",
  items: [],
  danger: true
})

const uploads = ({ accepts }: Gathered): string =>
  listed((accepts.has("*/*") ? ["*/*"] : [...accepts]).map(mediaName))

const describe = (subject: Subject, gathered: Gathered): ReadonlyArray<Group> => {
  switch (subject) {
    case "who":
      return [
        {
          subject,
          title: "Know who you are",
          detail: "Your handle and your DID, which are public.",
          items: [],
          danger: false
        }
      ]
    case "everything":
      return [
        {
          subject,
          title: "Use your account almost like you",
          detail:
            "Read, create, edit and delete all of your data, and use other services as you. It can’t read your chats or change your email address, password or handle.",
          items: [],
          danger: true
        }
      ]
    case "reading":
      return [
        {
          subject,
          title: "Read what apps show you",
          detail: "Timelines, notifications and preferences. It can’t read your chats.",
          items: [],
          danger: false
        }
      ]
    case "identity":
      return [
        {
          subject,
          title: "Take control of your identity",
          detail: "Change your handle, your keys and the server that hosts your account.",
          items: [],
          danger: true
        }
      ]
    case "handle":
      return [{ subject, title: "Change your handle", items: [], danger: true }]
    case "email":
      return gathered.manages.size > 0
        ? [{ subject, title: "See and change your email address", items: [], danger: true }]
        : [{ subject, title: "See your email address", items: [], danger: false }]
    case "account":
      return aboutAccount(gathered)
    case "repo":
      return [allRecords(gathered)]
    case "uploads":
      return [
        {
          subject,
          title: `Upload ${uploads(gathered)}`,
          items: [],
          danger: false
        }
      ]
    case "messages":
      return [
        {
          subject,
          title: "Read and send your chat messages",
          items: [...new Set([...gathered.methods.values()].flatMap((lxm) => [...lxm]))],
          danger: true
        }
      ]
    case "preferences":
      return [aboutPreferences(gathered)]
    case "services":
      return aboutServices(gathered)
    case "set":
      return []
    default:
      return [aboutRecords(subject, gathered)]
  }
}

const groupsOf = (gathering: Gathering): ReadonlyArray<PermissionGroup> =>
  gathering
    .sorted()
    .flatMap(([subject, gathered]) =>
      describe(subject, gathered).map((group) => ({ ...group, scopes: [...gathered.scopes] }))
    )

/** A permission set in its publisher's words, with its contents in ours. */
const aboutSet = (
  include: IncludeScope,
  scope: string,
  set: PermissionSet | undefined,
  languages: ReadonlyArray<string>
): PermissionGroup => {
  const gathering = new Gathering()
  for (const permission of includedBy(include, set)) gathering.add(permission, scope)
  const groups = groupsOf(gathering)
  const detail = set === undefined ? undefined : textIn(languages, set.details, set.detail)
  return {
    subject: "set",
    title:
      (set === undefined ? undefined : textIn(languages, set.titles, set.title)) ?? include.nsid,
    ...(detail === undefined ? {} : { detail }),
    items: groups.map(({ title }) => title),
    danger: groups.some(({ danger }) => danger),
    scopes: [scope],
    set: include.nsid
  }
}

/**
 * What a scope allows an app to do, by subject, in plain English; permission sets use the first
 * available language.
 */
export const inPlainWords = (
  scope: string,
  sets: ReadonlyMap<string, PermissionSet>,
  languages: ReadonlyArray<string> = []
): ReadonlyArray<PermissionGroup> => {
  const gathering = new Gathering()
  const included: Array<PermissionGroup> = []
  for (const text of scope.split(" ")) {
    const value = readScopeValue(text)
    if (text === readOnlyScope) gathering.of("reading", text)
    if (value === undefined) continue
    if (value instanceof IncludeScope) {
      included.push(aboutSet(value, text, sets.get(value.nsid), languages))
    } else if (typeof value === "object") gathering.add(value, text)
    else if (value === "transition:email") gathering.of("email", text).reads.add("email")
    else gathering.of(subjectOfWord[value], text)
  }
  return [...included, ...groupsOf(gathering)].toSorted(
    (a, b) => subjects.indexOf(a.subject) - subjects.indexOf(b.subject)
  )
}

const subjectOfWord = {
  atproto: "who",
  "transition:generic": "everything",
  "transition:chat.bsky": "messages"
} as const
