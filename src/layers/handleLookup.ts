import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { checkFetchUrl, originOf } from "../identity/address.ts"
import { isSupportedDid } from "../identity/did.ts"
import { isHandle } from "../lexicon/syntax.ts"
import { type HandleError, HandleNotFound, IdentityUnavailable } from "../services/Identity.ts"
import type { Outgoing } from "../services/Outgoing.ts"

/** Where handles are looked up. */
export interface HandleLookupOptions {
  /** A DNS-over-HTTPS service that answers in JSON. */
  readonly dohUrl: string
  /** Hosts whose well-known file may be fetched over http, on their port. */
  readonly allowHosts: ReadonlyArray<string>
}

type Answer =
  | { readonly kind: "did"; readonly did: string }
  | { readonly kind: "none" }
  | { readonly kind: "conflict" }
  | { readonly kind: "failed"; readonly cause: unknown }

const none: Answer = { kind: "none" }

const DnsJson = Schema.Struct({
  Status: Schema.Int,
  Answer: Schema.optional(Schema.Array(Schema.Struct({ type: Schema.Int, data: Schema.String })))
})

const decodeDnsJson = Schema.decodeUnknownOption(Schema.fromJsonString(DnsJson))

const txtType = 16
const noError = 0
const noSuchName = 3

const text = new TextDecoder()

/** The text of a TXT record: DNS services write its strings quoted, one after the other, or bare. */
const txtValue = (data: string): string =>
  data.startsWith('"')
    ? [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map((match) => (match[1] ?? "").replace(/\\(.)/g, "$1"))
        .join("")
    : data

/** What a DNS service's JSON says about a handle. */
const readDns = (body: Uint8Array): Answer => {
  const json = decodeDnsJson(text.decode(body))
  if (Option.isNone(json)) return { kind: "failed", cause: "not the JSON of a DNS answer" }
  const { Status, Answer: records = [] } = json.value
  if (Status === noSuchName) return none
  if (Status !== noError) return { kind: "failed", cause: `DNS status ${Status}` }
  const claims = records
    .filter(({ type }) => type === txtType)
    .map(({ data }) => txtValue(data).trim())
    .filter((value) => value.startsWith("did="))
    .map((value) => value.slice("did=".length).trim())
    .filter(isSupportedDid)
  const dids = new Set(claims)
  if (dids.size > 1) return { kind: "conflict" }
  const [did] = dids
  return did === undefined ? none : { kind: "did", did }
}

/**
 * Looks a handle up: the TXT record `_atproto.<handle>`, and `https://<handle>/.well-known/atproto-did`.
 *
 * Both are asked at once, within 3 seconds. DNS wins; records that name different DIDs are an answer too: none.
 */
export const lookupHandle = (
  outgoing: Outgoing["Service"],
  { dohUrl, allowHosts }: HandleLookupOptions
): ((handle: string) => Effect.Effect<string, HandleError>) => {
  const byDns = Effect.fnUntraced(function* (handle: string): Effect.fn.Return<Answer> {
    const name = `_atproto.${handle}`
    if (name.length > 253) return none
    const url = new URL(dohUrl)
    url.searchParams.set("name", name)
    url.searchParams.set("type", "TXT")
    return yield* outgoing
      .request(url.href, {
        accept: "application/dns-json",
        maxBytes: 64 * 1024,
        timeout: "3 seconds"
      })
      .pipe(
        Effect.map(({ body }) => readDns(body)),
        Effect.catch((cause) => Effect.succeed<Answer>({ kind: "failed", cause }))
      )
  })

  const byHttps = (handle: string): Effect.Effect<Answer> =>
    outgoing
      .request(`${originOf(handle, allowHosts)}/.well-known/atproto-did`, {
        accept: "text/plain",
        maxBytes: 4096,
        timeout: "3 seconds",
        redirects: 3,
        allowStatus: "any"
      })
      .pipe(
        Effect.map(({ status, body }): Answer => {
          if (status >= 500) return { kind: "failed", cause: `status ${status}` }
          const did = text.decode(body).trim()
          return status === 200 && isSupportedDid(did) ? { kind: "did", did } : none
        }),
        Effect.catchTags({
          OutgoingRefused: () => Effect.succeed(none),
          OutgoingFailed: (cause) => Effect.succeed<Answer>({ kind: "failed", cause })
        })
      )

  return Effect.fn("Identity.lookupHandle")(function* (
    handle: string
  ): Effect.fn.Return<string, HandleError> {
    // Names that are never public are not sent to anybody's DNS either.
    const publicName = checkFetchUrl(originOf(handle, allowHosts), allowHosts).ok
    if (!isHandle(handle) || !publicName) return yield* new HandleNotFound({ handle })
    const https = yield* Effect.forkChild(byHttps(handle))
    const dns = yield* byDns(handle)
    if (dns.kind === "did" || dns.kind === "conflict") {
      yield* Fiber.interrupt(https)
      return dns.kind === "did" ? dns.did : yield* new HandleNotFound({ handle })
    }
    const answer = yield* Fiber.join(https)
    if (answer.kind === "did") return answer.did
    // A host that is just a name (no web server) is an answer when DNS was sure; otherwise nobody knows.
    if (dns.kind === "failed") {
      return yield* new IdentityUnavailable({ subject: handle, cause: dns.cause })
    }
    return yield* new HandleNotFound({ handle })
  })
}
