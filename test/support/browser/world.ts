import type { Browser, BrowserContext, Page } from "playwright-core"
import { startBrowser } from "./browser.ts"
import { bundleApp, serveApp, type ServedApp } from "./browserApps.ts"
import { publishApp, type PublishedApp } from "./browserServerApp.ts"
import { type Mailbox, openMailbox } from "./mailbox.ts"
import { makeVisitors, type Visitors } from "./visitors.ts"
import { startWorker, type TestServer } from "../server/server.ts"
import { startMemory } from "../server/serverMemory.ts"
import { type Person, signUp } from "../server/serverPeople.ts"
import type { AuthorizeOptions } from "@atproto/oauth-client-browser"
import type { Outcome, TestApp } from "./app.ts"

type PublishedName = "web" | "posted" | "rotating" | "query" | "form_post" | "granular" | "evil"

/** The real server, a real browser, and apps on this machine. */
export interface BrowserWorld extends Visitors {
  readonly server: TestServer
  /** Another server with the same PLC directory, from which people move. */
  readonly old: TestServer
  readonly browser: Browser
  /** Where the server's mails arrive. */
  readonly mailbox: Mailbox
  readonly app: ServedApp
  /** A second app with another origin, which requests fewer permissions. */
  readonly other: ServedApp
  /** The hosts where web apps publish their documents. */
  readonly published: Readonly<Record<PublishedName, PublishedApp>>
  /** A new account. */
  person(name: string): Promise<Person>
  close(): Promise<void>
}

/** Starts one server and one Chromium. */
export const startBrowserWorld = async (): Promise<BrowserWorld> => {
  const closing: Array<() => Promise<void>> = []
  const close = async () => {
    for (const end of closing.toReversed()) await end()
  }
  const closed = <A>(of: A, end: (of: A) => Promise<void>): A => {
    closing.push(() => end(of))
    return of
  }
  try {
    const browser = closed(await startBrowser(), (one) => one.close())
    const scripts = await bundleApp()
    const publish = async (host: string) => closed(await publishApp(host), (one) => one.close())
    const published = {
      web: await publish("app.example.com"),
      posted: await publish("posted.example.com"),
      rotating: await publish("rotating.example.com"),
      query: await publish("query.example.com"),
      form_post: await publish("form.example.com"),
      granular: await publish("granular.example.com"),
      evil: await publish("evil.example.com")
    }
    const mailbox = closed(await openMailbox(), (one) => one.close())
    const hosts = [...Object.values(published).map(({ host, at }) => `${host}=${at}`), mailbox.at]
    const older = { HANDLE_DOMAINS: "old.test", INVITE_REQUIRED: "off" }
    const old = closed(await startMemory(older), (one) => one.stop())
    const allowed = [old.plcUrl, old.publicUrl].map((url) => new URL(url).host).join(",")
    const shared = { PLC_URL: old.plcUrl, DEV_ALLOW_HOSTS: allowed }
    const server = closed(
      await startWorker({ DEV_HOSTS: hosts.join(","), ...shared, ...mailbox.env }),
      (one) => one.stop()
    )
    const serve = async (scope: string) =>
      closed(await serveApp(scripts, server, scope), (one) => one.close())
    const app = await serve("atproto transition:generic")
    const other = await serve("atproto repo:app.bsky.feed.post?action=create")
    const origins = [app.url, other.url, server.publicUrl].map((url) => new URL(url).origin)
    return {
      ...makeVisitors(browser, origins),
      server,
      old,
      browser,
      mailbox,
      app,
      other,
      published,
      person: (name) => signUp(server, name),
      close
    }
  } catch (cause) {
    await close()
    throw cause
  }
}

type Asked = Exclude<keyof TestApp, "started" | "ended">

/** Calls a function of the app in a page. */
export const ask = (
  page: Page,
  name: Asked,
  input = "",
  options?: AuthorizeOptions
): Promise<Outcome> =>
  page.evaluate(([name, input, options]) => app[name](input, options), [
    name,
    input,
    options
  ] as const)

/** The outcome of the app's start, once it has loaded. */
export const started = (page: Page): Promise<Outcome> =>
  // Not by Playwright's own wait, for which the page would compile a third of a megabyte.
  page.evaluate(async () => {
    const over = performance.now() + 100_000
    while (!("app" in globalThis)) {
      // A script that didn't load says nothing here, and no later wait of the test would name it.
      if (performance.now() > over) throw new Error("the app didn't start")
      await new Promise((again) => setTimeout(again, 5))
    }
    return app.started
  })

/** Opens an app in a browser context without a session. */
export const openApp = async (context: BrowserContext, { url }: ServedApp): Promise<Page> => {
  const page = await context.newPage()
  await page.goto(url)
  await started(page)
  return page
}

/** Lets the app navigate to the server. */
export const leave = async (page: Page, input: string, options?: AuthorizeOptions) => {
  // The page that would respond has unloaded by then.
  ask(page, "signIn", input, options).catch(() => undefined)
  await page.waitForURL("**/oauth/authorize**")
}

/** Waits until the browser is back in the app; returns the signed-in DID, or the error. */
export const back = async (page: Page, { url }: ServedApp): Promise<Outcome> => {
  await page.waitForURL((now) => now.href.startsWith(url))
  return started(page)
}
