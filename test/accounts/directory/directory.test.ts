import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DirectoryD1 from "../../../src/layers/accounts/DirectoryD1.ts"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import { Directory } from "../../../src/services/accounts/Directory.ts"
import { directoryContract } from "./directory.contract.ts"

directoryContract("node:sqlite", () =>
  DirectoryD1.layer.pipe(Layer.provide(HostDatabaseNode.layer(":memory:")))
)

describe("the directory's health", () => {
  it.effect("the health check queries the accounts rather than only the database", () =>
    Effect.gen(function* () {
      const { sql } = yield* HostDatabase
      const { ping } = yield* Directory
      yield* ping
      yield* sql`ALTER TABLE accounts RENAME COLUMN did TO damaged`
      const { operation } = yield* Effect.flip(ping)
      assert.strictEqual(operation, "ping")
    }).pipe(
      Effect.provide(DirectoryD1.layer.pipe(Layer.provideMerge(HostDatabaseNode.layer(":memory:"))))
    )
  )
})

describe("a failing D1", () => {
  it.effect("the directory retries before it reports that it is unavailable", () =>
    Effect.gen(function* () {
      let asked = 0
      const failing = {
        prepare: () => ({
          bind: () => ({
            all: () => {
              asked += 1
              return Promise.reject(new Error("D1_ERROR: network connection lost"))
            }
          })
        }),
        batch: () => Promise.reject(new Error("D1_ERROR: network connection lost"))
      }
      // SAFETY: the client calls only these.
      const layer = DirectoryD1.layer.pipe(
        Layer.provide(HostDatabaseD1.layer(failing as unknown as D1Database))
      )
      const [found, reserved] = yield* Directory.pipe(
        Effect.flatMap((directory) =>
          Effect.all([
            Effect.flip(directory.byHandle("alice.test")),
            Effect.flip(directory.reserve({ did: "did:plc:a", handle: "a.test" }))
          ])
        ),
        Effect.provide(layer)
      )
      assert.strictEqual(found._tag, "DirectoryUnavailable")
      assert.strictEqual(reserved._tag, "DirectoryUnavailable")
      assert.strictEqual(asked, 2)
    })
  )
})
