import { serviceDomainOf } from "./handle.ts"

/** A suggested handle and its derivation, which clients ignore. */
export interface HandleSuggestion {
  readonly handle: string
  readonly method: "domain" | "email" | "birth_year" | "number"
}

/** What a person typed who wants a handle. */
export interface WantedHandle {
  /** The normalized handle. */
  readonly handle: string
  readonly email?: string | undefined
  readonly birthDate?: string | undefined
}

/** Maximum length of a name before an appended number: labels end at 18. */
const longestBase = 14

const labelOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, longestBase)
    .replace(/^-+|-+$/g, "")

/**
 * Handles similar to the wanted one, under the host's domains, best first; not checked for
 * availability.
 *
 * `numbers` are appended to the name.
 */
export const suggestHandles = (
  { handle, email, birthDate }: WantedHandle,
  serviceDomains: ReadonlyArray<string>,
  numbers: ReadonlyArray<number>
): ReadonlyArray<HandleSuggestion> => {
  const own = serviceDomainOf(handle, serviceDomains)
  const domain = own ?? serviceDomains[0]
  if (domain === undefined) return []
  const base = labelOf(
    own === undefined ? handle.split(".", 1)[0]! : handle.slice(0, -own.length - 1)
  )
  const under = (label: string, method: HandleSuggestion["method"]) => ({
    handle: `${label}.${domain}`,
    method
  })
  const elsewhere = serviceDomains.filter((other) => other !== own)
  const year = /^\d{4}/.exec(birthDate ?? "")?.[0]
  const all: ReadonlyArray<HandleSuggestion> = [
    ...elsewhere.map((other) => ({ handle: `${base}.${other}`, method: "domain" as const })),
    ...(email === undefined ? [] : [under(labelOf(email.split("@", 1)[0]!), "email")]),
    ...(year === undefined
      ? []
      : [under(`${base}${year.slice(2)}`, "birth_year"), under(`${base}${year}`, "birth_year")]),
    ...numbers.map((number) => under(`${base}${number}`, "number"))
  ]
  const seen = new Set([handle])
  return all.filter((suggestion) => !seen.has(suggestion.handle) && seen.add(suggestion.handle))
}
