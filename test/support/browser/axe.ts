import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

interface Violation {
  readonly id: string
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary: string }>
}

/**
 * The violations that axe-core finds on a page: all in light mode, and contrast again in dark mode.
 */
export const violationsOn = async (page: Page): Promise<ReadonlyArray<string>> => {
  const found: Array<string> = []
  const run = async (colorScheme: "light" | "dark", options: object) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" })
    // Injected through the debugger, since the page's policy only allows its own scripts.
    const { violations } = await page.evaluate<{ readonly violations: ReadonlyArray<Violation> }>(
      `axe.run(${JSON.stringify(options)})`
    )
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) {
        found.push(`${colorScheme}: ${id}: ${html}: ${failureSummary}`)
      }
    }
  }
  await page.evaluate(source)
  await run("light", { resultTypes: ["violations"] })
  await run("dark", { resultTypes: ["violations"], runOnly: ["color-contrast"] })
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  return found
}
