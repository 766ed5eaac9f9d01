import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { checkFetchUrl, originOf } from "../../core/identity/address.ts"
import { pdsOf, signingKeyOf } from "../../core/identity/didDocument.ts"
import { toJson } from "../../core/repo/json.ts"
import { readRecordProof } from "../../core/repo/recordProof.ts"
import type { Accounts } from "../../services/accounts/Accounts.ts"
import type { Identity } from "../../services/identity/Identity.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"
import { askDnsForDid } from "../identity/dnsDid.ts"

/** The authority's repo provably has no such lexicon. */
export class LexiconAbsent extends Schema.TaggedError<LexiconAbsent>()("LexiconAbsent", {
  nsid: Schema.String
}) {}

/** The lexicon could not be located or fetched. */
export class LexiconUnavailable extends Schema.TaggedError<LexiconUnavailable>()(
  "LexiconUnavailable",
  { nsid: Schema.String, reason: Schema.String, cause: Schema.optional(Schema.Defect()) }
) {}

/** Options for looking up lexicons. */
export interface LexiconLookupOptions {
  readonly outgoing: Outgoing["Service"]
  readonly identity: Identity["Service"]
  readonly accounts: Accounts["Service"]
  /** A DNS-over-HTTPS service with JSON responses. */
  readonly dohUrl: string
  /** This server's origin, whose repos are not fetched over the network. */
  readonly publicUrl: string
  readonly allowHosts: ReadonlyArray<string>
}

const collection = "com.atproto.lexicon.schema"

/** The largest accepted proof: a lexicon, and the nodes on its path. */
const maxBytes = 256 * 1024

/** The domain of an NSID: everything but its name, reversed. Parent domains don't count. */
const authorityOf = (nsid: string): string =>
  nsid.split(".").slice(0, -1).toReversed().join(".").toLowerCase()

const originText = (url: string): string | undefined => URL.parse(url)?.origin

/**
 * Looks a lexicon up by the network's rules: `_lexicon.<domain>` names the DID, whose PDS has the
 * record with a proof.
 *
 * Returns the unparsed document as JSON. Spec: lexicon resolution.
 */
export const lookupLexicon = ({
  outgoing,
  identity,
  accounts,
  dohUrl,
  publicUrl,
  allowHosts
}: LexiconLookupOptions) => {
  const findAuthority = Effect.fnUntraced(function* (nsid: string) {
    const domain = authorityOf(nsid)
    // Names that are never public aren't sent to a DNS service either.
    if (Result.isFailure(checkFetchUrl(originOf(domain, allowHosts), allowHosts))) {
      return yield* new LexiconUnavailable({ nsid, reason: `${domain} is not a public name` })
    }
    const name = `_lexicon.${domain}`
    const claim = yield* askDnsForDid(outgoing, dohUrl, name)
    switch (claim.kind) {
      case "did":
        return claim.did
      case "none":
        return yield* new LexiconUnavailable({ nsid, reason: `${name} names no DID` })
      case "conflict":
        return yield* new LexiconUnavailable({ nsid, reason: `${name} names several DIDs` })
      case "failed":
        return yield* new LexiconUnavailable({
          nsid,
          reason: `DNS could not be asked for ${name}`,
          cause: claim.cause
        })
    }
  })

  /** Reads the lexicon of an account on this server from its object, with a normal request. */
  const readHere = Effect.fnUntraced(function* (nsid: string, did: string) {
    const failed = (cause: unknown) =>
      new LexiconUnavailable({ nsid, reason: "its account here does not answer", cause })
    const url = new URL("/xrpc/com.atproto.repo.getRecord", publicUrl)
    url.search = new URLSearchParams({ repo: did, collection, rkey: nsid }).toString()
    const response = yield* Effect.mapError(accounts.forward(did, new Request(url)), failed)
    const answer = yield* Effect.tryPromise({
      // SAFETY: the response of this server's own method.
      try: () => response.json() as Promise<{ readonly value?: unknown; readonly error?: string }>,
      catch: failed
    })
    if (response.status === 200) return answer.value
    return answer.error === "RecordNotFound"
      ? yield* new LexiconAbsent({ nsid })
      : yield* failed(answer.error)
  })

  const readThere = Effect.fnUntraced(function* (
    nsid: string,
    { did, pds, signingKey }: { did: string; pds: string; signingKey: string }
  ) {
    const url = new URL("/xrpc/com.atproto.sync.getRecord", pds)
    url.search = new URLSearchParams({ did, collection, rkey: nsid }).toString()
    const { body } = yield* outgoing
      .request(url.href, { accept: "application/vnd.ipld.car", maxBytes, timeout: "5 seconds" })
      .pipe(
        Effect.mapError(
          (cause) => new LexiconUnavailable({ nsid, reason: "its server does not answer", cause })
        )
      )
    const record = yield* Effect.tryPromise({
      try: () => readRecordProof(body, { did, signingKey, path: `${collection}/${nsid}` }),
      catch: (cause) => new LexiconUnavailable({ nsid, reason: "its proof is not valid", cause })
    })
    return record === undefined ? yield* new LexiconAbsent({ nsid }) : toJson(record)
  })

  return Effect.fn("lookupLexicon")(function* (nsid: string) {
    const did = yield* findAuthority(nsid)
    // Fresh: after a key change or a move, an old document would make a valid proof fail.
    const document = yield* identity
      .resolveDid(did, { fresh: true })
      .pipe(
        Effect.mapError(
          (cause) => new LexiconUnavailable({ nsid, reason: `${did} has no document`, cause })
        )
      )
    const pds = pdsOf(document)
    const signingKey = signingKeyOf(document)
    if (pds === undefined || signingKey === undefined) {
      return yield* new LexiconUnavailable({ nsid, reason: `${did} names no server or no key` })
    }
    return yield* originText(pds) === originText(publicUrl)
      ? readHere(nsid, did)
      : readThere(nsid, { did, pds, signingKey })
  })
}
