import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CurrentRequest, currentRequest } from "../../../src/http/CurrentRequest.ts"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { startPlc } from "../../../scripts/plc.ts"
import { identityFrame } from "../../../src/core/repo/frame.ts"
import { Sequencer } from "../../../src/services/stream/Sequencer.ts"
import { accountApp } from "../../../src/http/account.ts"
import type { HostServices } from "../../../src/http/host.ts"
import { type Handler, makeHandler } from "../../../src/http/webHandler.ts"
import type { AccountServices } from "../../../src/layers/objects/AccountApp.ts"
import * as Box from "../../../src/layers/Box.ts"
import type { WayBack } from "../../../src/layers/objects/AccountsMemory.ts"
import * as Memory from "../../../src/layers/Memory.ts"
import type { BackupTargetShape } from "../../../src/services/backups/BackupTarget.ts"
import { Accounts } from "../../../src/services/accounts/Accounts.ts"
import { Directory } from "../../../src/services/accounts/Directory.ts"
import { PasswordCost } from "../../../src/services/sessions/Passwords.ts"
import { boxOptions, isBox } from "../homes.ts"
import { cheapPasswords } from "../passwords.ts"
import { quickFailures } from "../quickFailures.ts"
import { startNetwork, type Network } from "./httpNetwork.ts"

/** The origin of the host under test. */
export const origin = "http://localhost:8787"

/** The DID of the host under test. */
export const serviceDid = "did:web:localhost%3A8787"

export const adminPassword = "the administrator's own words"

/** The environment of every test host. */
const baseEnv = {
  PUBLIC_URL: origin,
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: adminPassword,
  RATE_LIMITS: "off",
  LOG_LEVEL: "none"
}

/** The parts of a request; with a JSON `input` it is a POST. */
export interface Asked {
  readonly params?: Readonly<Record<string, string | number | ReadonlyArray<string>>>
  /** The raw query, instead of `params`. */
  readonly query?: string
  readonly input?: unknown
  readonly body?: BodyInit
  readonly method?: string
  /** The `Authorization` header. */
  readonly auth?: string | undefined
  readonly headers?: Readonly<Record<string, string>>
}

/** A response, read to its end. */
export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Uint8Array
  readonly text: string
  /** The JSON of the body; an empty object for other bodies. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of every shape
  readonly body: Record<string, any>
}

/** The whole host in this process, with access to its inside. */
export interface Host {
  readonly handler: Handler
  readonly network: Network
  /** Moves the host's clock, in milliseconds. */
  advance(millis: number): void
  now(): number
  /** Requests any path. */
  ask(path: string, asked?: Asked): Promise<Answered>
  /** Calls an XRPC method. */
  call(nsid: string, asked?: Asked): Promise<Answered>
  /** Runs an effect in an account's object, without HTTP. */
  inside<A, E>(did: string, effect: Effect.Effect<A, E, AccountServices>): Promise<A>
  /** Runs an effect with the host's services, without HTTP. */
  beneath<A, E>(effect: Effect.Effect<A, E, HostServices | CurrentRequest>): Promise<A>
  readonly directory: Directory["Service"]
  /** Reads the event stream from a cursor, or live; returns the frames so far. */
  subscribe(cursor?: number): ReadonlyArray<Uint8Array>
  /** Waits until every reader has every event that is in the log by now. */
  delivered(): Promise<void>
  close(): Promise<void>
}

const read = async (response: Response): Promise<Answered> => {
  const bytes = new Uint8Array(await response.arrayBuffer())
  const text = new TextDecoder().decode(bytes)
  const isJson = response.headers.get("content-type")?.includes("json") === true
  const { status, headers } = response
  return { status, headers, bytes, text, body: isJson && text !== "" ? JSON.parse(text) : {} }
}

const queryOf = ({ params, query }: Asked): string => {
  if (query !== undefined) return query
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(params ?? {})) {
    for (const each of Array.isArray(value) ? value : [value]) search.append(name, String(each))
  }
  return search.size === 0 ? "" : `?${search}`
}

/** A request as a client sends it, with a content length if the body's is known. */
export const requestOf = (path: string, asked: Asked = {}): Request => {
  const { input, auth, method } = asked
  const body = input === undefined ? asked.body : JSON.stringify(input)
  const headers = new Headers(input === undefined ? {} : { "content-type": "application/json" })
  if (typeof body === "string") headers.set("content-length", String(Buffer.byteLength(body)))
  if (body instanceof Uint8Array) headers.set("content-length", String(body.byteLength))
  if (auth !== undefined) headers.set("authorization", auth)
  for (const [name, value] of Object.entries(asked.headers ?? {})) headers.set(name, value)
  return new Request(`${origin}${path}${queryOf(asked)}`, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers,
    ...(body === undefined ? {} : { body, duplex: "half" })
  } as RequestInit)
}

/** Combines the hosts that a test allows with the network's own; an empty list allows none. */
const allowing = (...envs: ReadonlyArray<Readonly<Record<string, string>>>) => {
  const lists = envs.flatMap(({ DEV_ALLOW_HOSTS }) => DEV_ALLOW_HOSTS ?? [])
  return { DEV_ALLOW_HOSTS: lists.includes("") ? "" : lists.join(",") }
}

