/**
 * `npm run dev`: wrangler dev with reload, with the secrets of .dev.vars, created if missing.
 *
 *   PORT=8787   the port of 127.0.0.1 to listen on; other arguments go to wrangler (--env dev unless they name another)
 */
import { spawn } from "node:child_process"
import { resolve } from "node:path"
import { root } from "./build.ts"
import { loadSecrets } from "./env.ts"
import { startPlc } from "./plc.ts"

const { vars, added } = loadSecrets(resolve(root, ".dev.vars"))
if (added.length > 0) console.log(`Created ${added.join(", ")} in .dev.vars.`)

const port = process.env["PORT"] || "8787"
const known = { ...vars, ...process.env }
const variables: Record<string, string> = {
  PUBLIC_URL: known["PUBLIC_URL"] || `http://localhost:${port}`
}
if (known["PLC_URL"]) {
  variables["PLC_URL"] = known["PLC_URL"]
} else {
  const plc = await startPlc()
  variables["PLC_URL"] = plc.url
  variables["DEV_ALLOW_HOSTS"] = new URL(plc.url).host
}

const given = process.argv.slice(2)
const environment = given.some((word) => /^(-e|--env)(=|$)/.test(word)) ? [] : ["--env", "dev"]
const child = spawn(
  // This Node, which npm has chosen: wrangler needs 22 or later.
  process.execPath,
  [
    resolve(root, "node_modules/wrangler/bin/wrangler.js"),
    "dev",
    "--ip",
    "127.0.0.1",
    "--port",
    port,
    ...Object.entries(variables).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ...environment,
    ...given
  ],
  { cwd: root, stdio: "inherit" }
)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal))
child.once("exit", (code) => process.exit(code ?? 0))
