import { join } from "node:path"
import { isLocalAddress } from "../env.ts"
import { freePort, isFree } from "../server.ts"

/** The PLC directory of a server: its own, or another. */
export interface PlcDirectory {
  readonly url: string
  readonly own: boolean
  readonly port: number | undefined
  readonly close: () => Promise<void>
}

/**
 * The PLC directory in PLC_URL, or a local one whose log is stored with the data.
 *
 * A publicly reachable address gets the public directory, since others couldn't resolve local DIDs.
 */
export async function openPlc(
  given: string | undefined,
  publicUrl: string,
  dataDir: string,
  lastPort: number | undefined
): Promise<PlcDirectory> {
  const url = given || (isLocalAddress(publicUrl) ? undefined : "https://plc.directory")
  if (url) return { url, own: false, port: undefined, close: async () => {} }
  const { startPlc } = await import("../plc.ts")
  const port = lastPort !== undefined && (await isFree(lastPort)) ? lastPort : await freePort()
  const plc = await startPlc({ port, file: join(dataDir, "plc.json") })
  return { url: plc.url, own: true, port: plc.port, close: plc.close }
}
