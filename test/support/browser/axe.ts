import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { CDPSession, Page } from "playwright-core"

const readable = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** In ASCII: fourteen other characters make every copy of the text twice as long. */
const source = readable.replace(
  /[^\0-\x7f]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
)

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

/** Only the violations come back: the whole result is large. */
const violations = (options: object): string =>
  `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`

const sessions = new WeakMap<Page, Promise<CDPSession>>()

/** The debugger of a page, which stays: where one leaves, the page loses its virtual authenticator. */
const debuggerOf = (page: Page): Promise<CDPSession> => {
  const session = sessions.get(page) ?? page.context().newCDPSession(page)
  sessions.set(page, session)
  return session
}

/**
 * The violations that axe-core finds on a page: all in light mode, and contrast again in dark mode.
 */
export const violationsOn = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  const run = async (colorScheme: "light" | "dark", options: object) => {
    await page.emulateMedia({ colorScheme })
    for (const { id, nodes } of await page.evaluate<ReadonlyArray<Violation>>(
      violations(options)
    )) {
      for (const { html, failureSummary } of nodes) {
        found.push(`${colorScheme}: ${id}: ${html}: ${failureSummary}`)
      }
    }
  }
  // Injected through the debugger, since the page's policy only allows its own scripts; without
  // Playwright's wrapper, which would evaluate its half megabyte as a text once more.
  const devtools = await debuggerOf(page)
  const { exceptionDetails } = await devtools.send("Runtime.evaluate", { expression: source })
  if (exceptionDetails !== undefined) throw new Error(`axe-core: ${exceptionDetails.text}`)
  await run("light", { resultTypes: ["violations"] })
  await run("dark", { resultTypes: ["violations"], runOnly: ["color-contrast"] })
  // The visitor's own mode: each other one would paint the page once more.
  await page.emulateMedia({ colorScheme: "light" })
  return found
}
