import { mkdirSync } from "node:fs"
import { join } from "node:path"
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page
} from "playwright-core"
import { violationsOn } from "./axe.ts"
import { chromiumPath, noChromium } from "./browserPath.ts"

/** The parts of Chromium's window, each with its own process, which cost half of a test's time. */
const ornaments = [
  "PreloadTopChromeWebUI",
  "InitialWebUI",
  "WebUIAppMenuButton",
  "WebUIAvatarButton",
  "WebUIBackForwardButton",
  "WebUIExtensionsContainer",
  "WebUIHomeButton",
  "WebUILocationBar",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxFullPopup",
  "WebUIOmniboxPopup",
  "WebUIPinnedToolbarActions",
  "WebUIReloadButton",
  "WebUISplitTabsButton",
  "WebUIToolbar"
]

/** Playwright's disabled features, which a second list would otherwise replace. */
const unwanted = [
  // A spare renderer for each visitor costs half of a second, and nobody comes to use it.
  "SpareRendererForSitePerProcess",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "OptimizationHints",
  "PaintHolding",
  // A new frame, with all that belongs to it, for each page of the same site.
  "RenderDocument",
  "ThirdPartyStoragePartitioning"
]

/** Starts Chromium without any network access besides the visited pages. */
export const startBrowser = (): Promise<Browser> => {
  const executablePath = chromiumPath()
  if (executablePath === undefined) {
    throw new Error(noChromium)
  }
  return chromium.launch({
    executablePath,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // One process for each visitor's pages, whatever sites they are of: what a page may do is the same.
      "--disable-site-isolation-trials",
      "--renderer-process-limit=1",
      "--in-process-gpu",
      // V8's own threads and its optimizing compilers take more time than they save for pages that
      // live for a second.
      "--js-flags=--single-threaded --no-opt --no-maglev",
      // The whole window is one tile.
      "--default-tile-width=1024",
      "--default-tile-height=1024",
      `--disable-features=${[...ornaments, ...unwanted].join(",")}`
    ]
  })
}

const looks = {
  light: { colorScheme: "light", width: 1200, height: 800 },
  dark: { colorScheme: "dark", width: 1200, height: 800 },
  phone: { colorScheme: "light", width: 375, height: 780 },
  "phone-dark": { colorScheme: "dark", width: 375, height: 780 }
} as const

/**
 * Fails if axe-core finds a violation on a page; takes screenshots if `SCREENSHOTS` names a folder.
 */
export const look = async (page: Page, name: string, { scripts = true } = {}): Promise<void> => {
  // axe-core waits for timers, which don't run without scripts.
  const violations = scripts ? await violationsOn(page) : []
  if (violations.length > 0) throw new Error(`the page ${name}: ${violations.join("\n")}`)
  const folder = process.env["SCREENSHOTS"]
  if (folder === undefined || folder === "") return
  mkdirSync(folder, { recursive: true })
  for (const [variant, { colorScheme, width, height }] of Object.entries(looks)) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height })
    // As high as the page: a taller screenshot would repeat fixed elements.
    const { height: whole } = (await page.locator("html").boundingBox()) ?? { height }
    await page.setViewportSize({ width, height: Math.max(height, Math.ceil(whole)) })
    await page.screenshot({ path: join(folder, `${name}-${variant}.png`) })
  }
  await page.emulateMedia({ colorScheme: "light" })
}

/** Takes a screenshot for the documents, if `PICTURES` is set. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (process.env["PICTURES"] === undefined) return
  await page.setViewportSize({ width: 820, height: 700 })
  await page.locator("h1").scrollIntoViewIfNeeded()
  const path = join(import.meta.dirname, "../../../docs/pictures", `${name}.png`)
  await page.screenshot({ path, animations: "disabled" })
}

/** The text of the page's heading. */
export const heading = (page: Page): Promise<string> => page.locator("main h1").innerText()

/** Waits for a page of the server, by its heading. */
export const arrive = async (page: Page, title: string): Promise<void> => {
  await page.locator("main h1", { hasText: title }).waitFor()
}

/** A person's credentials. */
export interface Credentials {
  readonly handle: string
  readonly password: string
}

/** Fills in and submits the sign-in form; keeps a handle that is already set. */
export const signInHere = async (
  page: Page,
  { handle, password }: Credentials,
  { remember = true } = {}
): Promise<void> => {
  await arrive(page, "Sign in")
  const name = page.getByLabel("Handle, email or DID")
  if (await name.isEditable()) await name.fill(handle)
  await page.getByLabel("Password").fill(password)
  await page.getByLabel("Keep me signed in on this device").setChecked(remember)
  await page.getByRole("button", { name: "Sign in", exact: true }).click()
}

/** Signs a visitor in without showing a page, for a test that is about something else. */
export const signInUnseen = async (
  { request }: BrowserContext,
  server: string,
  { handle, password }: Credentials
): Promise<void> => {
  const url = `${server}/account/sign-in`
  const [, csrf = ""] =
    /name="csrf" value="([^"]+)"/.exec(await (await request.get(url)).text()) ?? []
  const form = { csrf, to: "", identifier: handle, password, remember: "on" }
  const headers = { origin: server }
  const answer = await request.post(url, { form, headers, maxRedirects: 0 })
  if (answer.status() !== 303) throw new Error(`the sign-in of ${handle}: ${answer.status()}`)
}

/** Allows the app on the consent page. */
export const allow = async (page: Page): Promise<void> => {
  await arrive(page, "Allow this app to use your account?")
  await page.getByRole("button", { name: "Allow" }).click()
}

/** A fresh browser context. If a page doesn't load, the step that waits for it fails. */
export const newVisitor = async (
  browser: Browser,
  options?: BrowserContextOptions
): Promise<BrowserContext> => {
  const context = await browser.newContext({
    // Just wider than the widest page, since half of a test's time went into painting its background.
    viewport: { width: 800, height: 600 },
    // A transition paints twelve times.
    reducedMotion: "reduce",
    ...options
  })
  context.setDefaultTimeout(120_000)
  return context
}

/** Collects the pages' console errors: violations of their policy, and errors of scripts. */
export const complaintsIn = (context: BrowserContext): ReadonlyArray<string> => {
  const complaints: Array<string> = []
  context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text())
  })
  context.on("weberror", (error) => complaints.push(String(error.error())))
  return complaints
}
