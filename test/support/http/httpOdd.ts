import { type LetIn, letIn, proofOf } from "./httpApps.ts"
import { credentials } from "./httpCredentials.ts"
import type { Random } from "./httpFuzz.ts"
import { origin } from "./httpHost.ts"
import { firstRkey, type Person, type World } from "./httpWorld.ts"

/** A request as data, since a body can be sent only once. */
export interface Odd {
  readonly method: string
  readonly url: string
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  /** The app that sends it, and what its proof claims. */
  readonly app?: { readonly by: LetIn; readonly claims: object }
  /** Contains `@` in the key of a new record, for a letter that differs each time. */
  readonly body: string | undefined
}

const writes = ["createRecord", "putRecord", "deleteRecord", "applyWrites"].map(
  (name) => `com.atproto.repo.${name}`
)

const nsids = [
  ...writes,
  "com.atproto.repo.getRecord",
  "com.atproto.repo.listRecords",
  "com.atproto.repo.describeRepo",
  "com.atproto.repo.listMissingBlobs",
  "com.atproto.server.getSession",
  "com.atproto.server.getServiceAuth",
  "com.atproto.server.describeServer",
  "com.atproto.server.listAppPasswords",
  "com.atproto.sync.getLatestCommit",
  "com.atproto.sync.getRepoStatus",
  "com.atproto.sync.getBlob",
  "com.atproto.sync.listBlobs",
  "com.atproto.identity.resolveHandle",
  "app.bsky.actor.getPreferences",
  "app.bsky.feed.searchPosts",
  "app.bsky.actor.getProfile",
  "app.bsky.feed.getFeed",
  "chat.bsky.convo.listConvos",
  "com.example.none",
  "com.atproto.server.none",
  ""
]

const oddPaths: ReadonlyArray<(nsid: string) => string> = [
  (nsid) => `/xrpc/${nsid}/`,
  (nsid) => `/xrpc//${nsid}`,
  (nsid) => `//xrpc/${nsid}`,
  (nsid) => `/XRPC/${nsid}`,
  (nsid) => `/xrpc/a/../${nsid}`,
  (nsid) => `/xrpc/%2e/${nsid}`,
  (nsid) => `/xrpc\\${nsid}`,
  (nsid) => `/xrpc/${nsid};a=b`,
  (nsid) => `/xrpc/${nsid}%00`,
  (nsid) => `/xrpc/${nsid.toUpperCase()}`,
  (nsid) => `/xrpc/${nsid}.`,
  (nsid) => `/xrpc/${nsid.replace(".", "%2E")}`,
  (nsid) => `/x%72pc/${nsid}`
]

const oddValues = ["", "+", "a+b", "%20", "%00", "%", "%zz", "%FF", "%C3%A9", "é", "%EF%BB%BF"]
  .concat(["%ED%A0%80", "'", '"', "[]", "{}", "|", "a%26b", "a=b", "..", "null", "true", "false"])
  .concat(["0", "-1", "1.0", "1e2", "+1", "101", "9007199254740993", "x".repeat(9000), "__proto__"])

const names = [
  "repo",
  "did",
  "collection",
  "rkey",
  "cid",
  "limit",
  "cursor",
  "reverse",
  "aud"
].concat(["lxm", "exp", "handle", "actor", "q", "repo[]", "Repo", "%72epo", "re+po", "__proto__"])

/** The right parameters, with odd ones among them or in their place. */
const oddQuery = (random: Random, { did, handle, avatar }: Person): string => {
  if (random.chance(0.08)) return random.pick(["", "?", "??", "?&&=&", "?=", "#x", "?#x"])
  const spelled = [did, did, did, encodeURIComponent(did), handle, did.toUpperCase(), `${did}+`]
  const named = random.pick(spelled)
  const pairs = [`repo=${named}`, `did=${named}`, "collection=app.bsky.feed.post"]
  pairs.push(`rkey=${firstRkey}`)
  if (random.chance(0.3)) pairs.push(`limit=${random.pick(["1", "2", "50"])}`)
  if (random.chance(0.3)) pairs.push("aud=did:web:a.example.com", "lxm=com.example.none")
  if (random.chance(0.3)) pairs.push(`handle=${handle}`, `cid=${avatar}`)
  while (random.chance(0.5)) {
    const [name, value] = [random.pick(names), random.pick(oddValues)]
    const odd = random.pick([`${name}=${value}`, `${name}=${value}`, name, `=${value}`, ""])
    pairs.splice(random.below(pairs.length + 1), random.below(2), odd)
  }
  return `?${pairs.join("&")}`
}

const oddHeaders: Readonly<Record<string, ReadonlyArray<string>>> = {
  range: ["bytes=0-1", "x"],
  "if-none-match": ["*", '"x"', '"a", "b"'],
  "atproto-proxy": [
    "did:web:api.bsky.app#bsky_appview",
    "x",
    "",
    "did:web:localhost%3A8787#atproto_pds"
  ],
  "atproto-accept-labelers": ["did:plc:aaaaaaaaaaaaaaaaaaaaaaaa;redact", ""],
  "content-type": ["text/plain", "APPLICATION/JSON; charset=utf-8", "*/*"],
  "content-encoding": ["gzip", "identity", ""],
  "accept-encoding": ["gzip", "br;q=0", "*"],
  accept: ["text/html"],
  origin: ["https://app.example.com", "https://other.example.com", "null"],
  dpop: ["a.b.c"],
  "x-request-id": ["mine"],
  "x-nacre-trace": ["00-11111111111111111111111111111111-1111111111111111-01"],
  "cf-connecting-ip": ["1.2.3.4", ""],
  upgrade: ["websocket"],
  authorization: ["Bearer x", "Basic YWRtaW46eA=="]
}

