import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as BlockStoreSqlite from "../../src/layers/BlockStoreSqlite.ts"
import * as SqlStorageNode from "../../src/layers/SqlStorageNode.ts"
import { isTid } from "../../src/repo/tid.ts"
import { Repo } from "../../src/services/Repo.ts"
import { repoServices } from "../support/repoWorld.ts"

const did = "did:plc:abcdefghijklmnopqrstuvwx"

const write = Effect.flatMap(Repo, (repo) =>
  repo.write([{ action: "create", collection: "com.example.note", record: {} }], {})
)

describe("A repo", () => {
  for (const drawn of [0, 0.5, 1 - 2 ** -53]) {
    it.effect(`makes revs and keys whatever chance gives its clock (${drawn})`, () =>
      Effect.gen(function* () {
        const { context } = yield* repoServices(
          did,
          BlockStoreSqlite.layer,
          SqlStorageNode.layer(":memory:")
        )
        const done = yield* Effect.provide(write, context)
        assert.isTrue(isTid(done.commit?.rev ?? ""))
        assert.isTrue(isTid(done.results[0]?.uri.split("/").at(-1) ?? ""))
      }).pipe(
        Effect.scoped,
        Effect.provideService(Random.Random, {
          nextIntUnsafe: () => 0,
          nextDoubleUnsafe: () => drawn
        })
      )
    )
  }
})
