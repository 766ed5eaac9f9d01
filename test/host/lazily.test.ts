import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { lazily, part } from "../../src/layers/objects/lazily.ts"

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
      lazily(part(Rare, rare)).pipe(Layer.provide(Layer.succeed(Base, Base.of({ name: "Alice" }))))
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
  }).pipe(Effect.provide(lazily(part(Rare, rare))))
})

class Greeting extends Context.Service<Greeting, { readonly text: () => string }>()(
  "test/Greeting"
) {}

it.effect("lazy services are built from each other, in any order", () => {
  const greeting = Layer.effect(
    Greeting,
    Effect.map(Rare, ({ hello }) => Greeting.of({ text: () => `${hello()}!` }))
  )
  const rare = Layer.effect(
    Rare,
    Effect.map(Base, ({ name }) =>
      Rare.of({ count: 1, hello: () => `hello ${name}`, later: Effect.succeed("later") })
    )
  )
  const both = lazily(part(Greeting, greeting), part(Rare, rare))
  return Effect.gen(function* () {
    assert.strictEqual((yield* Greeting).text(), "hello Alice!")
    assert.strictEqual((yield* Rare).hello(), "hello Alice")
  }).pipe(Effect.provide(both.pipe(Layer.provide(Layer.succeed(Base, Base.of({ name: "Alice" }))))))
})

/** A lazy service, and the layers' memory that it was built with. */
const builtWithMemory = () => {
  const rare = { count: 7, hello: () => "hello", later: Effect.succeed("later") }
  const memory = Layer.makeMemoMapUnsafe()
  const built = Effect.runSync(
    Layer.buildWithMemoMap(
      lazily(part(Rare, Layer.succeed(Rare, rare))),
      memory,
      Scope.makeUnsafe()
    )
  )
  return { service: Context.get(built, Rare), memory: new WeakRef(memory) }
}

it("a lazy service doesn't hold Effect's memory of the layers around it", async () => {
  setFlagsFromString("--expose-gc")
  // SAFETY: the flag puts it into new contexts.
  const collect = runInNewContext("gc") as () => void
  const { service, memory } = builtWithMemory()
  await new Promise((done) => setImmediate(done))
  collect()
  assert.isUndefined(memory.deref())
  assert.strictEqual(service.count, 7)
})
