/**
 * `nacre/testing`: a PDS and a PLC directory inside your test run, in memory, on Node.
 */
import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo } from "node:net"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { startPlc } from "../scripts/plc.ts"
import type { RepoMessage } from "./core/repo/events.ts"
import { firehose, type FirehoseOptions } from "./firehose.ts"
import { accountApp } from "./http/account.ts"
import type { LexiconDocument, XrpcMethod } from "./http/host/ownMethod.ts"
import { OwnMethods } from "./http/host/ownMethods.ts"
import { makeHandler } from "./http/webHandler.ts"
import * as NodeServer from "./layers/host/NodeServer.ts"
import * as Memory from "./layers/Memory.ts"
import type { NacreConfig, OutgoingMail } from "./options.ts"
import { readOwnParts } from "./ownParts.ts"

export type { RepoMessage } from "./core/repo/events.ts"
export type { FirehoseOptions } from "./firehose.ts"
export type {
  LexiconDocument,
  MethodAccess,
  MethodCall,
  MethodCaller,
  XrpcMethod
} from "./http/host/ownMethod.ts"
export { XrpcError } from "./http/host/ownMethod.ts"
export type { ConfigVariable, NacreConfig, OutgoingMail } from "./options.ts"

/** The options of a test server. */
export interface PdsOptions<Name extends string = string> {
  /** Accounts to create and sign in: `["alice"]` creates `alice.test`. */
  readonly accounts?: ReadonlyArray<Name>
  /** The port on 127.0.0.1; any free port by default. */
  readonly port?: number
  /** The server's settings, as for `createNacre`. */
  readonly config?: NacreConfig
  /** Your own XRPC methods, as for `createNacre`; their `env` is empty. */
  readonly methods?: ReadonlyArray<XrpcMethod<Record<string, never>>>
  /** Lexicon documents to validate records against. */
  readonly lexicons?: ReadonlyArray<LexiconDocument>
}

/** An account with a session. */
export interface PdsAccount {
  readonly did: string
  readonly handle: string
  readonly email: string
  readonly password: string
  readonly accessJwt: string
  readonly refreshJwt: string
}

/** A running server; `await using` stops it at the end of the block. */
export interface Pds<Name extends string = string> extends AsyncDisposable {
  /** The server's origin: `http://localhost:<port>`. */
  readonly url: string
  readonly did: string
  /** The URL of its PLC directory, for identity resolvers. */
  readonly plcUrl: string
  /** The password of the user `admin`. */
  readonly adminPassword: string
  /** The accounts of `options.accounts`, by name. */
  readonly accounts: { readonly [N in Name]: PdsAccount }
  /** Every mail the server has sent, oldest first. */
  readonly mails: ReadonlyArray<OutgoingMail>
  /** Creates another account and signs in. */
  createAccount(name: string): Promise<PdsAccount>
  /** Returns the newest mail to an address, of one purpose if given; waits up to five seconds. */
  mailTo(email: string, purpose?: string): Promise<OutgoingMail>
  /** Calls an XRPC method; throws if the response is an error. */
  call<T = unknown>(
    nsid: string,
    options?: {
      readonly params?: Readonly<Record<string, string | number | boolean>>
      readonly input?: object
      /** The account to call as, or `"admin"`. */
      readonly as?: PdsAccount | "admin"
    }
  ): Promise<T>
  /** Follows the event stream, from its start unless a cursor is given. */
  events(options?: FirehoseOptions): AsyncGenerator<RepoMessage, void>
  stop(): Promise<void>
}

const freePort = (): Promise<number> =>
  new Promise((found, failed) => {
    const probe = createServer()
    probe.once("error", failed)
    probe.listen(0, "127.0.0.1", () => {
      // SAFETY: it listens on a port, not on a pipe.
      const { port } = probe.address() as AddressInfo
      probe.close(() => found(port))
    })
  })

/** How long `mailTo` waits, in milliseconds. */
const patience = 5000

const password = "correct horse battery staple"

/** Collects mails, and wakes waiting callers. */
const makeMailbox = () => {
  const mails: Array<OutgoingMail> = []
  const waiting = new Set<() => void>()
  const find = (email: string, purpose: string | undefined) =>
    mails.findLast(
      (mail) => mail.to === email && (purpose === undefined || mail.purpose === purpose)
    )
  return {
    mails,
    mailer: async (mail: OutgoingMail) => {
      mails.push(mail)
      for (const wake of waiting) wake()
    },
    mailTo: async (email: string, purpose?: string): Promise<OutgoingMail> => {
      const end = Date.now() + patience
      while (true) {
        const mail = find(email, purpose)
        if (mail !== undefined) return mail
        if (Date.now() >= end) {
          throw new Error(`No mail to ${email} within ${patience / 1000} seconds`)
        }
        await new Promise<void>((resume) => {
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resume()
          }
          const timer = setTimeout(wake, end - Date.now())
          waiting.add(wake)
        })
      }
    }
  }
}

