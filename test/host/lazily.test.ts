import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { lazily } from "../../src/layers/objects/lazily.ts"

class Base extends Context.Service<Base, { readonly name: string }>()("test/Base") {}

class Rare extends Context.Service<
  Rare,
  { readonly count: number; readonly hello: () => string; readonly later: Effect.Effect<string> }
>()("test/Rare") {}

it.effect("a lazy service is built by its first use, once, from the services around it", () => {
  let built = 0
  const rare = Layer.effect(
    Rare,
    Effect.map(Base, ({ name }) => {
      built += 1
      return Rare.of({
        get count() {
          return built
        },
        hello: () => `hello ${name}`,
        later: Effect.succeed(`later ${name}`)
      })
    })
  )
  return Effect.gen(function* () {
    const service = yield* Rare
    assert.strictEqual(built, 0)
    assert.strictEqual(service.hello(), "hello Alice")
    assert.strictEqual(yield* service.later, "later Alice")
    assert.deepStrictEqual([service.count, built], [1, 1])
  }).pipe(
    Effect.provide(
      lazily(Rare, rare).pipe(Layer.provide(Layer.succeed(Base, Base.of({ name: "Alice" }))))
    )
  )
})

it.effect("a lazy service can be spread and asked for its parts like the service itself", () => {
  const rare = Layer.succeed(
    Rare,
    Rare.of({ count: 7, hello: () => "hello", later: Effect.succeed("later") })
  )
  return Effect.gen(function* () {
    const service = yield* Rare
    assert.deepStrictEqual(Object.keys(service), ["count", "hello", "later"])
    assert.deepStrictEqual(["hello" in service, "goodbye" in service], [true, false])
    const copy = { ...service, count: 8 }
    assert.deepStrictEqual([copy.count, copy.hello(), yield* copy.later], [8, "hello", "later"])
  }).pipe(Effect.provide(lazily(Rare, rare)))
})
