import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { originOf } from "../../core/identity/address.ts"
import { Config } from "../../services/host/Config.ts"
import { HandleClaims } from "../../services/identity/HandleClaims.ts"
import { Outgoing } from "../../services/host/Outgoing.ts"
import { askDnsForDid } from "./dnsDid.ts"
import { askHostForDid } from "./handleLookup.ts"

/** Looks up the claims of handles by DNS over HTTPS and on their own web servers. */
export const layer: Layer.Layer<HandleClaims, never, Config | Outgoing> = Layer.effect(
  HandleClaims,
  Effect.gen(function* () {
    const { devAllowHosts: allowHosts, dohUrl } = yield* Config
    const outgoing = yield* Outgoing
    return HandleClaims.of({
      look: Effect.fn("HandleClaims.look")((handle) =>
        Effect.all(
          {
            dns: askDnsForDid(outgoing, dohUrl, `_atproto.${handle}`),
            file: askHostForDid(outgoing, originOf(handle, allowHosts))
          },
          { concurrency: 2 }
        )
      )
    })
  })
)
