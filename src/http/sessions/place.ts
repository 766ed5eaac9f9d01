import { type SeenFrom, seenFrom } from "../../core/sessions/seenFrom.ts"

/** The header with the place, which the Worker sends to the account's object instead of a client's own. */
const header = "x-nacre-place"

let countries: Intl.DisplayNames | undefined

/** The name of a country; the table of names is read when it is first needed, since that takes time. */
const countryOf = (code: string): string | undefined => {
  countries ??= new Intl.DisplayNames(["en"], { type: "region", fallback: "none" })
  return countries.of(code)
}

/** The city and country of a client, such as “Lisbon, Portugal”, if Cloudflare knows them. */
export const placeOf = (request: Request): string | undefined => {
  // SAFETY: only Cloudflare sets the property; both values are texts if they are there.
  const { city, country } = ((request as { readonly cf?: unknown }).cf ?? {}) as {
    readonly city?: string
    readonly country?: string
  }
  const name = /^[A-Z]{2}$/.test(country ?? "") ? countryOf(country!) : undefined
  const parts = [city, name].filter((part) => part !== undefined && part !== "")
  return parts.length === 0 ? undefined : parts.join(", ").slice(0, 80)
}

/** Reads a request's place and client in the Worker. */
export const seenFromRequest = (request: Request): SeenFrom =>
  seenFrom(request.headers.get("user-agent"), placeOf(request))

/** Adds a request's place to the headers for its account's object. */
export const tellPlace = (request: Request, headers: Headers): void => {
  headers.delete(header)
  const place = placeOf(request)
  // A header only allows Latin-1.
  if (place !== undefined) headers.set(header, encodeURIComponent(place))
}

/** Reads a request's place and client in the account's object. */
export const seenFromHeaders = ({ headers }: Request): SeenFrom => {
  const place = headers.get(header)
  return seenFrom(headers.get("user-agent"), place === null ? null : decodeURIComponent(place))
}
