import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import { checkFetchUrl, originOf } from "../../core/identity/address.ts"
import { firstLine, isSupportedDid } from "../../core/identity/did.ts"
import { isHandle } from "../../core/lexicon/syntax.ts"
import type { DidClaim } from "../../services/identity/HandleClaims.ts"
import {
  type HandleError,
  HandleNotFound,
  IdentityUnavailable
} from "../../services/identity/Identity.ts"
import type { Outgoing } from "../../services/host/Outgoing.ts"
import { askDnsForDid, instead, noClaim } from "./dnsDid.ts"

/** Options for looking up handles. */
export interface HandleLookupOptions {
  /** A DNS-over-HTTPS service with JSON responses. */
  readonly dohUrl: string
  /** Hosts whose well-known file may be fetched over http, on their port. */
  readonly allowHosts: ReadonlyArray<string>
}

const text = new TextDecoder()

/** Asks a web server for the DID in its `/.well-known/atproto-did`, within 3 seconds. */
export const askHostForDid = (
  outgoing: Outgoing["Service"],
  origin: string
): Effect.Effect<DidClaim> =>
  outgoing
    .request(`${origin}/.well-known/atproto-did`, {
      accept: "text/plain",
      maxBytes: 4096,
      timeout: "3 seconds",
      redirects: 3,
      allowStatus: "any"
    })
    .pipe(
      Effect.map(({ status, body }): DidClaim => {
        if (status >= 500) return { kind: "failed", cause: `status ${status}` }
        if (status !== 200) return { kind: "none", status }
        const did = firstLine(text.decode(body))
        return isSupportedDid(did) ? { kind: "did", did } : instead(did)
      }),
      Effect.catchTags({
        OutgoingRefused: () => Effect.succeed(noClaim),
        OutgoingFailed: (cause) => Effect.succeed<DidClaim>({ kind: "failed", cause })
      })
    )

/**
 * Resolves a handle: the TXT record `_atproto.<handle>` and
 * `https://<handle>/.well-known/atproto-did`.
 *
 * Asks both concurrently, within 3 seconds. DNS wins; records with different DIDs count as a
 * definite no.
 */
export const lookupHandle = (
  outgoing: Outgoing["Service"],
  { dohUrl, allowHosts }: HandleLookupOptions
): ((handle: string) => Effect.Effect<string, HandleError>) =>
  Effect.fn("Identity.lookupHandle")(function* (
    handle: string
  ): Effect.fn.Return<string, HandleError> {
    // Names that are never public aren't sent to a DNS service either.
    const origin = checkFetchUrl(originOf(handle, allowHosts), allowHosts)
    if (!isHandle(handle) || Result.isFailure(origin)) return yield* new HandleNotFound({ handle })
    const https = yield* Effect.forkChild(askHostForDid(outgoing, originOf(handle, allowHosts)))
    const dns = yield* askDnsForDid(outgoing, dohUrl, `_atproto.${handle}`)
    if (dns.kind === "did" || dns.kind === "conflict") {
      yield* Fiber.interrupt(https)
      return dns.kind === "did" ? dns.did : yield* new HandleNotFound({ handle })
    }
    const answer = yield* Fiber.join(https)
    if (answer.kind === "did") return answer.did
    // A name without a web server is a definite no if DNS was sure; otherwise nobody knows.
    if (dns.kind === "failed") {
      return yield* new IdentityUnavailable({ subject: handle, cause: dns.cause })
    }
    return yield* new HandleNotFound({ handle })
  })
