import { IncludeScope } from "@atproto/oauth-scopes"

/** A permission set as its lexicon publishes it (`com.atproto.lexicon.schema`, type `permission-set`). */
export interface PermissionSet {
  readonly nsid: string
  readonly title?: string
  readonly detail?: string
  /** Titles and details by language tag, as `title:lang` and `detail:lang` hold them. */
  readonly titles?: Readonly<Record<string, string>>
  readonly details?: Readonly<Record<string, string>>
  /** The entries that some `include:` of the set grants, with the fields that mean something. */
  readonly permissions: ReadonlyArray<Readonly<Record<string, unknown>>>
}

/** The most bytes of JSON that a permission set may come to, by what it means. */
export const maxSetBytes = 16 * 1024

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The most characters of a title or detail that a page shows. */
const longest = { title: 100, detail: 500 }

// A page shows these beside its own words: they may not break out of their line, or turn it around.
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
 * The entry without what means nothing, or undefined where no `include:` of the set grants it.
 *
 * Asked of the library as it stands: an unknown field makes it refuse an entry, so none may be dropped before.
 */
const meaningOf = (nsid: string, entry: Fields): Fields | undefined => {
  // SAFETY: the library takes entries of any shape and drops those that mean nothing.
  const set = { type: "permission-set", permissions: [entry] } as unknown as Parameters<
    IncludeScope["toPermissions"]
  >[0]
  // One that hands an audience down, for entries that inherit it.
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

/** Whether a set is small enough to be kept. */
export const isKeepable = (set: PermissionSet): boolean =>
  new TextEncoder().encode(JSON.stringify(set)).byteLength <= maxSetBytes

/** Reads a lexicon document (JSON) as a permission set; undefined where it is none, or another's. */
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

/** A text in the first of these languages that there is one for (`pt-BR` takes `pt` too), or in no particular one. */
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
