import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isSupportedDid } from "../../core/identity/did.ts"
import type { DidClaim } from "../../services/identity/HandleClaims.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"

/** No claim. */
export const noClaim: DidClaim = { kind: "none" }

/** No claim, but the beginning of whatever was found instead. */
export const instead = (found: string): DidClaim =>
  found === "" ? noClaim : { kind: "none", found: found.slice(0, 200) }

const DnsJson = Schema.Struct({
  Status: Schema.Int,
  Answer: Schema.optional(Schema.Array(Schema.Struct({ type: Schema.Int, data: Schema.String })))
})

const decodeDnsJson = Schema.decodeUnknownOption(Schema.fromJsonString(DnsJson))

const txtType = 16
const noError = 0
const noSuchName = 3

const text = new TextDecoder()

/**
 * The text of a TXT record: DNS services return its strings quoted and concatenated, or unquoted.
 */
const txtValue = (data: string): string =>
  data.startsWith('"')
    ? [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
        .map((match) => (match[1] ?? "").replace(/\\(.)/g, "$1"))
        .join("")
    : data

/** Reads a DNS service's JSON response about a name. */
const readDns = (body: Uint8Array): DidClaim => {
  const json = decodeDnsJson(text.decode(body))
  if (Option.isNone(json)) return { kind: "failed", cause: "not the JSON of a DNS answer" }
  const { Status, Answer: records = [] } = json.value
  if (Status === noSuchName) return noClaim
  if (Status !== noError) return { kind: "failed", cause: `DNS status ${Status}` }
  const texts = records
    .filter(({ type }) => type === txtType)
    .map(({ data }) => txtValue(data).trim())
  const claims = texts
    .filter((value) => value.startsWith("did="))
    .map((value) => value.slice("did=".length).trim())
    .filter(isSupportedDid)
  const dids = new Set(claims)
  if (dids.size > 1) return { kind: "conflict", dids: [...dids] }
  const [did] = dids
  return did === undefined ? instead(texts.join(", ")) : { kind: "did", did }
}

/**
 * Asks a DNS-over-HTTPS service for the DID in a name's TXT records (`did=…`), within 3 seconds.
 */
export const askDnsForDid = (
  outgoing: Outgoing["Service"],
  dohUrl: string,
  name: string
): Effect.Effect<DidClaim> => {
  if (name.length > 253) return Effect.succeed(noClaim)
  const url = new URL(dohUrl)
  url.searchParams.set("name", name)
  url.searchParams.set("type", "TXT")
  return outgoing
    .request(url.href, {
      accept: "application/dns-json",
      maxBytes: 64 * 1024,
      timeout: "3 seconds"
    })
    .pipe(
      Effect.map(({ body }) => readDns(body)),
      Effect.catch((cause) => Effect.succeed<DidClaim>({ kind: "failed", cause }))
    )
}
