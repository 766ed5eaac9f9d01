import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { makeDidDocument } from "../../src/core/identity/didDocument.ts"
import { type Curve, generatePrivateKey } from "../../src/core/identity/didKey.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as OAuthRequestsD1 from "../../src/layers/oauth/OAuthRequestsD1.ts"
import * as IdentityMemory from "../support/network/IdentityMemory.ts"
import * as SignerKeys from "../../src/layers/identity/SignerKeys.ts"
import type { OAuthRequests } from "../../src/services/oauth/OAuthRequests.ts"
import * as ServiceTokens from "../../src/services/sessions/ServiceTokens.ts"

export const alice = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
export const host = "did:web:pds.example.com"
export const lxm = "com.atproto.server.createAccount"
export const use: ServiceTokens.ServiceTokenUse = { audiences: [host, `${host}#atproto_pds`], lxm }
export const claims = { iss: alice, aud: host, lxm }

export const signerOf = (curve: Curve) => {
  const secret = generatePrivateKey(curve)
  return { secret, signer: SignerKeys.fromPrivateKey(curve, Redacted.make(secret)) }
}

export const aliceKey = signerOf("k256")
export const labelKey = signerOf("p256")

/** Used tokens, in a new database. */
export const usedOnce = OAuthRequestsD1.layer.pipe(
  Layer.provide(HostDatabaseNode.layer(":memory:"))
)

/** Tokens in a world where Alice has these keys, by default her usual one. */
export const knowing = (keys?: Readonly<Record<string, string>>) => tokensOver(usedOnce, keys)

/** The same, with a given store of used tokens. */
export const tokensOver = (
  used: Layer.Layer<OAuthRequests>,
  keys?: Readonly<Record<string, string>>
) =>
  ServiceTokens.layer.pipe(
    Layer.provide(used),
    Layer.provide(
      Layer.unwrap(
        Effect.gen(function* () {
          const atproto = (yield* aliceKey.signer).didKey
          const atproto_label = (yield* labelKey.signer).didKey
          return IdentityMemory.layer({
            documents: [
              makeDidDocument({
                did: alice,
                alsoKnownAs: [],
                keys: keys ?? { atproto, atproto_label }
              })
            ],
            handles: {}
          })
        })
      )
    )
  )

export const verify = (token: string, change: Partial<ServiceTokens.ServiceTokenUse> = {}) =>
  Effect.flatMap(ServiceTokens.ServiceTokens, (tokens) =>
    tokens.verify(token, { ...use, ...change })
  )

export const create = (change: Partial<ServiceTokens.ServiceTokenClaims> = {}) =>
  Effect.gen(function* () {
    const tokens = yield* ServiceTokens.ServiceTokens
    return yield* tokens.create(yield* aliceKey.signer, { ...claims, ...change })
  })

/** A token with this header and these claims, signed by Alice. */
export const forge = (header: object, payload: object, key = aliceKey) =>
  Effect.gen(function* () {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url")
    const unsigned = `${part(header)}.${part(payload)}`
    const signature = yield* (yield* key.signer).sign(new TextEncoder().encode(unsigned))
    return `${unsigned}.${Buffer.from(signature).toString("base64url")}`
  })

export const good = { iss: alice, aud: host, lxm, iat: 0, exp: 60, jti: "1" }
export const es256k = { typ: "JWT", alg: "ES256K" }

export const refusal = (effect: ReturnType<typeof verify>) =>
  Effect.map(Effect.flip(effect), (error) =>
    error._tag === "BadServiceToken" ? error.error : error._tag
  )
