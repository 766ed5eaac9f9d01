import { CurrentRequest, currentRequest } from "../../src/http/CurrentRequest.ts"
import { assert } from "@effect/vitest"
import { runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import * as Effect from "effect/Effect"
import { failures } from "../../src/http/errors.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import type * as SequencerObject from "../../src/layers/stream/SequencerObject.ts"
import type { AppServer } from "../support/http/oauthApp.ts"

/** The bindings of wrangler.toml, and the secrets of vitest.config.ts. */
export interface Bindings {
  readonly ACCOUNT: DurableObjectNamespace
  readonly SEQUENCER: DurableObjectNamespace
  readonly LIMITER: DurableObjectNamespace
  readonly DIRECTORY: D1Database
  readonly BLOBS: R2Bucket
  readonly ADMIN_PASSWORD: string
  readonly [variable: string]: unknown
}

// SAFETY: both files define exactly these.
export const bindings = env as unknown as Bindings

export const { ACCOUNT, SEQUENCER, LIMITER, DIRECTORY, BLOBS } = bindings

/** An account's object. */
export const objectOf = (did: string): DurableObjectStub => ACCOUNT.get(ACCOUNT.idFromName(did))

/** The host's event log. */
export const sequencerObject = () =>
  // SAFETY: the object's class has these methods.
  SEQUENCER.get(SEQUENCER.idFromName("sequencer")) as DurableObjectStub &
    SequencerObject.SequencerStub

/** The server's origin in these tests. */
export const origin = "https://pds.example.com"

/** A request to the Worker in src/main.ts. */
export const fetchWorker = (path: string, init: RequestInit = {}): Promise<Response> =>
  // SAFETY: the Worker's default export has a fetch handler.
  (exports as unknown as { readonly default: Fetcher }).default.fetch(`${origin}${path}`, init)

/** The Worker from an OAuth app's view; `fetch` sends the requests. */
export const appServer = (
  fetch: (path: string, init: RequestInit) => Promise<Response>
): AppServer => ({
  origin,
  now: () => Date.now(),
  ask: async (path, { auth, body, headers, input, method } = {}) => {
    const sent = input === undefined ? body : JSON.stringify(input)
    const response = await fetch(path, {
      method: method ?? (sent === undefined ? "GET" : "POST"),
      headers: {
        ...(input === undefined ? {} : { "content-type": "application/json" }),
        ...(auth === undefined ? {} : { authorization: auth }),
        ...headers
      },
      ...(sent === undefined ? {} : { body: sent })
    })
    const bytes = new Uint8Array(await response.arrayBuffer())
    const text = new TextDecoder().decode(bytes)
    const isJson = response.headers.get("content-type")?.includes("json") === true
    const answered = { status: response.status, headers: response.headers, bytes, text }
    return { ...answered, body: isJson && text !== "" ? JSON.parse(text) : {} }
  },
  beneath: (effect) =>
    effect.pipe(
      Effect.provideService(CurrentRequest, currentRequest(new Request(origin), new URL(origin))),
      Effect.provide(Cloudflare.host(bindings, failures)),
      Effect.runPromise
    )
})

const jsonOf = async (response: Response) => {
  const body = await response.json<Record<string, unknown>>()
  assert.strictEqual(response.status, 200, JSON.stringify(body))
  return body
}

/** Calls a query, which must succeed. */
export const query = async (nsid: string, params: Record<string, string>) =>
  jsonOf(await fetchWorker(`/xrpc/${nsid}?${new URLSearchParams(params)}`))

/** Calls a procedure, which must succeed. */
export const procedure = async (nsid: string, authorization: string, input: unknown) =>
  jsonOf(
    await fetchWorker(`/xrpc/${nsid}`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify(input)
    })
  )

let made = 0

/** A signed-in account. */
export interface Person {
  readonly did: string
  readonly handle: string
  readonly authorization: string
  createRecord(text: string): Promise<Written>
  applyWrites(count: number): Promise<unknown>
}

/** A written record. */
export interface Written {
  readonly uri: string
  readonly cid: string
  readonly commit: { readonly cid: string; readonly rev: string }
}

const post = (text: string) => ({
  $type: "app.bsky.feed.post",
  text,
  createdAt: "2026-01-01T00:00:00.000Z"
})

/** Creates an account with the administrator's authority, and signs in. */
export const newPerson = async (): Promise<Person> => {
  const handle = `person${made++}.pds.example.com`
  const did = `did:web:${handle}`
  const password = "a long password"
  await procedure(
    "com.atproto.server.createAccount",
    `Basic ${btoa(`admin:${bindings.ADMIN_PASSWORD}`)}`,
    { handle, did, password, email: `${handle.split(".", 1)[0]}@example.com` }
  )
  const session = await procedure("com.atproto.server.createSession", "", {
    identifier: handle,
    password
  })
  assert.strictEqual(session["did"], did)
  const authorization = `Bearer ${String(session["accessJwt"])}`
  const collection = "app.bsky.feed.post"
  const write = (nsid: string, input: object) =>
    procedure(nsid, authorization, { repo: did, ...input })
  return {
    did,
    handle,
    authorization,
    // SAFETY: this method's response, by its lexicon.
    createRecord: (text) =>
      write("com.atproto.repo.createRecord", {
        collection,
        record: post(text)
      }) as Promise<unknown> as Promise<Written>,
    applyWrites: (count) =>
      write("com.atproto.repo.applyWrites", {
        writes: Array.from({ length: count }, (_, n) => ({
          $type: "com.atproto.repo.applyWrites#create",
          collection,
          value: post(`one of many: ${n}`)
        }))
      })
  }
}

/** The log's rev of an account. */
export const revInLog = async (did: string): Promise<string | undefined> => {
  const { repos } = await sequencerObject().listRepos({ limit: 1000 })
  return repos.find((repo) => repo.did === did)?.rev
}

/** Waits until the log has everything that an account has written. */
export const delivered = async (did: string): Promise<void> => {
  const rev = await runInDurableObject(objectOf(did), (_object, { storage }) =>
    String(storage.sql.exec("SELECT rev FROM head").one()["rev"])
  )
  while ((await revInLog(did)) !== rev) await scheduler.wait(5)
}
