import { serviceDomainOf } from "./handle.ts"

/** A handle to suggest, and how it was made; clients do not read the method. */
export interface HandleSuggestion {
  readonly handle: string
  readonly method: "domain" | "email" | "birth_year" | "number"
}

/** What a person has typed who wants a handle. */
export interface WantedHandle {
  /** In its normalised form. */
  readonly handle: string
  readonly email?: string | undefined
  readonly birthDate?: string | undefined
}

/** The most characters of a name that a number is put behind: labels end at 18. */
const longestBase = 14

const labelOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, longestBase)
    .replace(/^-+|-+$/g, "")

/**
 * Handles like the one that is wanted, under the host's domains, the likeliest first; nobody has looked whether they are free.
 *
 * `numbers` go behind the name.
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
