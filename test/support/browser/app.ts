/**
 * The app that stands in the browser of the tests: the official client, unmodified, and what tests ask of it.
 *
 * It is bundled and served by `test/support/browser/browserApps.ts`; nothing else is in its page.
 */
import { Agent } from "@atproto/api"
import {
  atprotoLoopbackClientMetadata,
  type AuthorizeOptions,
  BrowserOAuthClient,
  type OAuthSession
} from "@atproto/oauth-client-browser"

/** What the page that serves the app says of its surroundings. */
export interface AppSettings {
  readonly clientId: string
  readonly server: string
  readonly plc: string
}

/** How a call of the app ended. */
export type Outcome =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly name: string; readonly message: string }

/** What tests ask of the app. */
export interface TestApp {
  /** What became of the start: the DID of who is signed in, nothing, or the error of the way back. */
  readonly started: Promise<Outcome>
  /** The sessions that ended without being asked, with the names of their causes. */
  readonly ended: Array<string>
  /** Leaves for the server; the page is gone soon after. */
  signIn(input: string, options?: AuthorizeOptions): Promise<Outcome>
  signInPopup(input: string, options?: AuthorizeOptions): Promise<Outcome>
  /** Takes a session out of the store. */
  restore(did: string): Promise<Outcome>
  /** Asks the server whose session this is. */
  whoAmI(): Promise<Outcome>
  /** Writes a post; answers its address. */
  post(text: string): Promise<Outcome>
  /** Likes a post of one's own. */
  like(uri: string): Promise<Outcome>
  /** Asks for new tokens, needed or not; answers what they grant. */
  refresh(): Promise<Outcome>
  signOut(): Promise<Outcome>
}

declare global {
  var app: TestApp
}

/** The client's errors have no names but those of their classes. */
const nameOf = (cause: unknown): string =>
  cause instanceof Error ? cause.constructor.name : String(cause)

const outcome = async (run: () => Promise<string | undefined>): Promise<Outcome> => {
  try {
    return { ok: true, value: (await run()) ?? "" }
  } catch (cause) {
    return { ok: false, name: nameOf(cause), message: String(cause) }
  }
}

const start = (settings: AppSettings): TestApp => {
  const { clientId, server, plc } = settings
  const ended: Array<string> = []
  const client = new BrowserOAuthClient({
    clientMetadata: atprotoLoopbackClientMetadata(clientId),
    handleResolver: server,
    plcDirectoryUrl: plc,
    // The server of the tests is on this machine.
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
      outcome(async () => (await new Agent(mine()).com.atproto.server.getSession()).data.did),
    post: (text) => outcome(async () => (await new Agent(mine()).post({ text })).uri),
    like: (uri) =>
      outcome(async () => {
        const cid = "bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a"
        return (await new Agent(mine()).like(uri, cid)).uri
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
// SAFETY: the server of the tests writes it as such.
globalThis.app = start((await settings.json()) as AppSettings)
