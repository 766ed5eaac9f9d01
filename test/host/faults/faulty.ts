import type { CallInput } from "../../../src/services/accounts/AccountCalls.ts"
import { failures } from "../../../src/http/errors.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AccountStub } from "../../../src/layers/objects/AccountsObject.ts"
import * as BlobStoreMemory from "../../../src/layers/blobs/BlobStoreMemory.ts"
import * as SequencerObject from "../../../src/layers/stream/SequencerObject.ts"
import type { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { type BlobStore, BlobStoreUnavailable } from "../../../src/services/blobs/BlobStore.ts"
import { type Directory, DirectoryUnavailable } from "../../../src/services/accounts/Directory.ts"
import { Sequencer } from "../../../src/services/stream/Sequencer.ts"

/** How a dependency fails: the call never arrived, its response was lost, or it hangs. */
export type Fault = "before" | "after" | "hangs"

/** The current faults, which tests set and clear. */
export interface Faults {
  /** The log; `dies` is a defect of our own before it. */
  log: Fault | "dies" | undefined
  /** The directory, or some of its operations by name. */
  directory: Fault | undefined
  directoryOnly: string | undefined
  /** The blob store; `during` breaks off in the middle of the bytes. */
  blobs: Fault | "during" | undefined
  /** The accounts' objects, or one of their internal methods by name. */
  objects: Fault | undefined
  objectsOnly: string | undefined
}

/** No faults. */
export const noFaults = (): Faults => ({
  log: undefined,
  directory: undefined,
  directoryOnly: undefined,
  blobs: undefined,
  objects: undefined,
  objectsOnly: undefined
})

const broken = () => new Error("broken by the test")

/** Runs a call with a possible fault. */
const through = async <A>(fault: Fault | undefined, run: () => Promise<A>): Promise<A> => {
  if (fault === "hangs") return new Promise(() => {})
  if (fault === "before") throw broken()
  const answer = await run()
  if (fault === "after") throw broken()
  return answer
}

/** The log's client, whose object may fail. */
export const faultyLog = (
  working: Sequencer["Service"],
  faults: Faults
): Layer.Layer<Sequencer> => {
  const run = <A>(effect: Effect.Effect<A, unknown>) =>
    through(faults.log === "dies" ? undefined : faults.log, () => Effect.runPromise(effect))
  const stub: SequencerObject.SequencerStub = {
    fetch: (request) => run(working.subscribe(request)),
    append: (did, events) => run(working.append(did, events)),
    listRepos: (page) => run(working.listRepos(page)),
    listReposByCollection: (page) => run(working.listReposByCollection(page)),
    status: () => run(working.status),
    subscribers: (seqs) => run(working.subscribers(seqs)),
    disconnect: (id) => run(working.disconnect(id)),
    askRelay: (relay) => run(working.askRelay(relay)),
    note: (name) => run(working.note(name)),
    setNote: (name, text) => run(working.setNote(name, text))
  }
  return Layer.effect(
    Sequencer,
    Effect.map(Sequencer, (client) =>
      Sequencer.of({
        ...client,
        append: (did, events) =>
          Effect.suspend(() =>
            faults.log === "dies" ? Effect.die(broken()) : client.append(did, events)
          ),
        appendNow: (did, events) =>
          faults.log === "dies" ? Promise.reject(broken()) : client.appendNow!(did, events)
      })
    )
  ).pipe(Layer.provide(SequencerObject.layer(() => stub)))
}

/** The directory, whose operations may fail. */
export const faultyDirectory = (
  working: Directory["Service"],
  faults: Faults
): Directory["Service"] => {
  const guard = <A, E>(operation: string, effect: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E | DirectoryUnavailable> => {
      const { directory: fault, directoryOnly: only } = faults
      const failure = new DirectoryUnavailable({ operation, cause: broken() })
      if (fault === undefined || (only !== undefined && only !== operation)) return effect
      if (fault === "hangs") return Effect.never
      return fault === "before" ? failure : Effect.andThen(effect, failure)
    })
  return new Proxy(working, {
    get: (target, name, receiver) => {
      const member: unknown = Reflect.get(target, name, receiver)
      const operation = String(name)
      if (Effect.isEffect(member)) return guard(operation, member as Effect.Effect<unknown>)
      if (typeof member !== "function") return member
      return (...input: Array<unknown>) => guard(operation, member.apply(target, input))
    }
  })
}

/** A body that breaks off after its first bytes. */
const breakingOff = (body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> => {
  const reader = body.getReader()
  let begun = false
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      if (begun) return controller.error(broken())
      begun = true
      const { value } = await reader.read()
      if (value !== undefined) controller.enqueue(value.slice(0, 3))
    }
  })
}

/** A blob store over a map, whose operations may fail. */
export const faultyBlobs = (
  stored: Map<string, Uint8Array>,
  faults: Faults
): BlobStore["Service"] => {
  const working = BlobStoreMemory.make(stored)
  const guard = <A, E>(operation: string, effect: Effect.Effect<A, E>) =>
    Effect.suspend((): Effect.Effect<A, E | BlobStoreUnavailable> => {
      const failure = new BlobStoreUnavailable({ operation, cause: broken() })
      if (faults.blobs === "hangs") return Effect.never
      if (faults.blobs === "before") return failure
      return faults.blobs === "after" ? Effect.andThen(effect, failure) : effect
    })
  return {
    put: (key, body, options) =>
      Effect.suspend(() => {
        if (faults.blobs !== "during") return guard("put", working.put(key, body, options))
        const failure = new BlobStoreUnavailable({ operation: "put", cause: broken() })
        const reader = body.getReader()
        return Effect.andThen(
          Effect.promise(() => reader.read()),
          failure
        )
      }),
    get: (key, range) =>
      guard("get", working.get(key, range)).pipe(
        Effect.map((found) =>
          found !== undefined && faults.blobs === "during"
            ? { ...found, body: breakingOff(found.body) }
            : found
        )
      ),
    delete: (keys) => guard("delete", working.delete(keys)),
    head: (key) => guard("head", working.head(key))
  }
}

/** The accounts' objects as stubs, whose calls may fail. */
export const stubOf = (working: Accounts["Service"], faults: Faults, clock: Clock.Clock) => {
  const run = <A>(method: string, effect: Effect.Effect<A>) => {
    const { objects: fault, objectsOnly: only } = faults
    return through(only === undefined || only === method ? fault : undefined, () =>
      Effect.runPromise(Effect.provideService(effect, Clock.Clock, clock))
    )
  }
  return (did: string): AccountStub => ({
    fetch: (request, init) =>
      run("fetch", Effect.orDie(working.forward(did, new Request(request, init)))),
    call: (method, ...input) =>
      run(
        method,
        // SAFETY: the client passes this method's own input.
        Effect.matchEffect(working.call(did, method, ...(input as CallInput<typeof method>)), {
          onSuccess: (output) => Effect.succeed({ output }),
          onFailure: (failure) =>
            Effect.map(failures.encode(failure), (encoded) => ({ failure: encoded }))
        })
      )
  })
}
