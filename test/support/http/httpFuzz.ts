import type { Asked } from "./httpHost.ts"

/** A seeded random number generator (mulberry32). */
export const randomOf = (seed: number) => {
  let state = seed
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    below,
    chance: (share: number): boolean => next() < share,
    pick: <A>(values: ReadonlyArray<A>): A => values[below(values.length)]!
  }
}

/** A source of randomness. */
export type Random = ReturnType<typeof randomOf>

const texts = [
  "",
  " ",
  "\u0000",
  "..",
  "../../etc/passwd",
  "%00",
  "%",
  "'; DROP TABLE session; --",
  "did:plc:ewvi7nxzyoun6zhxrhs64oiz",
  "did:web:alice.test#x",
  "did:web:%2e%2e",
  "did:web:alice.test",
  "at://did:web:alice.test/app.bsky.feed.post/self",
  "alice.test",
  "self",
  "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a",
  "bafkreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm",
  "null",
  "NaN",
  "-1",
  "9007199254740993",
  "\ud83d\ude00".repeat(40),
  "\u202e\ufeff",
  "constructor",
  "__proto__",
  "x".repeat(10_000)
]

const values: ReadonlyArray<unknown> = [
  null,
  true,
  0,
  -0,
  1.5,
  2 ** 53,
  Number.POSITIVE_INFINITY,
  [],
  {},
  [[[]]],
  { $type: "x" },
  { $type: "blob" },
  { $link: "bafy" },
  { $link: "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a" },
  { $bytes: "AAAA" },
  { $bytes: "*" },
  { $type: "blob", ref: { $link: "x" }, mimeType: "a/b", size: -1 },
  { cid: "x", mimeType: "image/png" },
  { length: 4_000_000_000 },
  JSON.parse('{"toString":1,"valueOf":2,"then":3}'),
  JSON.parse('{"__proto__":{"x":1},"":1}'),
  ...texts
]

/** A text with a few characters changed, or another text. */
const mutateText = (random: Random, text: string): string => {
  if (random.chance(0.4)) return random.pick(texts)
  const at = random.below(text.length + 1)
  const rest = text.slice(at + random.below(3))
  return text.slice(0, at) + random.pick(["", "x", ".", "/", ":", "é", "\u0000", "%2F"]) + rest
}

/** A JSON value with one change. */
const mutateJson = (random: Random, json: unknown): unknown => {
  if (typeof json === "string" && random.chance(0.5)) return mutateText(random, json)
  if (typeof json !== "object" || json === null || random.chance(0.15)) return random.pick(values)
  if (Array.isArray(json)) {
    const copy: Array<unknown> = [...json]
    const at = random.below(copy.length + 1)
    if (random.chance(0.2)) return Array.from({ length: 250 }, () => copy[0] ?? null)
    copy.splice(at, random.below(2), mutateJson(random, copy[at] ?? {}))
    return copy
  }
  const entries = Object.entries(json)
  const at = random.below(entries.length + 1)
  const [name, value] = entries[at] ?? [random.pick(texts), {}]
  const changed = random.chance(0.2) ? [] : [[name, mutateJson(random, value)] as const]
  return Object.fromEntries([...entries.toSpliced(at, 1), ...changed])
}

const tokens = ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic", "Basic !", "DPoP a.b.c", "x y z"]

const headerValues: Readonly<Record<string, ReadonlyArray<string>>> = {
  "content-type": [
    "",
    "text/plain",
    "application/json; charset=utf-16",
    "*/*",
    "a",
    "image/svg+xml"
  ],
  "content-encoding": ["gzip", "br", "deflate", "identity", "x"],
  "content-length": ["0", "-1", "1", "x", "99999999999999999999", "1e9"],
  range: ["bytes=0-", "bytes=9-1", "bytes=-1", "bytes=99999999-", "bytes=0-0,2-3", "x"],
  "if-none-match": ["*", '"x"', "W/"],
  "if-range": ["x"],
  accept: ["text/html"],
  origin: ["null", "https://app.example.com"],
  "access-control-request-method": ["POST"],
  "access-control-request-headers": ["x".repeat(2000)],
  dpop: ["x.y.z", ""],
  "atproto-proxy": ["did:web:api.bsky.app#bsky_appview", "x"],
  "x-ratelimit-bypass": ["x"],
  "cf-connecting-ip": ["", "::", "::ffff:1.2.3.4", "x:y:z%1", "999.1.1.1"],
  upgrade: ["websocket"],
  cookie: ["a=b"]
}

const mutateQuery = (random: Random, params: Asked["params"]): string => {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  const names = [
    ...search.keys(),
    "limit",
    "cursor",
    "did",
    "repo",
    "reverse",
    "since",
    "cid",
    "cids"
  ]
  const name = random.pick(names)
  const value = mutateText(random, search.get(name) ?? "1")
  if (random.chance(0.3)) search.append(name, value)
  else if (random.chance(0.2)) search.delete(name)
  else search.set(name, value)
  const query = `?${search}`
  return random.chance(0.1)
    ? query + random.pick(["&", "&&=", "&%", "&did", "#x", "&limit[]=1"])
    : query
}

/** A request with some parts broken. */
export const mutate = (random: Random, good: Asked): Asked => {
  let asked = good
  do {
    switch (random.below(6)) {
      case 0:
        asked = { ...asked, query: mutateQuery(random, asked.params) }
        break
      case 1:
      case 2:
        if (asked.input !== undefined) asked = { ...asked, input: mutateJson(random, asked.input) }
        else asked = { ...asked, query: mutateQuery(random, asked.params) }
        break
      case 3: {
        if (asked.method === "GET" || (asked.input === undefined && asked.method === undefined))
          break
        const text = JSON.stringify(asked.input ?? {})
        const body = random.chance(0.5)
          ? text.slice(0, random.below(text.length))
          : mutateText(random, text)
        const { input: _, ...rest } = asked
        asked = {
          ...rest,
          method: "POST",
          body,
          headers: { "content-type": "application/json", ...rest.headers }
        }
        break
      }
      case 4: {
        const auth = asked.auth ?? "Bearer x"
        asked = {
          ...asked,
          auth: random.chance(0.5) ? random.pick(tokens) : asciiOf(mutateText(random, auth))
        }
        break
      }
      default: {
        const name = random.pick(Object.keys(headerValues))
        asked = {
          ...asked,
          headers: { ...asked.headers, [name]: random.pick(headerValues[name]!) }
        }
      }
    }
  } while (random.chance(0.4))
  return asked
}

/** Headers only allow Latin characters. */
const asciiOf = (text: string): string => text.replace(/[^\x20-\x7e]/g, "~")
