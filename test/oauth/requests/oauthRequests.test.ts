import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as OAuthRequestsD1 from "../../../src/layers/oauth/OAuthRequestsD1.ts"
import { OAuthRequests } from "../../../src/services/oauth/OAuthRequests.ts"
import { oauthRequestsContract } from "./oauthRequests.contract.ts"

oauthRequestsContract("node:sqlite", () =>
  OAuthRequestsD1.layer.pipe(Layer.provideMerge(HostDatabaseNode.layer(":memory:")))
)

describe("a D1 that doesn't respond", () => {
  it.effect("repeatable queries are retried once, and single-use ones never", () =>
    Effect.gen(function* () {
      let asked = 0
      const fail = () => {
        asked += 1
        return Promise.reject(new Error("D1_ERROR: network connection lost"))
      }
      const failing = { prepare: () => ({ bind: () => ({ all: fail }) }), batch: fail }
      // SAFETY: the client calls only these.
      const database = HostDatabaseD1.layer(failing as unknown as D1Database)
      const asking = <A, E>(ask: (requests: OAuthRequests["Service"]) => Effect.Effect<A, E>) =>
        Effect.gen(function* () {
          asked = 0
          return [yield* Effect.flip(ask(yield* OAuthRequests)), asked] as const
        })
      const tries = yield* Effect.all([
        asking((requests) => requests.open("urn", "device")),
        asking((requests) => requests.take("urn", "device")),
        asking((requests) => requests.redeem("code")),
        asking((requests) => requests.useOnce("key", 1))
      ]).pipe(Effect.provide(OAuthRequestsD1.layer.pipe(Layer.provide(database))))
      assert.deepStrictEqual(
        tries.map(([error, times]) => [error._tag, error.operation, times]),
        [
          ["OAuthStoreUnavailable", "open", 2],
          ["OAuthStoreUnavailable", "take", 1],
          ["OAuthStoreUnavailable", "redeem", 1],
          ["OAuthStoreUnavailable", "useOnce", 1]
        ]
      )
    })
  )
})
