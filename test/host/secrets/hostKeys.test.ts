import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ConfigEnv from "../../../src/layers/host/ConfigEnv.ts"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as HostKeysD1 from "../../../src/layers/host/HostKeysD1.ts"
import { HostKeys } from "../../../src/services/host/HostKeys.ts"
import { env } from "../world.ts"

const otherMaster = Buffer.alloc(32, 99).toString("base64url")
const otherRotation = "43".repeat(32)

/** The variables that a server reports when it starts over the same database. */
const problemsWith = (changed: object) =>
  Effect.gen(function* () {
    const { problems } = yield* HostKeys
    return (yield* problems).map(({ variable }) => variable)
  }).pipe(
    Effect.provide(
      HostKeysD1.layer.pipe(
        Layer.provide(Layer.orDie(ConfigEnv.layer({ ...env, ...changed, LOG_LEVEL: "none" })))
      )
    )
  )

const over = <A>(test: Effect.Effect<A, unknown, HostDatabase>) =>
  Effect.provide(test, HostDatabaseNode.layer(":memory:"))

describe("a server's keys", () => {
  it.effect("the first start stores the keys' fingerprints, and the next recognizes them", () =>
    over(
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* problemsWith({}), [])
        assert.deepStrictEqual(yield* problemsWith({}), [])
        assert.deepStrictEqual(yield* problemsWith({ ADMIN_PASSWORD: "another password 1" }), [])
      })
    )
  )

  it.effect("keys other than the data's are reported", () =>
    over(
      Effect.gen(function* () {
        yield* problemsWith({})
        const [MASTER_KEY, PLC_ROTATION_KEY] = [otherMaster, otherRotation]
        assert.deepStrictEqual(yield* problemsWith({ MASTER_KEY }), ["MASTER_KEY"])
        assert.deepStrictEqual(yield* problemsWith({ PLC_ROTATION_KEY }), ["PLC_ROTATION_KEY"])
        const both = yield* problemsWith({ MASTER_KEY, PLC_ROTATION_KEY })
        assert.sameMembers(both, ["MASTER_KEY", "PLC_ROTATION_KEY"])
        assert.deepStrictEqual(yield* problemsWith({}), [])
      })
    )
  )

  it.effect("the database contains nothing of the keys", () =>
    over(
      Effect.gen(function* () {
        yield* problemsWith({})
        const { sql } = yield* HostDatabase
        const text = JSON.stringify(yield* sql`SELECT * FROM host_key`)
        const { MASTER_KEY, PLC_ROTATION_KEY } = env
        assert.notInclude(text, MASTER_KEY)
        assert.notInclude(text, PLC_ROTATION_KEY)
        assert.include(text, "did:key:z")
      })
    )
  )

  it.effect("keys are compared again after the database was unavailable", () =>
    over(
      Effect.gen(function* () {
        yield* problemsWith({})
        const database = yield* HostDatabase
        let isDown = true
        const faulty = HostDatabase.of({
          ...database,
          sql: new Proxy(database.sql, {
            apply: (target, self, statement) => {
              if (isDown) throw new Error("down")
              return Reflect.apply(target, self, statement)
            }
          })
        })
        const found = Effect.gen(function* () {
          const { problems } = yield* HostKeys
          const during = yield* problems
          isDown = false
          return [during.length, (yield* problems).length]
        }).pipe(
          Effect.provide(HostKeysD1.layer),
          Effect.provideService(HostDatabase, faulty),
          Effect.provide(
            Layer.orDie(ConfigEnv.layer({ ...env, MASTER_KEY: otherMaster, LOG_LEVEL: "none" }))
          )
        )
        assert.deepStrictEqual(yield* found, [0, 1])
      })
    )
  )
})
