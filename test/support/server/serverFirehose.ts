import { IdResolver, MemoryCache } from "@atproto/identity"
import { type Event, Firehose } from "@atproto/sync"
import { type TestServer, until } from "./server.ts"

/** The official consumer: every commit is verified against the key in the account's DID document. */
export interface Consumer {
  /** What it was handed of a DID, in order. */
  of(did: string): ReadonlyArray<Event>
  /** Waits until so many events of a DID have come. */
  received(did: string, count: number): Promise<void>
  /** What it could not parse, validate or verify. */
  readonly errors: ReadonlyArray<Error>
  /** The number of the last event that it handled. */
  cursor(): number | undefined
  stop(): Promise<void>
}

/** Starts the official consumer; after a lost connection it goes on from its cursor by itself. */
export const openFirehose = (server: TestServer, from?: number): Consumer => {
  const events: Array<Event> = []
  const errors: Array<Error> = []
  let cursor = from
  const firehose = new Firehose({
    service: server.url.replace("http", "ws"),
    // Its own fetch refuses http and the addresses of this machine.
    idResolver: new IdResolver({
      plcUrl: server.plcUrl,
      didCache: new MemoryCache(),
      fetch: globalThis.fetch
    }),
    // Handles under .test are in no DNS.
    unauthenticatedHandles: true,
    maxReconnectSeconds: 1,
    subscriptionReconnectDelay: 100,
    getCursor: () => cursor,
    handleEvent: (event) => {
      events.push(event)
      cursor = event.seq
    },
    onError: (error) => errors.push(error)
  })
  void firehose.start()
  const of = (did: string) => events.filter((event) => event.did === did)
  return {
    of,
    received: (did, count) =>
      until(`${count} events of ${did}`, () => of(did).length >= count).catch((cause) => {
        throw new Error(`${cause}; got ${of(did).length}, errors: ${errors.map(reason)}`)
      }),
    errors,
    cursor: () => cursor,
    stop: () => firehose.destroy()
  }
}

const reason = (error: Error): string => `${error.message}: ${String(error.cause)}`
