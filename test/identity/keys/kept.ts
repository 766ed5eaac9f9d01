import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach } from "@effect/vitest"
import { startPlc } from "../../../scripts/plc.ts"
import * as BackupTargetMemory from "../../../src/layers/backups/BackupTargetMemory.ts"
import { type Host, startHost } from "../../support/http/httpHost.ts"

const afterwards: Array<() => Promise<void> | void> = []
afterEach(async () => {
  for (const done of afterwards.splice(0).toReversed()) await done()
})

/** A server whose data stays when it starts again with other keys. */
export const startKept = async (
  objects = new Map<string, Uint8Array>(),
  startDirectory: typeof startPlc = startPlc
) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-keys-"))
  const plc = await startDirectory()
  let host: Host | undefined
  let shift = 0
  afterwards.push(async () => {
    await host?.close()
    await plc.close()
    rmSync(folder, { recursive: true })
  })
  const start = async (env: Readonly<Record<string, string>>): Promise<Host> => {
    await host?.close()
    const backups = BackupTargetMemory.make(objects)
    host = await startHost(
      { OAUTH_ACCESS_TOKEN_MINUTES: "30", ...env },
      { backups, kept: folder, plc }
    )
    host.advance(shift)
    return host
  }
  return {
    start,
    /** Moves the clock of this server and of those after it. */
    advance: (millis: number) => {
      shift += millis
      host?.advance(millis)
    }
  }
}
