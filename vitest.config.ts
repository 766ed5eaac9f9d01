import { cloudflareTest } from "@cloudflare/vitest-plugin"
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"
import { configurationNames } from "./scripts/env.ts"
import { findChromium, findOrInstallChromium } from "./test/support/browser/browserInstall.ts"
import { noChromium } from "./test/support/browser/browserPath.ts"
import { keepFilesInMemory } from "./test/support/filesInMemory.ts"
import { isBox, notOnBox } from "./test/support/homes.ts"
import { LongFirst } from "./test/support/longFirst.ts"

keepFilesInMemory()

/** The whole configuration of the Worker under test; empty is not set, whatever .dev.vars may say. */
const bindings = {
  ...Object.fromEntries(configurationNames.map((name) => [name, ""])),
  PUBLIC_URL: "https://pds.example.com",
  MASTER_KEY: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
  PLC_ROTATION_KEY: "01".repeat(32),
  ADMIN_PASSWORD: "administrator-password",
  RATE_LIMITS: "off",
  RELAYS: "none",
  LOG_LEVEL: "error"
}

const files = process.argv.slice(2).filter((word) => !word.startsWith("-") && word !== "run")
const isWholeRun = process.argv.includes("run") && files.length === 0
const browser = isWholeRun ? findOrInstallChromium() : findChromium()
if (browser !== undefined) process.env["CHROMIUM"] = browser

/** The objects under the names that the tests reach them by; the Worker itself finds them by their classes. */
const durableObjects = Object.fromEntries(
  ["Account", "Sequencer", "Limiter"].map((className) => [
    className.toUpperCase(),
    { className, useSQLite: true }
  ])
)

// Where everything must be tested, the tests themselves say what is missing, and fail.
const withBrowser = browser !== undefined || process.env["CI"] !== undefined
if (!withBrowser && isWholeRun) {
  process.once("exit", () => console.warn(`\ntest/browser was LEFT OUT. ${noChromium}`))
}

/** Ends a test that hangs, and none that is only slow: how fast a machine is, no test asserts. */
const hanging = { testTimeout: 180_000, hookTimeout: 180_000 }

/** Files share a worker and its modules, which Node loads itself: loading them for each file took most of the time. */
const ofNode = {
  isolate: false,
  experimental: { viteModuleRunner: false, nodeLoader: false },
  ...hanging
}

const leftOut = isBox ? Object.keys(notOnBox) : []
/** HTTP tests start that server themselves; others get their databases as its files. */
const boxFiles =
  isBox && !files.some((file) => file.includes(".http.")) ? ["test/support/boxHome.ts"] : []

export default defineConfig({
  test: {
    // Vitest's own choice leaves a core idle, while half of the tests wait for a server or a browser.
    maxWorkers: Math.max(2, availableParallelism()),
    sequence: { sequencer: LongFirst },
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.{workerd,browser}.test.ts", "test/peers/**", ...leftOut],
          setupFiles: [
            ...boxFiles,
            "test/support/plainAssert.ts",
            "test/support/http/afterFile.ts"
          ],
          ...ofNode
        }
      },
      ...(withBrowser
        ? [
            {
              test: {
                name: "browser",
                include: ["test/**/*.browser.test.ts"],
                ...ofNode
              }
            }
          ]
        : []),
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: { bindings, durableObjects }
          })
        ],
        test: {
          name: "workerd",
          include: ["test/**/*.workerd.test.ts"],
          isolate: false,
          ...hanging
        }
      }
    ]
  }
})
