import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { convertV4MiniflareOptions, Miniflare } from "miniflare"
import * as DirectoryD1 from "../../src/layers/DirectoryD1.ts"
import * as DirectoryNode from "../../src/layers/DirectoryNode.ts"
import { Directory } from "../../src/services/Directory.ts"
import { directoryContract } from "./directory.suite.ts"

directoryContract("node:sqlite", () => DirectoryNode.layer(":memory:"))

describe("D1", () => {
  let miniflare: Miniflare
  let db: D1Database

  beforeAll(async () => {
    miniflare = new Miniflare(
      convertV4MiniflareOptions({
        modules: true,
        script: "export default { fetch: () => new Response() }",
        host: "127.0.0.1",
        port: 0,
        compatibilityDate: "2026-09-01",
        d1Databases: ["DIRECTORY"]
      })
    )
    db = await miniflare.getD1Database("DIRECTORY")
  })
  afterAll(() => miniflare.dispose())

  const emptied = Layer.effectDiscard(
    Effect.promise(() =>
      db.batch(
        ["accounts", "invites", "invite_uses"].map((table) =>
          db.prepare(`DROP TABLE IF EXISTS ${table}`)
        )
      )
    )
  )

  directoryContract("D1", () =>
    Layer.suspend(() => DirectoryD1.layer(db).pipe(Layer.provide(emptied)))
  )

  it.effect("says that the directory is unavailable, and asks again before it does", () =>
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
      // SAFETY: the client calls nothing but these.
      const layer = DirectoryD1.layer(failing as unknown as D1Database)
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
