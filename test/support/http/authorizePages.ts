import { Browser, type Shown } from "./httpBrowser.ts"
import type { Host } from "./httpHost.ts"
import type { App, Fields } from "./oauthApp.ts"

/** The sign-in page's URL for an app's new request, and the verifier of its challenge. */
export const pushed = async (app: App, fields?: Fields) => {
  const { answer, verifier } = await app.push(fields)
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.text}`)
  const requestUri: string = answer.body["request_uri"]
  const query = new URLSearchParams({ client_id: app.clientId, request_uri: requestUri })
  return { path: `/oauth/authorize?${query}`, requestUri, verifier }
}

/** A person's credentials. */
export interface Credentials {
  readonly handle: string
  readonly password: string
}

/** Opens a new request in a browser and signs in; returns the page after it. */
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

/** A browser with an earlier sign-in. */
export const signedInBrowser = async (host: Host, app: App, who: Credentials) => {
  const browser = new Browser(host)
  await signIn(browser, app, who)
  return browser
}

/** The parameters of the redirect to the client. */
export const answerTo = (location: string | undefined): URLSearchParams => {
  const url = new URL(location ?? "none:")
  return new URLSearchParams(url.hash === "" ? url.search : url.hash.slice(1))
}
