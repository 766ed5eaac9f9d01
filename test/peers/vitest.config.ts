import { join } from "node:path"
import { defineConfig } from "vitest/config"

/** The tests with real peers: `npm run peers`, which installs them first. */
export default defineConfig({
  test: {
    name: "peers",
    root: join(import.meta.dirname, "../.."),
    include: ["test/peers/*.test.ts"],
    // One reference server at a time is enough for a small machine.
    fileParallelism: false,
    // As in vitest.config.ts: modules are loaded once, by Node itself.
    isolate: false,
    experimental: { viteModuleRunner: false, nodeLoader: false },
    testTimeout: 300_000,
    hookTimeout: 120_000
  }
})
