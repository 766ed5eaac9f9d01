// The reference PDS over a folder of its own; tells when it listens, and every mail that it would send.
import { loopback } from "./loopback.mjs"
import reference from "@atproto/pds"

loopback()
const { PDS, readEnv, envToCfg, envToSecrets } = reference
const env = readEnv()
const pds = await PDS.create(envToCfg(env), envToSecrets(env))
pds.ctx.mailer.transporter.sendMail = async ({ to, subject, html, text }) => {
  process.send({ mail: { to, subject, text: text ?? html } })
}
await pds.start()
process.send({ ready: true })
process.once("SIGTERM", () => pds.destroy().finally(() => process.exit(0)))
// Whoever forked it is gone: nobody else would end it.
process.once("disconnect", () => process.exit(0))
