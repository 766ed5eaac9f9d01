import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { buildAlone } from "./buildAlone.ts"

/** A service and its layer, which must build without waiting. */
interface Part<I, R> {
  readonly key: string
  readonly layer: Layer.Layer<I, never, R>
  /** The service in what its layer built. */
  from(built: Context.Context<I>): object
}

/** A service for `lazily`. */
export const part = <I, S extends object, R>(
  service: Context.Service<I, S>,
  layer: Layer.Layer<I, never, R>
): Part<I, R> => ({ key: service.key, layer, from: (built) => Context.get(built, service) })

type AnyPart = Part<never, unknown>

type Ids<P extends AnyPart> = P extends Part<infer I, infer _> ? I : never
type Needs<P extends AnyPart> = P extends Part<infer _, infer R> ? R : never

/** A service that its first use makes. */
class Later {
  readonly #make: () => object
  #made: object | undefined

  constructor(make: () => object) {
    this.#make = make
  }

  get service(): object {
    return (this.#made ??= this.#make())
  }
}

/** Every property of a stand-in comes from its service. */
const standIn: ProxyHandler<Later> = {
  get: ({ service }, name) => Reflect.get(service, name),
  has: ({ service }, name) => Reflect.has(service, name),
  ownKeys: ({ service }) => Reflect.ownKeys(service),
  getOwnPropertyDescriptor: ({ service }, name) => {
    const found = Reflect.getOwnPropertyDescriptor(service, name)
    // A proxy may only report what its own target lacks if it could be removed.
    return found && { ...found, configurable: true }
  }
}

/**
 * Services that their first use builds, from each other and those around them: an object wakes to
 * write or read far more often than for anything else.
 */
export const lazily = <P extends ReadonlyArray<AnyPart>>(
  ...parts: P
): Layer.Layer<Ids<P[number]>, never, Exclude<Needs<P[number]>, Ids<P[number]>>> =>
  Layer.fromBuild(() =>
    Effect.map(Effect.context<never>(), (given) => {
      // Effect's memory of the layers takes more than the services.
      const around = Context.omit(Layer.CurrentMemoMap)(given)
      const build = (one: AnyPart): object => {
        // SAFETY: the layer needs what is around, or other parts: see the type of the result.
        const services = Context.merge(around, standIns) as Context.Context<unknown>
        const alone = buildAlone(one.layer, Scope.makeUnsafe())
        return one.from(Effect.runSync(Effect.provideContext(alone, services)))
      }
      const standIns: Context.Context<Ids<P[number]>> = Context.makeUnsafe(
        new Map(parts.map((one) => [one.key, new Proxy(new Later(() => build(one)), standIn)]))
      )
      return standIns
    })
  )
