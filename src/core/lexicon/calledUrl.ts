/** A query's parameters; `URLSearchParams` are some. */
export interface Query extends Iterable<[name: string, value: string]> {
  getAll(name: string): Array<string>
}

/** The parts of a URL that name a method and its parameters; a `URL` has them. */
export interface CalledUrl {
  readonly pathname: string
  readonly search: string
  readonly searchParams: Query
}

/** URLs that their parser changes nowhere, as long as no segment of the path begins with a dot. */
const plain = /^https?:\/\/[\w.:-]+((?:\/[\w-][\w.-]*)+)(\?[\w.~:/?@!$&()*+,;=%-]*)?$/

/** A URL's parts as `new URL` finds them; the usual ones without parsing the rest. */
export const calledUrl = (text: string): CalledUrl => {
  const found = plain.exec(text)
  return found === null ? new URL(text) : new PlainUrl(found[1]!, found[2] ?? "")
}

class PlainUrl implements CalledUrl {
  readonly pathname: string
  readonly search: string
  #query: Query | undefined

  constructor(pathname: string, search: string) {
    this.pathname = pathname
    // An empty query is none.
    this.search = search === "?" ? "" : search
  }

  get searchParams(): Query {
    return (this.#query ??= queryOf(this.search))
  }
}

/** The parameters in a URL's `search`. */
export const queryOf = (search: string): Query => {
  try {
    return new PlainQuery(pairsOf(search))
  } catch {
    // The platform keeps what isn't UTF-8 as far as possible.
    return new URLSearchParams(search)
  }
}

const pairsOf = (search: string): Array<[string, string]> => {
  const pairs: Array<[string, string]> = []
  if (search === "") return pairs
  for (const pair of search.slice(1).split("&")) {
    if (pair === "") continue
    const end = pair.indexOf("=")
    pairs.push(
      end === -1 ? [decoded(pair), ""] : [decoded(pair.slice(0, end)), decoded(pair.slice(end + 1))]
    )
  }
  return pairs
}

const decoded = (text: string): string => {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text
  return spaced.includes("%") ? decodeURIComponent(spaced) : spaced
}

class PlainQuery implements Query {
  readonly #pairs: Array<[string, string]>

  constructor(pairs: Array<[string, string]>) {
    this.#pairs = pairs
  }

  getAll(name: string): Array<string> {
    const values: Array<string> = []
    for (const [key, value] of this.#pairs) if (key === name) values.push(value)
    return values
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#pairs[Symbol.iterator]()
  }
}
