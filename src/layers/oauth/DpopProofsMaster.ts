import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { checkProof, type ProofFault } from "../../core/oauth/dpop.ts"
import { dpopNonces } from "../../core/oauth/nonce.ts"
import { Config } from "../../services/host/Config.ts"
import { hkdf, masterKeysOf } from "../../services/host/derivedSecrets.ts"
import { BadProof, DpopProofs } from "../../services/oauth/DpopProofs.ts"

/** The path of a request's URL, with or without an origin. */
const pathOf = (url: string): string =>
  url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "")

const badProof = (fault: ProofFault) => new BadProof(fault)

/**
 * Checks proofs against the public URL, whatever host the request named; derives nonces from the
 * master key.
 */
export const layer: Layer.Layer<DpopProofs, never, Config> = Layer.effect(
  DpopProofs,
  Effect.gen(function* () {
    const config = yield* Config
    const { publicUrl } = config
    const nonces = dpopNonces(hkdf(config.masterKey, "dpop nonces"))
    const known = masterKeysOf(config).map((key) => dpopNonces(hkdf(key, "dpop nonces")))

    return DpopProofs.of({
      check: ({ proof, method, url, accessToken }, now) => {
        const demands = {
          htm: method,
          htu: publicUrl + pathOf(url),
          now,
          isNonce: (nonce: string) => known.some(({ isRecent }) => isRecent(nonce, now)),
          ...(accessToken === undefined ? {} : { accessToken })
        }
        const checked = checkProof(proof, demands)
        return Result.isResult(checked)
          ? Result.mapError(checked, badProof)
          : Effect.mapError(Effect.flatMap(Effect.promise(checked), Effect.fromResult), badProof)
      },
      nonce: nonces.current
    })
  })
)
