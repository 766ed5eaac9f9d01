import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Failure, failures, wireError } from "../../src/http/errors.ts"
import { AccountTakenDown, RepoInactive } from "../../src/services/accounts/AccountStore.ts"
import { DirectoryUnavailable } from "../../src/services/accounts/Directory.ts"
import { BlobQuotaExceeded } from "../../src/services/blobs/BlobIndex.ts"
import { TooManyCodes } from "../../src/services/factors/SecondFactors.ts"
import { RateLimitExceeded } from "../../src/services/limits/Limiter.ts"
import { GrantEnded } from "../../src/services/oauth/OAuthSessions.ts"
import { Denied, OAuthDenied } from "../../src/services/sessions/Auth.ts"

const did = "did:plc:border"

const samples: ReadonlyArray<Failure> = [
  new AccountTakenDown(),
  new RepoInactive({ did, status: "suspended" }),
  new BlobQuotaExceeded({ used: 3, quota: 2 }),
  new TooManyCodes({ retryAfterSeconds: 12 }),
  new RateLimitExceeded({ limit: 1, windowSeconds: 300, remaining: 0, resetAt: 5 }),
  new RateLimitExceeded({ limit: 1, windowSeconds: 3, remaining: 0, resetAt: 5, retryAfter: 2 }),
  new GrantEnded({ reason: "replayed" }),
  new Denied({ error: "ScopeMissingError", message: "no", scope: "transition:generic" }),
  new OAuthDenied({ error: "use_dpop_nonce", message: "newer", nonce: "a nonce" }),
  new DirectoryUnavailable({ operation: "reserve", cause: new Error("D1_ERROR: down") })
]

/** Sends a failure across an object's border, as the platform copies it. */
const crossed = (failure: Failure) =>
  Effect.map(failures.encode(failure), (encoded) =>
    failures.decode(structuredClone(JSON.parse(JSON.stringify(encoded))))
  )

describe("a failure that leaves an account's object", () => {
  for (const sample of samples) {
    it.effect(`${sample._tag} arrives at the Worker with its own type`, () =>
      Effect.gen(function* () {
        const arrived = Option.getOrThrow(yield* crossed(sample))
        assert.strictEqual(arrived.constructor, sample.constructor)
        assert.deepStrictEqual(wireError(arrived), wireError(sample))
      })
    )
  }

  it("a failure with an unknown tag is not mistaken for another", () => {
    assert.isTrue(Option.isNone(failures.decode({ _tag: "OfTomorrow", did })))
    assert.isTrue(Option.isNone(failures.decode({ _tag: "RepoInactive", did, status: "gone" })))
    assert.isTrue(Option.isNone(failures.decode(undefined)))
  })
})
