import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as CodeOwnersD1 from "../../src/layers/mail/CodeOwnersD1.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import { CodeOwners } from "../../src/services/mail/CodeOwners.ts"
import { configLayer, otherConfigLayer } from "../sessions/accountServices.ts"
import { codeOwnersContract } from "./codeOwners.contract.ts"

codeOwnersContract("node:sqlite", () =>
  CodeOwnersD1.layer.pipe(Layer.provide([HostDatabaseNode.layer(":memory:"), configLayer]))
)

describe("the owner of a code", () => {
  it.effect("a code's owner is found only under its master key", () =>
    Effect.gen(function* () {
      const ownerUnder = (config: typeof configLayer) =>
        Effect.provide(CodeOwners, Layer.provide(Layer.fresh(CodeOwnersD1.layer), config))
      const owners = yield* ownerUnder(configLayer)
      yield* owners.put("AAAAA-BBBBB", { did: "did:plc:alice", expiresAt: 1 })
      assert.strictEqual(yield* owners.ownerOf("AAAAA-BBBBB"), "did:plc:alice")
      assert.isUndefined(yield* (yield* ownerUnder(otherConfigLayer)).ownerOf("AAAAA-BBBBB"))
    }).pipe(Effect.provide(HostDatabaseNode.layer(":memory:")))
  )
})
