import * as EdgeCacheMemory from "../../../src/layers/edge/EdgeCacheMemory.ts"
import * as PublicCache from "../../../src/services/edge/PublicCache.ts"
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { accountApp } from "../../../src/http/account.ts"
import { makeHandler } from "../../../src/http/webHandler.ts"
import * as AccountsMemory from "../../../src/layers/objects/AccountsMemory.ts"
import * as AccountsObject from "../../../src/layers/objects/AccountsObject.ts"
import * as BackgroundMemory from "../../../src/layers/host/BackgroundMemory.ts"
import * as ConfigEnv from "../../../src/layers/host/ConfigEnv.ts"
import * as HostDatabaseNode from "../../../src/layers/host/sql/HostDatabaseNode.ts"
import * as hostServices from "../../../src/layers/host.ts"
import * as hostTables from "../../../src/layers/host/sql/hostTables.ts"
import * as LimiterMemory from "../../../src/layers/limits/LimiterMemory.ts"
import * as MailerNone from "../../../src/layers/mail/MailerNone.ts"
import * as RelaysOutgoing from "../../../src/layers/stream/RelaysOutgoing.ts"
import * as SequencerMemory from "../../../src/layers/stream/SequencerMemory.ts"
import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { BlobStore } from "../../../src/services/blobs/BlobStore.ts"
import { Directory } from "../../../src/services/accounts/Directory.ts"
import { Sequencer } from "../../../src/services/stream/Sequencer.ts"
import { testEnv } from "../../repo/repoWorld.ts"
import {
  checkFrame,
  decodeFrame,
  type Frame,
  type Mirror
} from "../../support/server/serverFrames.ts"
import { faultyBlobs, faultyDirectory, faultyLog, type Faults, noFaults, stubOf } from "./faulty.ts"

/** A complete response. */
export interface Answered {
  readonly status: number
  readonly bytes: Uint8Array
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of every shape
  readonly body: Record<string, any>
}

/** The parts of a test's request. */
export interface Asked {
  readonly input?: object
  readonly body?: Uint8Array<ArrayBuffer>
  readonly type?: string
  readonly auth?: string | undefined
}

const origin = testEnv.PUBLIC_URL
const admin = `Basic ${btoa(`admin:${testEnv.ADMIN_PASSWORD}`)}`

const read = async (response: Response): Promise<Answered> => {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const isJson = response.headers.get("content-type")?.includes("json") === true
  const body = isJson ? JSON.parse(new TextDecoder().decode(bytes)) : {}
  return { status: response.status, bytes, body }
}

const requestOf = (path: string, { input, body, type, auth }: Asked): Request => {
  const sent = input === undefined ? body : JSON.stringify(input)
  return new Request(`${origin}${path}`, {
    method: sent === undefined && type === undefined ? "GET" : "POST",
    headers: {
      ...(input === undefined ? {} : { "content-type": "application/json" }),
      ...(type === undefined ? {} : { "content-type": type }),
      ...(body === undefined ? {} : { "content-length": String(body.byteLength) }),
      ...(auth === undefined ? {} : { authorization: auth })
    },
    ...(sent === undefined ? {} : { body: sent })
  })
}

/** The services of a host whose log, directory, blob store and objects may fail. */
const build = Effect.fnUntraced(function* (faults: Faults) {
  const log = yield* Layer.build(
    Layer.merge(SqlStorageNode.layer(":memory:"), RelaysOutgoing.layerNone)
  )
  const sequencer = yield* Effect.provide(SequencerMemory.make, log)
  const stored = new Map<string, Uint8Array>()
  const tables = Layer.effect(
    Directory,
    Effect.map(Directory, (working) => faultyDirectory(working, faults))
  ).pipe(
    Layer.provideMerge(hostTables.layer),
    Layer.provideMerge(HostDatabaseNode.layer(":memory:"))
  )
  const base = Layer.mergeAll(
    faultyLog(sequencer.service, faults),
    tables,
    Layer.succeed(BlobStore, faultyBlobs(stored, faults)),
    LimiterMemory.layer,
    MailerNone.layer,
    BackgroundMemory.layer
  ).pipe(Layer.provideMerge(ConfigEnv.layer({ ...testEnv, LOG_LEVEL: "none" })))
  const clock = yield* Clock.Clock
  const accounts = Layer.unwrap(
    Effect.map(Accounts, (working) =>
      AccountsObject.layer(stubOf(working, faults, clock), accountApp.failures)
    )
  ).pipe(Layer.provide(AccountsMemory.layer(accountApp)))
  const services = hostServices.layer.pipe(
    Layer.provideMerge(accounts),
    Layer.provideMerge(PublicCache.layer.pipe(Layer.provide(EdgeCacheMemory.layer))),
    Layer.provideMerge(base)
  )
  const context = Context.add(yield* Layer.build(services), Clock.Clock, clock)
  return { sequencer, stored, context, handler: makeHandler(Layer.succeedContext(context)) }
})

