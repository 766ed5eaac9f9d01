import { Browser, type Shown } from "./httpBrowser.ts"
import type { Host } from "./httpHost.ts"
import type { App, Fields } from "./oauthApp.ts"

/** Where a browser is sent for a request that an app has just pushed, and the verifier of its challenge. */
export const pushed = async (app: App, fields?: Fields) => {
  const { answer, verifier } = await app.push(fields)
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
  const requestUri: string = answer.body["request_uri"]
  const query = new URLSearchParams({ client_id: app.clientId, request_uri: requestUri })
  return { path: `/oauth/authorize?${query}`, requestUri, verifier }
}

/** Somebody who can sign in. */
export interface Credentials {
  readonly handle: string
  readonly password: string
}

/** Opens a new request in a browser and signs in; answers the page after it. */
export const signIn = async (
  browser: Browser,
  app: App,
  { handle, password }: Credentials,
  fields?: Fields
): Promise<Shown> => {
  const { path } = await pushed(app, fields)
  const page = await browser.get(path)
  return browser.submit(page.form("/sign-in"), { identifier: handle, password })
}

/** A browser on which somebody has signed in before. */
export const signedInBrowser = async (host: Host, app: App, who: Credentials) => {
  const browser = new Browser(host)
  await signIn(browser, app, who)
  return browser
}

/** What an answer tells the client: the parameters of its redirect. */
export const answerTo = (location: string | undefined): URLSearchParams => {
  const url = new URL(location ?? "none:")
  return new URLSearchParams(url.hash === "" ? url.search : url.hash.slice(1))
}