const post = { $type: "app.bsky.feed.post", text: "a", createdAt: "2026-01-01T00:00:00.000Z" }

const oddBody = (random: Random, { did, handle }: Person, round: number): string => {
  const repo = random.pick([did, did, did, handle, "did:web:bobby.test", "x"])
  const collection = random.pick([post.$type, post.$type, "com.example.none", "no nsid"])
  const record = random.pick<unknown>([post, { ...post, createdAt: 1 }, { a: 1 }, {}, null, "text"])
  const rkey = random.pick([undefined, `new-${round}-@`, "a b", "."])
  const place = { repo, collection, rkey }
  const value = { collection, rkey, value: record }
  const shape = random.pick<unknown>([
    { ...place, record },
    { ...place, record },
    place,
    { ...place, record, validate: false },
    { ...place, record, swapCommit: "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a" },
    { ...place, record, swapRecord: null },
    { repo, writes: [{ $type: "com.atproto.repo.applyWrites#create", ...value }] },
    { repo, writes: [] },
    {},
    null
  ])
  const text = JSON.stringify(shape)
  return random.pick([text, text, text, text, "", "{", `${text}x`, ` ${text}\n`, `\ufeff${text}`])
}

/** Spellings of an `Authorization` header. */
const spelledAuth = (random: Random, auth: string): string => {
  const [scheme = "", token = ""] = auth.split(" ", 2)
  return random.pick([
    ...Array.from({ length: 8 }, () => auth),
    `${scheme.toUpperCase()}  ${token}`,
    `${scheme}\t${token}`,
    `${auth} x`,
    `${auth},${auth}`,
    `${scheme}${token}`,
    `${scheme} `,
    token,
    auth.slice(0, -1)
  ])
}

const scopes = ["atproto", "atproto transition:generic", "atproto repo:app.bsky.feed.post"]

/** What an app's proof says about a URL and a method, rightly or not. */
const oddClaims = (random: Random, method: string, url: string): object => {
  const { origin: host, pathname } = new URL(url)
  const right = { htm: method, htu: `${host}${pathname}` }
  return random.pick([
    ...Array.from({ length: 8 }, () => right),
    { ...right, htm: "PUT" },
    { ...right, htu: url },
    { ...right, htu: `${host.toUpperCase()}${pathname}/` },
    { ...right, htu: `${host}/xrpc/com.atproto.server.getSession` },
    { ...right, nonce: "old" },
    { ...right, ath: "other" }
  ])
}

/** Returns a maker of odd requests; it uses one credential of each kind. */
export const oddRequests = async (random: Random, world: World) => {
  const { alice, carol, dora } = world
  const apps = await Promise.all([
    ...scopes.map((scope) => letIn(world, alice.did, scope)),
    ...[carol, dora].map(({ did }) => letIn(world, did, scopes[1]!))
  ])
  const made = new Map<string, Promise<string | undefined>>()
  const kinds = Object.entries(credentials)
  return async (round: number): Promise<Odd> => {
    const nsid = random.pick(nsids)
    const [name, { about, header }] = random.pick(random.chance(0.5) ? kinds.slice(0, 4) : kinds)
    const who = about(world)
    // These are for one method.
    const key = name.startsWith("service") || name === "moderator" ? `${name} ${nsid}` : name
    const auth = await (made.get(key) ?? header(world, nsid))
    made.set(key, Promise.resolve(auth))
    const isWrite = writes.includes(nsid)
    const method = random.chance(0.9)
      ? isWrite
        ? "POST"
        : "GET"
      : random.pick(["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE"])
    const path = random.chance(0.9) ? `/xrpc/${nsid}` : random.pick(oddPaths)(nsid)
    const query = isWrite && random.chance(0.9) ? "" : oddQuery(random, who)
    const hasBody = !["GET", "HEAD", "OPTIONS"].includes(method)
    const body = hasBody ? oddBody(random, who, round) : undefined
    const headers: Array<readonly [string, string]> = []
    const url = `${origin}${path}${query}`
    const by = random.chance(0.3) ? random.pick(apps) : undefined
    const app = by && { by, claims: oddClaims(random, method, url) }
    if (app === undefined && auth !== undefined)
      headers.push(["authorization", spelledAuth(random, auth)])
    if (body !== undefined && random.chance(0.95)) {
      headers.push(["content-type", "application/json"])
      headers.push(["content-length", String(Buffer.byteLength(body))])
    }
    while (random.chance(0.3)) {
      const odd = random.pick(Object.keys(oddHeaders))
      headers.push([odd, random.pick(oddHeaders[odd]!)])
    }
    return { method, url, headers, body, ...(app === undefined ? {} : { app }) }
  }
}

/** Such a request, to be sent once; `letter` differs each time. */
export const requestOfOdd = async (
  world: World,
  { method, url, headers, body, app }: Odd,
  letter: string
): Promise<Request> => {
  const text = body?.replaceAll("@", letter)
  const request = new Request(url, { method, ...(text === undefined ? {} : { body: text }) })
  request.headers.delete("content-type")
  for (const [name, value] of headers) request.headers.append(name, value)
  if (app !== undefined) {
    request.headers.append("authorization", `DPoP ${app.by.accessToken}`)
    request.headers.append("dpop", await proofOf(world, app.by, "", {}, { claims: app.claims }))
  }
  return request
}