/** An in-memory host, its faults, and a relay that verifies every frame. */
export const makeWorld = Effect.gen(function* () {
  yield* TestClock.setTime(Date.now())
  const faults = noFaults()
  const { sequencer, stored, context, handler } = yield* build(faults)
  const frames: Array<Frame> = []
  sequencer.connect(
    {
      send: (frame, sent) => {
        frames.push(decodeFrame(frame.slice()))
        sent()
      },
      close: () => {}
    },
    {}
  )

  const ask = (path: string, asked: Asked = {}) =>
    Effect.promise(async () => read(await handler(requestOf(path, asked))))
  const call = (nsid: string, asked?: Asked) => ask(`/xrpc/${nsid}`, asked)

  /** Advances the clock in small steps, so promises between two timers resolve. */
  const pass = Effect.fnUntraced(function* (seconds: number) {
    for (let step = 0; step < seconds * 4; step++) {
      yield* TestClock.adjust("250 millis")
      yield* Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
    }
  })

  const signUp = (name: string) =>
    call("com.atproto.server.createAccount", {
      input: {
        handle: `${name}.test`,
        did: `did:web:${name}.test`,
        email: `${name}@example.com`,
        password: "a long password"
      },
      auth: admin
    })

  /** An account with a session, and short names for its actions. */
  const person = Effect.fnUntraced(function* (name: string) {
    const { status, body } = yield* signUp(name)
    assert.strictEqual(status, 200)
    yield* pass(1)
    const did: string = body["did"]
    const auth = `Bearer ${body["accessJwt"]}`
    const post = (text: string, more: object = {}) =>
      call("com.atproto.repo.createRecord", {
        input: {
          repo: did,
          collection: "com.example.note",
          record: { $type: "com.example.note", text, ...more }
        },
        auth
      })
    const rev = Effect.map(
      call(`com.atproto.sync.getLatestCommit?did=${did}`),
      (answer): string => answer.body["rev"]
    )
    const upload = (bytes: Uint8Array<ArrayBuffer>) =>
      call("com.atproto.repo.uploadBlob", { body: bytes, type: "text/plain", auth })
    return { did, auth, post, rev, upload }
  })

  const keyOf = (did: string) =>
    Effect.map(
      call(`com.atproto.identity.resolveDid?did=${did}`),
      ({ body }) => `did:key:${body["didDoc"].verificationMethod[0].publicKeyMultibase}`
    )
  const of = (did: string) => frames.filter(({ body }) => (body.did ?? body.repo) === did)

  /**
   * Verifies every frame so far by signature, inversion and chain; returns a DID's repo from them.
   */
  const mirrorOf = Effect.fnUntraced(function* (did: string) {
    const key = yield* keyOf(did)
    const mirrors = new Map<string, Mirror>()
    yield* Effect.promise(async () => {
      for (const frame of of(did)) await checkFrame(frame, async () => key, mirrors)
    })
    const seqs = frames.map(({ body: { seq } }) => seq)
    assert.deepStrictEqual(
      seqs,
      [...new Set(seqs)].toSorted((a, b) => a - b)
    )
    return mirrors.get(did)
  })

  return {
    faults,
    frames,
    stored,
    accounts: Context.get(context, Accounts),
    directory: Context.get(context, Directory),
    sequencer: Context.get(context, Sequencer),
    admin,
    ask,
    call,
    pass,
    signUp,
    person,
    keyOf,
    of,
    mirrorOf
  }
})

/** Asserts the protocol's error for "try again later". */
export const assertUnavailable = ({ status, body }: Answered) =>
  assert.deepStrictEqual([status, body["error"]], [503, "ServiceUnavailable"])
