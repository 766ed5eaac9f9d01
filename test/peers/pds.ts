// The reference PDS over its own folder; reports when it listens, and every mail that it would send.
import { holding } from "./holding.ts"
import { loopback } from "./loopback.ts"
import module from "node:module"
import reference from "@atproto/pds"

loopback()
holding()
const { PDS, readEnv, envToCfg, envToSecrets } = reference
const env = readEnv()
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
pds.ctx.mailer.transporter.sendMail = async ({ to, subject, html, text }) => {
  process.send?.({ mail: { to, subject, text: text ?? html } })
}
await pds.start()
// Tests kill this process, which would write the cache at its end.
module.flushCompileCache?.()
process.send?.({ ready: true })
process.once("SIGTERM", () => pds.destroy().finally(() => process.exit(0)))
// The parent process is gone, so nobody else would end this one.
process.once("disconnect", () => process.exit(0))
