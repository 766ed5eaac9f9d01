import { GrantEnded } from "../../../src/services/oauth/OAuthSessions.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import {
  InvalidRequest,
  PayloadTooLarge,
  UnsupportedEncoding
} from "../../../src/services/failures.ts"
import {
  type OAuthFailure,
  oauthError,
  oauthErrorResponse
} from "../../../src/http/oauth/errors.ts"
import { revoke } from "../../../src/http/oauth/revoke.ts"
import { makeRefreshToken } from "../../../src/core/oauth/refreshToken.ts"
import type { Client } from "../../../src/core/oauth/types.ts"
import { Accounts, AccountUnavailable } from "../../../src/services/accounts/Accounts.ts"
import { Config, type Settings } from "../../../src/services/host/Config.ts"
import { BadProof, DpopProofs } from "../../../src/services/oauth/DpopProofs.ts"
import { KnownAccounts } from "../../../src/services/accounts/KnownAccounts.ts"
import {
  Limiter,
  LimiterUnavailable,
  RateLimitExceeded
} from "../../../src/services/limits/Limiter.ts"
import {
  ClientRefused,
  ClientUnavailable,
  OAuthClients
} from "../../../src/services/oauth/OAuthClients.ts"
import { OAuthRequests, OAuthStoreUnavailable } from "../../../src/services/oauth/OAuthRequests.ts"
import { PermissionSetNotFound } from "../../../src/services/oauth/PermissionSets.ts"
import {
  ClientUnproven,
  GrantRefused,
  RequestRefused
} from "../../../src/services/oauth/failures.ts"

const inside = "something of the inside"

const cases: ReadonlyArray<readonly [OAuthFailure, string]> = [
  [new BadProof({ error: "use_dpop_nonce", reason: "too old" }), "400 use_dpop_nonce"],
  [new BadProof({ error: "invalid_dpop_proof", reason: "htm" }), "401 invalid_dpop_proof"],
  [
    new ClientRefused({ clientId: "x", error: "invalid_client_metadata", reason: "no scope" }),
    "400 invalid_client_metadata"
  ],
  [new ClientUnavailable({ clientId: "x", reason: inside }), "503 temporarily_unavailable"],
  [new ClientUnproven({ clientId: "x", fault: "no assertion" }), "400 invalid_client"],
  [new GrantRefused({ fault: "used code" }), "400 invalid_grant"],
  [new RequestRefused({ error: "invalid_scope", reason: "no atproto" }), "400 invalid_scope"],
  [new PermissionSetNotFound({ nsid: "com.example.set", reason: inside }), "400 invalid_scope"],
  [new GrantEnded({ reason: "ended" }), "400 invalid_grant"],
  [new AccountUnavailable({ operation: inside, did: inside }), "503 temporarily_unavailable"],
  [
    new OAuthStoreUnavailable({ operation: "push", cause: new Error(inside) }),
    "503 temporarily_unavailable"
  ],
  [new LimiterUnavailable({ cause: new Error(inside) }), "503 temporarily_unavailable"],
  [
    new RateLimitExceeded({ limit: 1, windowSeconds: 300, remaining: 0, resetAt: 0 }),
    "429 temporarily_unavailable"
  ],
  [new InvalidRequest({ message: "no form" }), "400 invalid_request"],
  [new PayloadTooLarge({ limit: 1 }), "413 invalid_request"],
  [new UnsupportedEncoding({ encoding: "zip" }), "415 invalid_request"]
]

describe("errors of the OAuth endpoints", () => {
  it("each failure has one status and one name, and reveals nothing internal", async () => {
    for (const [failure, expected] of cases) {
      const response = oauthErrorResponse(oauthError(failure))
      const text = await response.text()
      assert.strictEqual(`${response.status} ${JSON.parse(text)["error"]}`, expected, failure._tag)
      assert.notInclude(text, inside)
      assert.isNotEmpty(JSON.parse(text)["error_description"])
    }
  })

  it("the log gets what the client doesn't", () => {
    for (const [failure, expected] of cases) {
      if (!expected.startsWith("503")) continue
      assert.isDefined(oauthError(failure).reason, failure._tag)
    }
  })
})

const client: Client = {
  id: "http://localhost",
  kind: "loopback",
  applicationType: "native",
  redirectUris: ["http://127.0.0.1/"],
  scope: "atproto",
  grantTypes: ["authorization_code"],
  authMethod: "none"
}

/** Revokes a token of an account whose object returns this failure. */
const revokeWhile = (failure: AccountUnavailable | GrantRefused) => {
  const token = makeRefreshToken({ did: "did:web:alice.test", session: "x" }, new Uint8Array(32))
  const request = new Request("https://pds.example.com/oauth/revoke", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ client_id: client.id, token })
  })
  const unused = Effect.die("not asked for")
  return revoke(request).pipe(
    // SAFETY: without limits, an endpoint reads only these settings.
    Effect.provideService(Config, {
      rateLimits: "off",
      rateLimitBypassKey: Redacted.make("x"),
      publicUrl: "https://pds.example.com"
    } as unknown as Settings),
    Effect.provideService(Accounts, {
      forward: () => unused,
      // SAFETY: this test's object fails on every call.
      call: (() => Effect.fail(failure)) as unknown as Accounts["Service"]["call"]
    }),
    Effect.provideService(KnownAccounts, {
      remembers: () => false,
      look: () => Effect.succeed({ isHere: true, wasAsked: false }),
      forget: () => Effect.void
    }),
    Effect.provideService(OAuthClients, {
      get: () => Effect.succeed(client),
      keys: () => unused
    }),
    Effect.provideService(DpopProofs, { check: () => unused, nonce: () => "a nonce" }),
    Effect.provideService(Limiter, { take: () => unused }),
    Effect.provideService(OAuthRequests, {
      push: () => unused,
      open: () => unused,
      take: () => unused,
      createCode: () => unused,
      redeem: () => unused,
      useOnce: () => unused
    }),
    Effect.map(({ status }) => status)
  )
}

describe("revocation", () => {
  it.effect(
    "revocation reports a failure to revoke, and succeeds if there was nothing to revoke",
    () =>
      Effect.gen(function* () {
        const away = new AccountUnavailable({ operation: "revokeOAuth", did: client.id })
        assert.strictEqual(yield* revokeWhile(away), 503)
        const over = new GrantRefused({ fault: "unknown refresh token" })
        assert.strictEqual(yield* revokeWhile(over), 200)
      })
  )
})