/** The account of the events that `delivered` adds, which readers' frames leave out. */
const marker = "did:web:mark.test"
const time = "2026-01-01T00:00:00.000Z"

/** The number of such an event. */
const markOf = (frame: Uint8Array): number | undefined => {
  const text = frame.length < 300 ? Buffer.from(frame).toString("latin1") : ""
  const [, number] = text.includes(marker) ? (/(\d+)\.mark\.test/.exec(text) ?? []) : []
  return number === undefined ? undefined : Number(number)
}

/** What a host starts with. */
interface Started {
  readonly backups?: BackupTargetShape
  /** A stand-in for the platform's earlier states. */
  readonly wayBack?: WayBack
  /** The folder in which its data stays, for a host that starts again. */
  readonly kept?: string
  /** The PLC directory of a host before, which the caller closes. */
  readonly plc?: Awaited<ReturnType<typeof startPlc>>
}

/** Starts the host: memory layers, its own PLC directory, and no access to any other network. */
export const startHost = async (
  env: Readonly<Record<string, string>> = {},
  { backups, wayBack, kept, plc: given }: Started = {}
): Promise<Host> => {
  const plc = given ?? (await startPlc())
  const network = startNetwork(plc.url)
  const scope = Scope.makeUnsafe()
  let shift = 0
  const clock = quickFailures(() => Date.now() + shift)
  const within = new WeakMap<Request, Effect.Effect<Response, never, AccountServices>>()
  const serve = (request: Request) => within.get(request) ?? accountApp.serve(request)
  const app = { ...accountApp, serve }
  const all = { ...baseEnv, ...network.env, ...env, ...allowing(network.env, env) }
  const own = {
    ...(backups === undefined ? {} : { backups }),
    ...(wayBack === undefined ? {} : { wayBack })
  }
  const folder =
    kept ?? (isBox && wayBack === undefined ? mkdtempSync(join(tmpdir(), "nacre-box-")) : undefined)
  const home =
    folder === undefined
      ? Memory.make(app, all, own)
      : Box.make(app, all, { folder, ...boxOptions }, own)
  const { context, connect } = await home.pipe(
    Effect.flatMap(({ services, sequencer: { connect } }) =>
      Effect.map(Layer.build(services), (context) => ({ context, connect }))
    ),
    Scope.provide(scope),
    Effect.provideService(Clock.Clock, clock),
    Effect.runPromise
  )
  const timed = context.pipe(
    Context.add(Clock.Clock, clock),
    Context.add(PasswordCost, cheapPasswords)
  )
  const handler = makeHandler(Layer.succeedContext(timed))
  const ask: Host["ask"] = async (path, asked) => read(await handler(requestOf(path, asked)))
  const accounts = Context.get(context, Accounts)
  const readers = new Set<{ mark: number; heard: () => void }>()
  let marks = 0
  return {
    handler,
    network,
    advance: (millis) => {
      shift += millis
    },
    now: () => Date.now() + shift,
    ask,
    call: (nsid, asked) => ask(`/xrpc/${nsid}`, asked),
    inside: async (did, effect) => {
      let exit: Exit.Exit<unknown, unknown> | undefined
      const request = new Request(origin)
      const noted = Effect.map(Effect.exit(effect), (made) => {
        exit = made
        return new Response()
      })
      within.set(request, noted)
      await Effect.runPromise(Effect.provide(accounts.forward(did, request), timed))
      // SAFETY: it is the exit of the given effect.
      return Effect.runPromise(exit as Exit.Exit<never, never>)
    },
    beneath: (effect) => {
      const request = new Request(origin)
      const within = Effect.provideService(
        effect,
        CurrentRequest,
        currentRequest(request, new URL(origin))
      )
      return Effect.runPromise(Effect.provide(within, timed) as Effect.Effect<never>)
    },
    directory: Context.get(context, Directory),
    subscribe: (cursor) => {
      const frames: Array<Uint8Array> = []
      const reader = { mark: 0, heard: () => {} }
      readers.add(reader)
      const send = (frame: Uint8Array, sent: () => void) => {
        const number = markOf(frame)
        if (number === undefined) frames.push(frame.slice())
        else {
          reader.mark = number
          reader.heard()
        }
        setImmediate(sent)
      }
      const close = () => {
        readers.delete(reader)
        reader.heard()
      }
      connect({ send, close }, cursor === undefined ? {} : { cursor })
      return frames
    },
    delivered: async () => {
      marks += 1
      const wanted = marks
      const handle = `${wanted}.mark.test`
      const { bytes, seqOffset } = identityFrame({ did: marker, handle, time })
      const event = { id: wanted, kind: "identity", frame: bytes, seqOffset } as const
      await Effect.runPromise(Context.get(context, Sequencer).append(marker, [event]))
      const all = [...readers].map(
        (reader) =>
          new Promise<void>((resolve) => {
            reader.heard = () => {
              if (reader.mark >= wanted || !readers.has(reader)) resolve()
            }
            reader.heard()
          })
      )
      await Promise.all(all)
    },
    close: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      network.close()
      if (given === undefined) await plc.close()
      if (folder !== undefined && kept === undefined) {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }
}

/** The administrator's credentials. */
export const basic = (password = adminPassword, user = "admin"): string =>
  `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`

export const bearer = (token: string): string => `Bearer ${token}`
