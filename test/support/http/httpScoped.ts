import * as Effect from "effect/Effect"
import { AppPasswords } from "../../../src/services/sessions/AppPasswords.ts"
import { OwnTokens } from "../../../src/services/sessions/OwnTokens.ts"
import { Sessions, type Tokens } from "../../../src/services/sessions/Sessions.ts"
import type { Host } from "./httpHost.ts"

/** A credential's name and scope. */
export interface Scoped {
  readonly name: string
  readonly scope: string
}

/** A session of a new app password with a scope, without a sign-in. */
export const scopedSession = (host: Host, did: string, of: Scoped): Promise<Tokens> =>
  host.inside(
    did,
    Effect.gen(function* () {
      yield* Effect.orDie((yield* AppPasswords).create(did, { ...of, privileged: false }))
      return yield* (yield* Sessions).open(did, { level: "scoped", appPassword: of.name })
    })
  )

/** A new access token. */
export const ownToken = (host: Host, did: string, of: Scoped, days = 30): Promise<string> =>
  host.inside(
    did,
    Effect.gen(function* () {
      const tokens = yield* OwnTokens
      const made = tokens.create(did, { ...of, expiresAt: host.now() + days * 86_400_000 })
      return (yield* Effect.orDie(made)).token
    })
  )
