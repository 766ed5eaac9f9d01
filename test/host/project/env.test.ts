import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { loadSecrets, parseVars } from "../../../scripts/env.ts"

const inFolder = (body: (file: string) => void) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-env-"))
  try {
    body(join(folder, ".dev.vars"))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the secrets of a local server", () => {
  it("secrets are created once, kept, and readable only by their owner", () => {
    inFolder((file) => {
      const first = loadSecrets(file)
      assert.deepStrictEqual(first.added, ["MASTER_KEY", "PLC_ROTATION_KEY", "ADMIN_PASSWORD"])
      assert.lengthOf(Buffer.from(first.vars["MASTER_KEY"] ?? "", "base64url"), 32)
      assert.match(first.vars["PLC_ROTATION_KEY"] ?? "", /^[0-9a-f]{64}$/)
      assert.isAtLeast(first.vars["ADMIN_PASSWORD"]?.length ?? 0, 20)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)

      const second = loadSecrets(file)
      assert.deepStrictEqual(second.added, [])
      assert.deepStrictEqual(second.vars, first.vars)
    })
  })

  it("existing secrets stay, and missing ones are added", () => {
    inFolder((file) => {
      writeFileSync(file, '# mine\nADMIN_PASSWORD="chosen by me"\nMASTER_KEY=\nLOG_LEVEL=debug')
      const { vars, added } = loadSecrets(file)
      assert.deepStrictEqual(added, ["MASTER_KEY", "PLC_ROTATION_KEY"])
      assert.strictEqual(vars["ADMIN_PASSWORD"], "chosen by me")
      assert.strictEqual(vars["LOG_LEVEL"], "debug")
      const text = readFileSync(file, "utf8")
      assert.include(text, "# mine\n")
      assert.deepStrictEqual(parseVars(text), vars)
    })
  })
})
