import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { CrawlAnswer } from "../../services/stream/Relays.ts"
import {
  type Subscribers,
  type HostedRepo,
  type HostNote,
  type OutboxEvent,
  Sequencer,
  type SequencerStatus,
  SequencerUnavailable
} from "../../services/stream/Sequencer.ts"

/** The calls of the Worker and the account objects to the Sequencer object. */
export interface SequencerStub {
  fetch(request: Request): Promise<Response>
  append(did: string, events: ReadonlyArray<OutboxEvent>): Promise<number>
  listRepos(page: {
    readonly cursor?: string
    readonly limit: number
  }): Promise<{ readonly repos: ReadonlyArray<HostedRepo>; readonly cursor?: string }>
  listReposByCollection(page: {
    readonly collection: string
    readonly cursor?: string
    readonly limit: number
  }): Promise<{ readonly dids: ReadonlyArray<string>; readonly cursor?: string }>
  status(): Promise<SequencerStatus>
  subscribers(seqs: ReadonlyArray<number>): Promise<Subscribers>
  disconnect(id: string): Promise<boolean>
  askRelay(relay: string): Promise<CrawlAnswer | undefined>
  note(name: HostNote): Promise<string | undefined>
  setNote(name: HostNote, text: string | undefined): Promise<void>
}

/** An object that moves or restarts is back soon; an overloaded one must not be called again. */
const again = {
  times: 2,
  schedule: Schedule.exponential("50 millis"),
  while: ({ cause }: SequencerUnavailable) =>
    !(cause instanceof Error && "overloaded" in cause && cause.overloaded === true)
}

/**
 * The Sequencer in its Durable Object, called through a stub.
 *
 * A stub that failed stays broken, so each attempt gets a new one. Retries are safe because the log
 * takes each id once.
 */
export const layer = (stub: () => SequencerStub): Layer.Layer<Sequencer> =>
  Layer.effect(
    Sequencer,
    Effect.map(Effect.context<never>(), (services) => make(stub, services))
  )

const make = (stub: () => SequencerStub, services: Context.Context<never>) => {
  const call = <A>(
    operation: string,
    body: (stub: SequencerStub) => Promise<A>,
    made?: Promise<A>
  ) => {
    let first = made
    return Effect.tryPromise({
      try: () => {
        const attempt = first ?? body(stub())
        first = undefined
        return attempt
      },
      catch: (cause) => new SequencerUnavailable({ operation, cause })
    }).pipe(Effect.retry(again))
  }

  /** Calls without a fiber; a failure counts as the first attempt of one. */
  const callNow = <A>(operation: string, body: (stub: SequencerStub) => Promise<A>) => {
    const made = new Promise<A>((done) => done(body(stub())))
    return made.catch(() => Effect.runPromiseWith(services)(call(operation, body, made)))
  }

  return Sequencer.of({
    append: (did, events) => call("append", (object) => object.append(did, events)),
    appendNow: (did, events) => callNow("append", (object) => object.append(did, events)),
    subscribe: (request) => call("subscribe", (object) => object.fetch(request)),
    listRepos: (page) => call("listRepos", (object) => object.listRepos(page)),
    listReposByCollection: (page) =>
      call("listReposByCollection", (object) => object.listReposByCollection(page)),
    status: call("status", (object) => object.status()),
    subscribers: (seqs) => call("subscribers", (object) => object.subscribers(seqs)),
    disconnect: (id) => call("disconnect", (object) => object.disconnect(id)),
    askRelay: (relay) => call("askRelay", (object) => object.askRelay(relay)),
    note: (name) => call("note", (object) => object.note(name)),
    setNote: (name, text) => call("setNote", (object) => object.setNote(name, text))
  })
}
