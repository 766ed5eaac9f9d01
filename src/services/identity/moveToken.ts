import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { noter } from "../accounts/AccountHistory.ts"
import { AccountStore } from "../accounts/AccountStore.ts"
import * as Soon from "../host/Soon.ts"
import { issueServiceToken, type ServiceTokenRequest } from "../sessions/ServiceAuth.ts"

/** How long a token for a new server is valid, in seconds. */
const life = 3600

/** A token with which the server named by `aud` may create this account, for an hour. */
export const createMoveToken = Effect.fn("createMoveToken")(function* ({
  aud
}: {
  readonly aud: string
}) {
  const { did } = yield* (yield* AccountStore).get
  const note = yield* noter
  const now = yield* Clock.currentTimeMillis
  const request: ServiceTokenRequest = {
    did,
    holder: "full",
    aud,
    lxm: "com.atproto.server.createAccount",
    exp: Math.floor(now / 1000) + life
  }
  const token = yield* Soon.within((services: Parameters<typeof issueServiceToken>[1]) =>
    issueServiceToken(request, services)
  )
  note({ kind: "move-token", subject: aud.replace("did:web:", "").replace("%3A", ":") })
  return token
})
