import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core"
import { complaintsIn, newVisitor } from "./browser.ts"

/** The browser contexts of people who come one after the other. */
export interface Visitors {
  /** A browser context without any data. */
  visitor(options?: BrowserContextOptions): Promise<BrowserContext>
  /** Removes all of a visitor's data, and keeps the context for the next visitor. */
  forget(context: BrowserContext): Promise<void>
  complaints(): ReadonlyArray<string>
}

/** One browser context, and the page that keeps its renderer alive. */
interface Seat {
  readonly options: string
  readonly keeper: Page
}

/** Uses a few browser contexts for all visitors: a new one needs a renderer, which compiles everything again. */
export const makeVisitors = (browser: Browser, origins: ReadonlyArray<string>): Visitors => {
  const seats = new Map<BrowserContext, Seat>()
  const free: Array<BrowserContext> = []
  const heard: Array<ReadonlyArray<string>> = []
  return {
    visitor: async (options = {}) => {
      const wanted = JSON.stringify(options)
      const at = free.findIndex((context) => seats.get(context)?.options === wanted)
      if (at >= 0) return free.splice(at, 1)[0]!
      const context = await newVisitor(browser, options)
      heard.push(complaintsIn(context))
      seats.set(context, { options: wanted, keeper: await context.newPage() })
      return context
    },
    forget: async (context) => {
      const { keeper } = seats.get(context)!
      for (const page of context.pages()) if (page !== keeper) await page.close()
      await context.unrouteAll()
      await context.clearPermissions()
      await context.clearCookies()
      const devtools = await context.newCDPSession(keeper)
      await devtools.send("Network.clearBrowserCache")
      for (const origin of origins) {
        await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "all" })
      }
      await devtools.detach()
      free.push(context)
    },
    complaints: () => heard.flat()
  }
}
