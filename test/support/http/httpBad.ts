import { schemas } from "@atproto/api"

/** The part of a lexicon's schema from which wrong values are generated. */
interface Schema {
  readonly type: string
  readonly format?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly default?: unknown
  readonly items?: Schema
  readonly required?: ReadonlyArray<string>
  readonly properties?: Readonly<Record<string, Schema>>
}

interface Main {
  readonly type: string
  readonly parameters?: Schema
  readonly input?: { readonly encoding: string; readonly schema?: Schema }
}

const mains = new Map<string, Main>(
  // SAFETY: the package's documents are lexicons, whose methods have this form.
  schemas.map(({ id, defs }) => [id, (defs as { readonly main?: unknown }).main as Main])
)

/** A method's declaration in its lexicon. */
export const lexiconOf = (nsid: string): Main => {
  const main = mains.get(nsid)
  if (main === undefined) throw new Error(`no lexicon of ${nsid}`)
  return main
}

/** The encoding of the method's input; undefined without one. */
export const encodingOf = (nsid: string): string | undefined => lexiconOf(nsid).input?.encoding

const badText: Readonly<Record<string, ReadonlyArray<string>>> = {
  "at-identifier": ["", "alice", "did:", "@alice.test", "did:web:", "al ice.test"],
  "at-uri": ["", "https://x.test", "at://", "at://alice.test/nope/"],
  cid: [
    "",
    "bafy",
    "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N",
    "zzzzzzzzzzzzzzzz",
    "baf kreih"
  ],
  datetime: ["", "yesterday", "2026-13-01T00:00:00Z", "2026-01-01"],
  did: ["", "did", "did:", "did:plc", "did:WEB:x", "alice.test", `did:web:${"a".repeat(2048)}`],
  handle: ["", "alice", "alice..test", "-.test", "alice.test.", `${"a".repeat(64)}.test`, "a.1"],
  nsid: ["", "a", "a.b", "a..b.c", "app.bsky.feed.post!", `a.b.${"c".repeat(64)}`],
  "record-key": ["", ".", "..", "a/b", "a b", "é", "a".repeat(513)],
  tid: ["", "3jzfcijpj2z2", "zzzzzzzzzzzzz", "0000000000000"]
}

const badIntegers = ({ minimum, maximum }: Schema): ReadonlyArray<string> => [
  "abc",
  "",
  "1.5",
  "1e3",
  "NaN",
  "0x10",
  "99999999999999999999",
  ...(minimum === undefined ? [] : [String(minimum - 1), "-1"]),
  ...(maximum === undefined ? [] : [String(maximum + 1)])
]

const badTexts = (schema: Schema): ReadonlyArray<string> => {
  if (schema.type === "integer") return badIntegers(schema)
  if (schema.type === "boolean") return ["yes", "1", "", "TRUE"]
  if (schema.type === "array") return badTexts(schema.items!)
  const long = schema.maxLength === undefined ? [] : ["x".repeat(schema.maxLength + 1)]
  return [...(badText[schema.format ?? ""] ?? []), ...long]
}

type Texts = Readonly<Record<string, string | number | ReadonlyArray<string>>>

const queryOf = (params: Texts): URLSearchParams => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  return search
}

/** Query strings that each break one parameter of a valid call. */
export const badQueries = (nsid: string, good: Texts): Array<string> => {
  const { properties = {}, required = [] } = lexiconOf(nsid).parameters ?? {}
  const broken: Array<URLSearchParams> = []
  for (const [name, schema] of Object.entries(properties)) {
    for (const text of badTexts(schema)) {
      // An empty value counts as absent, which is valid for an optional parameter.
      if (text === "" && !required.includes(name)) continue
      const search = queryOf(good)
      search.set(name, text)
      broken.push(search)
    }
    const search = queryOf(good)
    if (required.includes(name)) {
      search.delete(name)
      broken.push(search)
    }
    if (schema.type === "array") continue
    const twice = queryOf(good)
    const value = twice.get(name) ?? (schema.type === "integer" ? "1" : "true")
    twice.append(name, value)
    if (twice.getAll(name).length === 1) twice.append(name, value)
    broken.push(twice)
  }
  return broken.map((search) => `?${search}`)
}

/** Query strings of a valid call that each send one optional parameter empty. */
export const emptyQueries = (nsid: string, good: Texts): Array<string> => {
  const { properties = {}, required = [] } = lexiconOf(nsid).parameters ?? {}
  const optional = Object.keys(properties).filter(
    (name) => !required.includes(name) && !Object.hasOwn(good, name)
  )
  return optional.map((name) => {
    const search = queryOf(good)
    search.append(name, "")
    return `?${search}`
  })
}

const wrongTypes: Readonly<Record<string, ReadonlyArray<unknown>>> = {
  string: [1, true, [], {}, { $link: "x" }],
  integer: ["1", true, 1.5, [], {}, 2 ** 60],
  boolean: ["true", 1, [], {}],
  array: ["x", 1, {}, [null]],
  object: ["x", 1, []],
  unknown: ["x", 1, [], { $bytes: "AA" }],
  union: [{}, { $type: 1 }]
}

const badValues = (schema: Schema): ReadonlyArray<unknown> => [
  ...(wrongTypes[schema.type] ?? []),
  ...(schema.type === "string" ? badTexts(schema) : []),
  ...(schema.type === "integer" && schema.minimum !== undefined ? [schema.minimum - 1] : [])
]

/** Bodies that each break one property of a valid call. */
export const badInputs = (nsid: string, good: object): Array<unknown> => {
  const { properties = {}, required = [] } = lexiconOf(nsid).input?.schema ?? {}
  const broken: Array<unknown> = [null, [], "text", 1, true, [good]]
  for (const [name, schema] of Object.entries(properties)) {
    for (const value of badValues(schema)) broken.push({ ...good, [name]: value })
    if (!required.includes(name) || schema.default !== undefined) continue
    const { [name as keyof object]: _, ...rest } = good
    broken.push(rest, { ...good, [name]: null })
  }
  return broken
}
