import { IncludeScope } from "@atproto/oauth-scopes"

/** A permission set from its lexicon (`com.atproto.lexicon.schema`, type `permission-set`). */
export interface PermissionSet {
  readonly nsid: string
  readonly title?: string
  readonly detail?: string
  /** Titles and details by language tag, from `title:lang` and `detail:lang`. */
  readonly titles?: Readonly<Record<string, string>>
  readonly details?: Readonly<Record<string, string>>
  /** The entries that an `include:` of the set can grant, with their meaningful fields. */
  readonly permissions: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** The maximum size of a permission set's meaningful JSON, in bytes. */
export const maxSetBytes = 16 * 1024

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The maximum length of a title or detail on a page. */
const longest = { title: 100, detail: 500 }

// Pages show these beside their own words, so they must not break the line or change its direction.
const unprintable = /[\p{Cc}\u2028\u2029\u200E\u200F\u061C\u202A-\u202E\u2066-\u2069]/gu

const shown = (value: unknown, length: number): string | undefined => {
  if (typeof value !== "string") return undefined
  const text = [...value.replace(unprintable, " ").trim()].slice(0, length).join("")
  return text === "" ? undefined : text
}

const byLanguage = (
  value: unknown,
  length: number
): Readonly<Record<string, string>> | undefined => {
  if (!isFields(value)) return undefined
  const texts = Object.entries(value).flatMap(([language, text]) => {
    const words = shown(text, length)
    return words === undefined ? [] : [[language.toLowerCase(), words] as const]
  })
  return texts.length === 0 ? undefined : Object.fromEntries(texts)
}

const meaningful = ["resource", "collection", "action", "lxm", "aud", "inheritAud"]

/**
 * The entry's meaningful fields; undefined if no `include:` of the set grants it.
 *
 * Passes the unchanged entry to the library, which rejects entries with unknown fields.
 */
const meaningOf = (nsid: string, entry: Fields): Fields | undefined => {
  // SAFETY: the library accepts entries of any shape and drops invalid ones.
  const set = { type: "permission-set", permissions: [entry] } as unknown as Parameters<
    IncludeScope["toPermissions"]
  >[0]
  // The second passes an audience on, for entries that inherit it.
  const includes = [`include:${nsid}`, `include:${nsid}?aud=did:web:example.com%23service`]
  const isGranted = includes.some(
    (text) => (IncludeScope.fromString(text)?.toPermissions(set).length ?? 0) > 0
  )
  if (!isGranted) return undefined
  const kept = Object.entries(entry).filter(([name]) => meaningful.includes(name))
  return Object.fromEntries(
    kept.map(([name, value]) => [name, Array.isArray(value) ? [...new Set(value)] : value])
  )
}

/** Whether a set is small enough to store. */
export const isKeepable = (set: PermissionSet): boolean =>
  new TextEncoder().encode(JSON.stringify(set)).byteLength <= maxSetBytes

/**
 * Parses a lexicon document (JSON) as a permission set; undefined if it isn't one, or another's.
 */
export const readPermissionSet = (nsid: string, document: unknown): PermissionSet | undefined => {
  if (!isFields(document) || document["lexicon"] !== 1 || document["id"] !== nsid) return undefined
  const { defs } = document
  const main = isFields(defs) ? defs["main"] : undefined
  if (!isFields(main) || main["type"] !== "permission-set") return undefined
  const { permissions } = main
  if (!Array.isArray(permissions)) return undefined
  const title = shown(main["title"], longest.title)
  const detail = shown(main["detail"], longest.detail)
  const titles = byLanguage(main["title:lang"], longest.title)
  const details = byLanguage(main["detail:lang"], longest.detail)
  return {
    nsid,
    ...(title === undefined ? {} : { title }),
    ...(detail === undefined ? {} : { detail }),
    ...(titles === undefined ? {} : { titles }),
    ...(details === undefined ? {} : { details }),
    permissions: permissions.flatMap((entry) => {
      const meaning = isFields(entry) ? meaningOf(nsid, entry) : undefined
      return meaning === undefined ? [] : [meaning]
    })
  }
}

/**
 * A text in the first available of these languages (`pt-BR` also accepts `pt`), or in no particular
 * one.
 */
export const textIn = (
  languages: ReadonlyArray<string>,
  texts: Readonly<Record<string, string>> | undefined,
  fallback: string | undefined
): string | undefined => {
  for (const language of languages.map((tag) => tag.toLowerCase())) {
    for (const tag of [language, language.split("-", 1)[0] ?? ""]) {
      if (texts !== undefined && Object.hasOwn(texts, tag)) return texts[tag]
    }
  }
  return fallback
}
