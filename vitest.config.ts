import { cloudflareTest } from "@cloudflare/vitest-plugin"
import { defineConfig } from "vitest/config"

/** What a deployment keeps as secrets: the Worker and its objects refuse to start without. */
const bindings = {
  PUBLIC_URL: "https://pds.test",
  MASTER_KEY: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
  PLC_ROTATION_KEY: "01".repeat(32),
  ADMIN_PASSWORD: "admin-password",
  RATE_LIMITS: "off",
  RELAYS: "none",
  LOG_LEVEL: "error"
}

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["test/{interop,contract,node,http,e2e}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000
        }
      },
      {
        plugins: [
          cloudflareTest({ wrangler: { configPath: "./wrangler.toml" }, miniflare: { bindings } })
        ],
        test: {
          name: "workerd",
          include: ["test/workerd/**/*.test.ts"],
          isolate: false,
          maxWorkers: 1,
          testTimeout: 60_000
        }
      }
    ]
  }
})
