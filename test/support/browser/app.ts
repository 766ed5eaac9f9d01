/**
 * The app in the tests' browser: the unmodified official client, with functions for the tests.
 *
 * `test/support/browser/browserApps.ts` bundles and serves it.
 */
import type { Agent } from "@atproto/api"
import {
  atprotoLoopbackClientMetadata,
  type AuthorizeOptions,
  BrowserOAuthClient,
  type OAuthSession
} from "@atproto/oauth-client-browser"

/** The settings that the page passes to the app. */
export interface AppSettings {
  readonly clientId: string
  readonly server: string
  readonly plc: string
}

/** The outcome of one of the app's calls. */
export type Outcome =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly name: string; readonly message: string }

/** The functions for the tests. */
export interface TestApp {
  /** The outcome of the start: the signed-in DID, nothing, or the error of the redirect. */
  readonly started: Promise<Outcome>
  /** The sessions that ended unexpectedly, with the names of their causes. */
  readonly ended: Array<string>
  /** Navigates to the server; the page unloads soon after. */
  signIn(input: string, options?: AuthorizeOptions): Promise<Outcome>
  signInPopup(input: string, options?: AuthorizeOptions): Promise<Outcome>
  /** Restores a session from the store. */
  restore(did: string): Promise<Outcome>
  /** Asks the server for the session's account. */
  whoAmI(): Promise<Outcome>
  /** Writes a post; returns its URI. */
  post(text: string): Promise<Outcome>
  /** Likes one of the account's own posts. */
  like(uri: string): Promise<Outcome>
  /** Refreshes the tokens unconditionally; returns their scope. */
  refresh(): Promise<Outcome>
  signOut(): Promise<Outcome>
}

declare global {
  var app: TestApp
}

/** The client's errors have no names except their classes'. */
const nameOf = (cause: unknown): string =>
  cause instanceof Error ? cause.constructor.name : String(cause)

const outcome = async (run: () => Promise<string | undefined>): Promise<Outcome> => {
  try {
    return { ok: true, value: (await run()) ?? "" }
  } catch (cause) {
    return { ok: false, name: nameOf(cause), message: String(cause) }
  }
}

/** The official API's client, which most pages of the tests do without: its schemas take a while. */
const agentOf = async (session: OAuthSession): Promise<Agent> => {
  const { Agent } = await import("@atproto/api")
  return new Agent(session)
}

const start = (settings: AppSettings): TestApp => {
  const { clientId, server, plc } = settings
  const ended: Array<string> = []
  const client = new BrowserOAuthClient({
    clientMetadata: atprotoLoopbackClientMetadata(clientId),
    handleResolver: server,
    plcDirectoryUrl: plc,
    // The test server is on this machine.
    allowHttp: true,
    onSessionDeleted: (_did, cause) => void ended.push(nameOf(cause))
  })
  let session: OAuthSession | undefined
  const use = (found: OAuthSession | undefined) => {
    session = found
    return found?.did
  }
  const mine = (): OAuthSession => {
    if (session === undefined) throw new Error("nobody is signed in")
    return session
  }
  return {
    started: outcome(async () => use((await client.init())?.session)),
    ended,
    signIn: (input, options) =>
      outcome(async () => use(await client.signInRedirect(input, options))),
    signInPopup: (input, options) =>
      outcome(async () => use(await client.signInPopup(input, options))),
    restore: (did) => outcome(async () => use(await client.restore(did))),
    whoAmI: () =>
      outcome(async () => {
        const agent = await agentOf(mine())
        return (await agent.com.atproto.server.getSession()).data.did
      }),
    post: (text) => outcome(async () => (await (await agentOf(mine())).post({ text })).uri),
    like: (uri) =>
      outcome(async () => {
        const cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
        return (await (await agentOf(mine())).like(uri, cid)).uri
      }),
    refresh: () => outcome(async () => (await mine().getTokenInfo(true)).scope),
    signOut: () =>
      outcome(async () => {
        await mine().signOut()
        return use(undefined)
      })
  }
}

const settings = await fetch("/settings.json")
// SAFETY: the test server writes it in this form.
globalThis.app = start((await settings.json()) as AppSettings)
