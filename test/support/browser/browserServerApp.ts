import {
  JoseKey,
  NodeOAuthClient,
  type NodeSavedSession,
  type NodeSavedState,
  requestLocalLock
} from "@atproto/oauth-client-node"
import type { BrowserContext, Page } from "playwright-core"
import { listen } from "./browserApps.ts"
import type { TestServer } from "../server/server.ts"

/** The published documents of a web app, at `https://<host>` for the server but on this machine. */
export interface PublishedApp {
  readonly host: string
  /** The value for the server's DEV_HOSTS. */
  readonly at: string
  /** The published JSON by path; a test may change it. */
  readonly files: Map<string, unknown>
  close(): Promise<void>
}

/** Opens the host where a web app will publish its documents. */
export const publishApp = async (host: string): Promise<PublishedApp> => {
  const files = new Map<string, unknown>()
  const { port, close } = await listen((path) =>
    files.has(path) ? ["application/json", JSON.stringify(files.get(path))] : undefined
  )
  return { host, at: `127.0.0.1:${port}`, files, close }
}

/** The official client in a web app, with its stores. */
export interface ServerApp {
  readonly client: NodeOAuthClient
  readonly callback: string
  readonly sessions: Map<string, NodeSavedSession>
  /** The sessions that ended unexpectedly, with the names of their causes. */
  readonly ended: Array<string>
}

const storeIn = <A>(map: Map<string, A>) => ({
  get: async (key: string) => map.get(key),
  set: async (key: string, value: A) => void map.set(key, value),
  del: async (key: string) => void map.delete(key)
})

/** Options of a web app; the rest is as the client's authors recommend. */
export interface ServerAppOptions {
  readonly name?: string
  /** Everything that the app may ask for. */
  readonly scope?: string
  readonly responseMode?: "query" | "form_post"
  /** Sessions from an earlier run of the app. */
  readonly sessions?: Map<string, NodeSavedSession>
  readonly keys: ReadonlyArray<JoseKey>
}

/** Creates a key with which an app authenticates. */
export const makeAppKey = (kid: string): Promise<JoseKey> => JoseKey.generate(["ES256"], kid)

/** Starts a confidential app's official client, and publishes its documents. */
export const startServerApp = (
  { publicUrl, plcUrl }: TestServer,
  { host, files }: PublishedApp,
  options: ServerAppOptions
): ServerApp => {
  const origin = `https://${host}` as const
  const callback = `${origin}/callback` as const
  const { sessions = new Map<string, NodeSavedSession>() } = options
  const ended: Array<string> = []
  const client = new NodeOAuthClient({
    clientMetadata: {
      client_id: `${origin}/client-metadata.json`,
      client_name: options.name ?? "An app of the web",
      client_uri: origin,
      redirect_uris: [callback],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      scope: options.scope ?? "atproto transition:generic",
      application_type: "web",
      dpop_bound_access_tokens: true,
      token_endpoint_auth_method: "private_key_jwt",
      token_endpoint_auth_signing_alg: "ES256",
      jwks_uri: `${origin}/jwks.json`
    },
    keyset: [...options.keys],
    responseMode: options.responseMode ?? "query",
    stateStore: storeIn(new Map<string, NodeSavedState>()),
    sessionStore: storeIn(sessions),
    requestLock: requestLocalLock,
    handleResolver: publicUrl,
    plcDirectoryUrl: plcUrl,
    // The test server is on this machine.
    allowHttp: true,
    onSessionDeleted: (_did, cause) => void ended.push(cause?.constructor.name ?? "")
  })
  files.set("/client-metadata.json", client.clientMetadata)
  files.set("/jwks.json", client.jwks)
  return { client, callback, sessions, ended }
}

/** The redirect back to a web app. */
export interface WayBack {
  readonly method: string
  readonly params: URLSearchParams
}

/**
 * Navigates to the server and back to the app; `meanwhile` acts for the person on the pages.
 *
 * The app's own page is answered in the browser, since it isn't online.
 */
export const travel = async (
  context: BrowserContext,
  to: URL,
  { callback }: ServerApp,
  meanwhile: (page: Page) => Promise<void>
): Promise<WayBack> => {
  const page = await context.newPage()
  const devtools = await context.newCDPSession(page)
  await devtools.send("Fetch.enable", { patterns: [{ urlPattern: `${callback}*` }] })
  const arrived = new Promise<WayBack>((resolve, reject) => {
    devtools.once("Fetch.requestPaused", ({ requestId, request }) => {
      const { method, url, postData } = request
      const params = method === "POST" ? new URLSearchParams(postData) : new URL(url).searchParams
      devtools
        .send("Fetch.fulfillRequest", { requestId, responseCode: 200, body: btoa("welcome back") })
        .then(() => resolve({ method, params }), reject)
    })
  })
  await page.goto(to.href)
  await meanwhile(page)
  const way = await arrived
  await page.close()
  return way
}
