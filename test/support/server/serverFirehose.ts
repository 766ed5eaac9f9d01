import { IdResolver, MemoryCache } from "@atproto/identity"
import { type Event, Firehose } from "@atproto/sync"
import { type TestServer, until } from "./server.ts"

/**
 * The official consumer, which verifies every commit against the key in the account's DID document.
 */
export interface Consumer {
  /** The events of a DID, in order. */
  of(did: string): ReadonlyArray<Event>
  /** Waits until a number of a DID's events has arrived. */
  received(did: string, count: number): Promise<void>
  /** Everything that it could not parse, validate or verify. */
  readonly errors: ReadonlyArray<Error>
  /** The number of its last handled event. */
  cursor(): number | undefined
  stop(): Promise<void>
}

/** Starts the official consumer, which resumes from its cursor after a lost connection. */
export const openFirehose = (server: TestServer, from?: number): Consumer => {
  const events: Array<Event> = []
  const errors: Array<Error> = []
  let cursor = from
  const firehose = new Firehose({
    service: server.url.replace("http", "ws"),
    // Its own fetch rejects http and this machine's addresses.
    idResolver: new IdResolver({
      plcUrl: server.plcUrl,
      didCache: new MemoryCache(),
      fetch: globalThis.fetch
    }),
    // Handles under .test aren't in DNS.
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
