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

/** What a window of Chromium draws around the page, each part with a process of its own: half of a test's work. */
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

/** Playwright turns these off; a second list replaces its own. */
const unwanted = [
  // A spare renderer for each visitor costs half of a second, and nobody comes to use it.
  "SpareRendererForSitePerProcess",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "MediaRouter",
  "OptimizationHints",
  "PaintHolding",
  "ThirdPartyStoragePartitioning"
]

/** Starts Chromium; it asks nothing of the network but the pages that it is sent to. */
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

/** Fails if axe-core finds anything wrong with a page, and takes pictures of it if `SCREENSHOTS` names a folder. */
export const look = async (page: Page, name: string, { scripts = true } = {}): Promise<void> => {
  // axe-core waits for timers, which do not run where scripts are off.
  const violations = scripts ? await violationsOn(page) : []
  if (violations.length > 0) throw new Error(`the page ${name}: ${violations.join("\n")}`)
  const folder = process.env["SCREENSHOTS"]
  if (folder === undefined || folder === "") return
  mkdirSync(folder, { recursive: true })
  for (const [variant, { colorScheme, width, height }] of Object.entries(looks)) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
    await page.setViewportSize({ width, height })
    // As high as the page: a picture that goes beyond the window repeats what is fixed in it.
    const { height: whole } = (await page.locator("html").boundingBox()) ?? { height }
    await page.setViewportSize({ width, height: Math.max(height, Math.ceil(whole)) })
    await page.screenshot({ path: join(folder, `${name}-${variant}.png`) })
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}

/** Takes a picture of a page for the documents, if `PICTURES` is set. */
export const picture = async (page: Page, name: string): Promise<void> => {
  if (process.env["PICTURES"] === undefined) return
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" })
  await page.setViewportSize({ width: 820, height: 700 })
  await page.locator("h1").scrollIntoViewIfNeeded()
  const path = join(import.meta.dirname, "../../../docs/pictures", `${name}.png`)
  await page.screenshot({ path, animations: "disabled" })
}

/** The text of the page's heading. */
export const heading = (page: Page): Promise<string> => page.locator("main h1").innerText()

/** Waits for one of our pages, by its heading. */
export const arrive = async (page: Page, title: string): Promise<void> => {
  await page.locator("main h1", { hasText: title }).waitFor()
}

/** Who somebody is, and how they prove it. */
export interface Credentials {
  readonly handle: string
  readonly password: string
}

/** Fills in the sign-in form and sends it; a name that is settled stays. */
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

/** Says yes on the consent page. */
export const allow = async (page: Page): Promise<void> => {
  await arrive(page, "Allow this app to use your account?")
  await page.getByRole("button", { name: "Allow" }).click()
}

/** A browser of somebody who was never here. Where a page does not come, the step that waits for it fails. */
export const newVisitor = async (
  browser: Browser,
  options?: BrowserContextOptions
): Promise<BrowserContext> => {
  const context = await browser.newContext(options)
  context.setDefaultTimeout(20_000)
  return context
}

/** What pages complain of in the browser's console: what their own policy forbids them, and errors of their scripts. */
export const complaintsIn = (context: BrowserContext): ReadonlyArray<string> => {
  const complaints: Array<string> = []
  context.on("console", (message) => {
    if (/content security policy/i.test(message.text())) complaints.push(message.text())
  })
  context.on("weberror", (error) => complaints.push(String(error.error())))
  return complaints
}
