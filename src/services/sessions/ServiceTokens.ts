import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import {
  claimsFault,
  isSignedBy,
  parseServiceJwt,
  type ServiceJwt,
  serviceTokenErrors,
  type ServiceTokenFault,
  signedServiceJwt,
  unsignedServiceJwt
} from "../../core/sessions/serviceJwt.ts"
import { sha256 } from "../../core/repo/cid.ts"
import type { Soon } from "../host/Soon.ts"
import { Identity, type IdentityUnavailable } from "../identity/Identity.ts"
import { useOnce } from "../oauth/once.ts"
import { OAuthRequests, type OAuthStoreUnavailable } from "../oauth/OAuthRequests.ts"
import type { SignerShape } from "../identity/Signer.ts"
import { spanned } from "../operators/spanned.ts"

/** The token is rejected; `error` is the name in the response. */
class BadServiceToken extends Schema.TaggedError<BadServiceToken>()("BadServiceToken", {
  error: Schema.Literals(serviceTokenErrors),
  message: Schema.String
}) {}

/** What a token must be valid for. */
export interface ServiceTokenUse {
  /** The names of this service: its DID, and `did#service`. */
  readonly audiences: ReadonlyArray<string>
  /** The called method. */
  readonly lxm: string
  /** The only accepted issuers, as in `iss`; other tokens are rejected without looking up a key. */
  readonly issuers?: ReadonlyArray<string>
  /** The accepted keys of the issuer, by fragment; only `atproto` unless a labeler is expected. */
  readonly keyIds?: ReadonlyArray<string>
  /** Accepts a token several times, for uploads that a service repeats for its user. */
  readonly repeatable?: boolean
}

/** The issuer of a verified token. */
export interface ServiceCaller {
  /** The issuer's DID, without a fragment. */
  readonly iss: string
  /** The fragment of the signing key: `atproto`. */
  readonly keyId: string
  readonly aud: string
  readonly lxm: string
  readonly exp: number
}

/** The claims of a new token; times in seconds. */
export interface ServiceTokenClaims {
  readonly iss: string
  readonly aud: string
  readonly lxm?: string
  /** 60 seconds from now by default. */
  readonly exp?: number
}

/**
 * Service auth tokens: short-lived JWTs with which accounts and services authenticate to other
 * services.
 *
 * Spec: XRPC, inter-service authentication.
 */
export class ServiceTokens extends Context.Service<
  ServiceTokens,
  {
    /**
     * Verifies a token; nothing in it counts without a valid signature by the issuer's current key.
     */
    verify(
      token: string,
      use: ServiceTokenUse
    ): Effect.Effect<ServiceCaller, BadServiceToken | IdentityUnavailable | OAuthStoreUnavailable>
    create(signer: SignerShape, claims: ServiceTokenClaims): Effect.Effect<string>
    /** The same at a time in milliseconds: at once if the signature doesn't have to wait. */
    createSoon(signer: SignerShape, claims: ServiceTokenClaims, now: number): Soon<string, never>
  }
>()("nacre/services/ServiceTokens") {}

const refuse = (error: ServiceTokenFault["error"], message: string): BadServiceToken =>
  new BadServiceToken({ error, message })

/** How long after its expiration a token is still accepted, because clocks differ; milliseconds. */
const clockSkew = 60_000

/** How far in the future a single-use token may expire, in seconds: it is remembered until then. */
const longestLife = 24 * 60 * 60

/** When a used token may be forgotten, in milliseconds. */
const endOf = ({ claims }: ServiceJwt): number => claims.exp * 1000 + clockSkew

/** A unique key for a token, of limited length: its jti, or else a digest of its content. */
const replayKey = ({ did, claims: { jti }, signed }: ServiceJwt): string =>
  jti === undefined
    ? `${did} text ${toBase64Url(sha256(signed))}`
    : `${did} jti ${toBase64Url(sha256(jti))}`