const environment = (config: NacreConfig): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(",") : String(value)]]
    )
  )

/**
 * Starts a PDS in this process, with everything in memory and a PLC directory of its own.
 *
 * Rate limits and invites are off. The server contacts no relay and no host outside this machine unless `config` names one.
 *
 * @example
 * await using pds = await startPds({ accounts: ["alice"] })
 * const agent = new AtpAgent({ service: pds.url })
 * await agent.login({ identifier: pds.accounts.alice.handle, password: pds.accounts.alice.password })
 */
export const startPds = async <const Name extends string = never>(
  options: PdsOptions<Name> = {}
): Promise<Pds<Name>> => {
  const { methods, lexicons } = readOwnParts(options)
  const port = options.port ?? (await freePort())
  const plc = await startPlc({})
  const url = `http://localhost:${port}`
  const adminPassword = randomBytes(18).toString("base64url")
  const { mails, mailer, mailTo } = makeMailbox()
  const env = {
    PUBLIC_URL: url,
    MASTER_KEY: randomBytes(32).toString("base64url"),
    PLC_ROTATION_KEY: randomBytes(32).toString("hex"),
    ADMIN_PASSWORD: adminPassword,
    PLC_URL: plc.url,
    DEV_ALLOW_HOSTS: new URL(plc.url).host,
    INVITE_REQUIRED: "off",
    RATE_LIMITS: "off",
    RELAYS: "none",
    APP_VIEW: "none",
    CHAT_SERVICE: "none",
    MOD_SERVICE: "none",
    LOG_LEVEL: "none",
    MAILER: "worker",
    ...environment(options.config ?? {})
  }

  const scope = Effect.runSync(Scope.make())
  const stop = async () => {
    await Effect.runPromise(Scope.close(scope, Exit.void))
    await plc.close()
  }
  const serving = Effect.gen(function* () {
    const { sequencer, services } = yield* Memory.make(accountApp, env, { lexicons, mailer })
    const handler = makeHandler(
      services.pipe(Layer.provideMerge(Layer.succeed(OwnMethods, { methods, env: {} })))
    )
    yield* NodeServer.serve({ handler, sequencer, port })
  })
  try {
    await Effect.runPromise(Scope.provide(serving, scope))
  } catch (cause) {
    await stop()
    throw cause
  }

  const call: Pds["call"] = async (nsid, { params = {}, input, as } = {}) => {
    const query = new URLSearchParams(
      Object.entries(params).map(([name, value]) => [name, String(value)])
    )
    const authorization =
      as === "admin"
        ? `Basic ${Buffer.from(`admin:${adminPassword}`).toString("base64")}`
        : as && `Bearer ${as.accessJwt}`
    const response = await fetch(`${url}/xrpc/${nsid}${query.size > 0 ? `?${query}` : ""}`, {
      method: input === undefined ? "GET" : "POST",
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(input === undefined ? {} : { "content-type": "application/json" })
      },
      ...(input === undefined ? {} : { body: JSON.stringify(input) })
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${nsid} answered ${response.status}: ${text}`)
    return text === "" ? undefined : JSON.parse(text)
  }

  const createAccount = async (name: string): Promise<PdsAccount> => {
    const handle = name.includes(".") ? name : `${name}.test`
    const email = `${handle.split(".", 1)[0]}@mail.test`
    const session = await call<Pick<PdsAccount, "did" | "accessJwt" | "refreshJwt">>(
      "com.atproto.server.createAccount",
      { input: { handle, email, password }, as: "admin" }
    )
    const { did, accessJwt, refreshJwt } = session
    return { did, handle, email, password, accessJwt, refreshJwt }
  }

  const accounts = new Map<string, PdsAccount>()
  try {
    for (const name of options.accounts ?? []) accounts.set(name, await createAccount(name))
  } catch (cause) {
    await stop()
    throw cause
  }

  return {
    url,
    did: `did:web:${encodeURIComponent(new URL(url).host)}`,
    plcUrl: plc.url,
    adminPassword,
    // SAFETY: one account was created for each name.
    accounts: Object.fromEntries(accounts) as Pds<Name>["accounts"],
    mails,
    createAccount,
    mailTo,
    call,
    events: (given = {}) => firehose(url, { cursor: 0, ...given }),
    stop,
    [Symbol.asyncDispose]: stop
  }
}
