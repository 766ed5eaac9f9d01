import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { build } from "../../scripts/build.ts"

const index = join(import.meta.dirname, "../../src/index.ts")

const folder = mkdtempSync(join(tmpdir(), "nacre-exports-"))
afterAll(() => rmSync(folder, { recursive: true }))

let code: string
beforeAll(async () => {
  const entry = join(folder, "worker.ts")
  writeFileSync(entry, `export { Account, default, Sequencer } from ${JSON.stringify(index)}\n`)
  code = (await build({ entry })).code
})

describe("a Worker without one of the server's classes", () => {
  it("a Worker names the class and the missing line, whether it isn't exported or has no storage", async () => {
    const server = new Miniflare({
      ...convertV4MiniflareOptions({
        modules: [{ type: "ESModule", path: "main.mjs", contents: code }],
        compatibilityDate: "2026-09-01",
        compatibilityFlags: ["nodejs_compat"],
        additionalUnboundDurableObjects: [{ className: "Account", useSQLite: true }],
        d1Databases: ["DIRECTORY"],
        r2Buckets: ["BLOBS"],
        bindings: {
          LOG_LEVEL: "none",
          MASTER_KEY: "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
          PLC_ROTATION_KEY: "01".repeat(32),
          ADMIN_PASSWORD: "administrator-password"
        },
        cf: false
      }),
      log: new Log(LogLevel.NONE),
      handleStructuredLogs: () => {}
    })
    try {
      const answer = await server.dispatchFetch("http://localhost:8787/ready")
      assert.strictEqual(answer.status, 503)
      // SAFETY: the response of /ready.
      const { problems } = (await answer.json()) as {
        problems: ReadonlyArray<{ variable: string; message: string }>
      }
      assert.deepStrictEqual(
        problems.map(({ variable }) => variable),
        ["Sequencer", "Limiter"]
      )
      assert.include(problems[0]?.message, 'add  "Sequencer": { "type": "durable-object"')
      assert.include(problems[1]?.message, 'add  export { Limiter } from "nacre"')
      const served = await server.dispatchFetch("http://localhost:8787/xrpc/_health")
      assert.strictEqual(served.status, 503)
    } finally {
      await server.dispose()
    }
  })
})