/** A new token's text before its signature. */
const unsignedAt = (
  { curve }: Pick<SignerShape, "curve">,
  { iss, aud, lxm, exp }: ServiceTokenClaims,
  now: number
): string => {
  const iat = Math.floor(now / 1000)
  const jti = toBase64Url(crypto.getRandomValues(new Uint8Array(16)))
  return unsignedServiceJwt(curve, {
    iss,
    aud,
    iat,
    exp: exp ?? iat + 60,
    jti,
    ...(lxm === undefined ? {} : { lxm })
  })
}

const make = (
  identity: Identity["Service"],
  requests: OAuthRequests["Service"]
): ServiceTokens["Service"] => {
  const keyOf = (token: ServiceJwt, fresh: boolean) =>
    identity.signingKey(token.did, { id: token.keyId, fresh }).pipe(
      Effect.catchTags({
        DidNotFound: () => Effect.fail(refuse("BadJwtIss", "could not resolve jwt iss")),
        DidDeactivated: () => Effect.fail(refuse("BadJwtIss", "jwt iss is deactivated")),
        KeyNotFound: () => Effect.void
      })
    )

  /** Tries the cached key, then the current one, which may have just changed. */
  const checkSignature = Effect.fnUntraced(function* (token: ServiceJwt) {
    const known = yield* keyOf(token, false)
    if (known !== undefined && isSignedBy(token, known)) return
    const fresh = yield* keyOf(token, true)
    if (fresh !== undefined && fresh !== known && isSignedBy(token, fresh)) return
    return yield* refuse("BadJwtSignature", "jwt signature does not match jwt issuer")
  })

  /** Uses the token up in the host's database, so the whole server knows. */
  const isFirstUse = (token: ServiceJwt) =>
    useOnce("service", [replayKey(token)], endOf(token)).pipe(
      Effect.provideService(OAuthRequests, requests)
    )

  const create = spanned("ServiceTokens.create")(function* (
    signer: SignerShape,
    claims: ServiceTokenClaims
  ) {
    const unsigned = unsignedAt(signer, claims, yield* Clock.currentTimeMillis)
    const signature = yield* signer.sign(new TextEncoder().encode(unsigned))
    return signedServiceJwt(unsigned, signature)
  })

  return ServiceTokens.of({
    verify: spanned("ServiceTokens.verify")(function* (text, use) {
      const token = yield* Effect.mapError(
        Effect.fromResult(parseServiceJwt(text)),
        (fault) => new BadServiceToken(fault)
      )
      const now = (yield* Clock.currentTimeMillis) / 1000
      const fault = claimsFault(token, { audiences: use.audiences, lxm: use.lxm, now })
      if (fault !== undefined) return yield* new BadServiceToken(fault)
      if (use.issuers?.includes(token.claims.iss) === false) {
        return yield* refuse("UntrustedIss", "Untrusted issuer")
      }
      if (!(use.keyIds ?? ["atproto"]).includes(token.keyId)) {
        return yield* refuse("BadJwtIss", `key #${token.keyId} may not be used here`)
      }
      if (use.repeatable !== true && token.claims.exp > now + longestLife) {
        return yield* refuse("BadJwt", "jwt expires more than a day ahead")
      }
      yield* checkSignature(token)
      if (use.repeatable !== true && !(yield* isFirstUse(token))) {
        return yield* refuse("BadJwt", "jwt was used before")
      }
      const { aud, exp } = token.claims
      return { iss: token.did, keyId: token.keyId, aud, lxm: use.lxm, exp }
    }),
    create,
    createSoon: (signer, claims, now) => {
      const { signNow } = signer
      if (signNow === undefined) return create(signer, claims)
      const unsigned = unsignedAt(signer, claims, now)
      const signature = signNow(new TextEncoder().encode(unsigned))
      return Result.succeed(signedServiceJwt(unsigned, signature))
    }
  })
}

/** Verifies service auth with the issuers' DID documents. */
export const layer: Layer.Layer<ServiceTokens, never, Identity | OAuthRequests> = Layer.effect(
  ServiceTokens,
  Effect.gen(function* () {
    return make(yield* Identity, yield* OAuthRequests)
  })
)
