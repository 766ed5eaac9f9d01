import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { accountApp } from "../../../src/http/account.ts"
import { type Handler, makeHandler } from "../../../src/http/webHandler.ts"
import * as NodeServer from "../../../src/layers/host/NodeServer.ts"
import * as Box from "../../../src/layers/Box.ts"
import { PasswordCost } from "../../../src/services/sessions/Passwords.ts"
import { cheapPasswords } from "../../support/passwords.ts"
import { quickFailures } from "../../support/quickFailures.ts"
import { freePort } from "../../support/server/server.ts"

export const origin = "http://localhost:8787"

/** The configuration of a server over a folder. */
export const env = {
  PUBLIC_URL: origin,
  MASTER_KEY: Buffer.alloc(32, 7).toString("base64url"),
  PLC_ROTATION_KEY: "42".repeat(32),
  ADMIN_PASSWORD: "the administrator's own words",
  INVITE_REQUIRED: "off",
  RATE_LIMITS: "off",
  LOG_LEVEL: "none"
}

/** A server over a folder, in this process. */
export interface RunningBox {
  readonly handler: Handler
  /** Calls a method; throws for any other status than 200. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into bodies of every shape
  call(nsid: string, options?: { input?: object; auth?: string }): Promise<any>
  /** Listens on a port as well; returns the address. */
  listen(): Promise<string>
  /** Reads the event stream from its start; returns the frames so far. */
  frames(): ReadonlyArray<Uint8Array>
  stop(): Promise<void>
}

/** Starts a server over a folder. */
export const startBox = async (
  folder: string,
  {
    mostOpen = 100,
    sharesSyncs = false,
    now = () => Date.now(),
    backupFolder,
    variables = {}
  }: {
    readonly mostOpen?: number
    readonly sharesSyncs?: boolean
    readonly now?: () => number
    readonly backupFolder?: string
    /** The configuration beside the usual one. */
    readonly variables?: Readonly<Record<string, string>>
  } = {}
): Promise<RunningBox> => {
  const scope = Scope.makeUnsafe()
  const clock = quickFailures(now)
  const { context, sequencer } = await Box.make(
    accountApp,
    { ...env, ...variables },
    {
      folder,
      mostOpen,
      sharesSyncs,
      backupFolder
    }
  ).pipe(
    Effect.flatMap(({ services, sequencer }) =>
      Effect.map(Layer.build(services), (context) => ({ context, sequencer }))
    ),
    Effect.onError(() => Scope.close(scope, Exit.void)),
    Scope.provide(scope),
    Effect.provideService(Clock.Clock, clock),
    Effect.runPromise
  )
  const handler = makeHandler(
    Layer.succeedContext(
      context.pipe(Context.add(Clock.Clock, clock), Context.add(PasswordCost, cheapPasswords))
    )
  )
  return {
    handler,
    call: async (nsid, { input, auth } = {}) => {
      const headers = new Headers({ "content-type": "application/json" })
      if (auth !== undefined) headers.set("authorization", auth)
      const init = input === undefined ? {} : { method: "POST", body: JSON.stringify(input) }
      const response = await handler(new Request(`${origin}/xrpc/${nsid}`, { headers, ...init }))
      const text = await response.text()
      if (response.status !== 200) throw new Error(`${nsid}: ${response.status} ${text}`)
      return text === "" ? undefined : JSON.parse(text)
    },
    listen: async () => {
      const port = await freePort()
      const serving = NodeServer.serve({ handler, sequencer, port })
      await Effect.runPromise(Scope.provide(serving, scope))
      return `http://127.0.0.1:${port}`
    },
    frames: () => {
      const frames: Array<Uint8Array> = []
      const send = (frame: Uint8Array, sent: () => void) => {
        frames.push(frame.slice())
        setImmediate(sent)
      }
      sequencer.connect({ send, close: () => {} }, { cursor: 0 })
      return frames
    },
    stop: () => Effect.runPromise(Scope.close(scope, Exit.void))
  }
}

/** Signs up a did:web account, which needs no directory; returns its DID and session. */
export const signUp = async (
  box: RunningBox,
  name: string
): Promise<{ readonly did: string; readonly auth: string }> => {
  const did = `did:web:${name}.test`
  const made = await box.call("com.atproto.server.createAccount", {
    auth: `Basic ${btoa(`admin:${env.ADMIN_PASSWORD}`)}`,
    input: {
      handle: `${name}.test`,
      email: `${name}@example.com`,
      password: "a long password",
      did
    }
  })
  return { did, auth: `Bearer ${made.accessJwt}` }
}
