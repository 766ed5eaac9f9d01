import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { checkAssertion } from "../../core/oauth/clientAssertion.ts"
import type { Form } from "../../core/oauth/parameters.ts"
import type { Client, ClientAuth } from "../../core/oauth/types.ts"
import { Config } from "../host/Config.ts"
import { OAuthClients } from "./OAuthClients.ts"
import { ClientUnproven, RequestRefused } from "./failures.ts"
import { useOnce } from "./once.ts"
import { spanned } from "../operators/spanned.ts"

const jwtBearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/** The assertion in a form: required for a confidential client, forbidden for a public one. */
const assertionIn = Effect.fnUntraced(function* ({ id, authMethod }: Client, form: Form) {
  const assertion = form.get("client_assertion")
  const type = form.get("client_assertion_type")
  const unproven = (fault: ClientUnproven["fault"]) => new ClientUnproven({ clientId: id, fault })
  if (authMethod === "none") {
    if (assertion === undefined && type === undefined) return undefined
    return yield* unproven("assertion of a public client")
  }
  if (assertion === undefined) return yield* unproven("no assertion")
  if (type !== jwtBearer) return yield* unproven("unknown assertion type")
  return assertion
})

/** Checks an assertion with the client's keys; fetches them again for an unknown key. */
const checkByKeys = Effect.fnUntraced(function* (
  client: Client,
  assertion: string,
  dpopJkt: string | undefined
) {
  const { publicUrl: issuer } = yield* Config
  const clients = yield* OAuthClients
  const now = yield* Clock.currentTimeMillis
  const attempt = Effect.fnUntraced(function* (fresh: boolean) {
    const keys = yield* clients.keys(client, { fresh })
    return yield* Effect.promise(() =>
      checkAssertion(assertion, {
        clientId: client.id,
        issuer,
        keys,
        now,
        ...(client.authAlg === undefined ? {} : { alg: client.authAlg }),
        ...(dpopJkt === undefined ? {} : { dpopJkt })
      })
    )
  })
  const first = yield* attempt(false)
  return Result.isFailure(first) && first.failure.unknownKey === true ? yield* attempt(true) : first
})

/**
 * The authenticated client of a request: `none`, or `private_key_jwt`.
 *
 * `dpopJkt` is the thumbprint of the request's DPoP key, if it needs one. Spec: RFC 7523; the
 * atproto OAuth profile, confidential clients.
 */
export const authenticateClient = spanned("authenticateClient")(function* (
  form: Form,
  dpopJkt: string | undefined
) {
  const clientId = form.get("client_id")
  if (clientId === undefined) {
    return yield* new RequestRefused({ error: "invalid_request", reason: "client_id is missing" })
  }
  const client = yield* (yield* OAuthClients).get(clientId)
  const assertion = yield* assertionIn(client, form)
  if (assertion === undefined) return { client, clientAuth: { method: "none" } as ClientAuth }
  const checked = yield* checkByKeys(client, assertion, dpopJkt)
  if (Result.isFailure(checked)) {
    const { reason, unknownKey } = checked.failure
    const fault = unknownKey === true ? "unknown key" : "invalid assertion"
    return yield* new ClientUnproven({ clientId, fault, reason })
  }
  const { kid, alg, jkt, jti, expires } = checked.success
  if (jkt === dpopJkt) return yield* new ClientUnproven({ clientId, fault: "same key for DPoP" })
  if (!(yield* useOnce("assertion", [clientId, jti], expires))) {
    return yield* new ClientUnproven({ clientId, fault: "used assertion" })
  }
  const clientAuth: ClientAuth = { method: "private_key_jwt", alg, kid, jkt }
  return { client, clientAuth }
})

/** Whether a client authenticates as before: with the same method and the same key. */
export const isSameAuth = (before: ClientAuth, now: ClientAuth): boolean => {
  if (before.method === "none" || now.method === "none") return before.method === now.method
  return before.kid === now.kid && before.alg === now.alg && before.jkt === now.jkt
}
