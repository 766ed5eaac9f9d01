import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { openFolder } from "../../src/cli/backup/folder.ts"

const cid = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"

describe("an unpacked archive of the account's page", () => {
  it.effect("an unpacked archive is a folder that import and recover read", () =>
    Effect.gen(function* () {
      const at = mkdtempSync(join(tmpdir(), "nacre-unpacked-"))
      mkdirSync(join(at, "blobs"))
      const facts = { did: "did:plc:abcdefghijklmnopqrstuvwx", handle: "alice.test" }
      const manifest = {
        type: "nacre-export",
        version: 1,
        ...facts,
        server: "https://pds.example.com",
        part: 1,
        blobs: 1,
        files: []
      }
      writeFileSync(join(at, "manifest.json"), JSON.stringify(manifest))
      writeFileSync(join(at, "blobs", `${cid}.jpg`), "a picture")
      const folder = yield* openFolder(at)
      assert.deepInclude(yield* folder.manifest, facts)
      assert.deepStrictEqual([...(yield* folder.blobs)], [[cid, join(at, "blobs", `${cid}.jpg`)]])
      rmSync(at, { recursive: true })
    }).pipe(Effect.provide(NodeServices.layer))
  )
})
