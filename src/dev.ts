import { randomBytes } from "node:crypto"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { createAccount, firstAccount } from "../scripts/account.ts"
import { startPlc } from "../scripts/plc.ts"
import { accountApp } from "./http/account.ts"
import { makeHandler } from "./http/webHandler.ts"
import * as Memory from "./layers/Memory.ts"
import * as NodeServer from "./layers/host/NodeServer.ts"

/**
 * The whole server on Node, in memory: its data ends with the process, and each start creates new
 * secrets.
 */
const program = Effect.gen(function* () {
  const port = Number(process.env["PORT"] || 8787)
  const adminPassword = process.env["ADMIN_PASSWORD"] ?? randomBytes(12).toString("base64url")
  const publicUrl = process.env["PUBLIC_URL"] ?? `http://localhost:${port}`
  const plc = yield* Effect.acquireRelease(
    Effect.promise(() => startPlc({})),
    ({ close }) => Effect.promise(() => close())
  )
  const env = {
    PUBLIC_URL: publicUrl,
    MASTER_KEY: randomBytes(32).toString("base64url"),
    PLC_ROTATION_KEY: randomBytes(32).toString("hex"),
    PLC_URL: plc.url,
    LOG_LEVEL: "info",
    ...process.env,
    ADMIN_PASSWORD: adminPassword,
    DEV_ALLOW_HOSTS: [new URL(plc.url).host, process.env["DEV_ALLOW_HOSTS"]]
      .filter(Boolean)
      .join(",")
  }
  const { sequencer, services } = yield* Memory.make(accountApp, env)
  const handler = makeHandler(services)
  const isCapped = process.env["RATE_LIMITS"] !== "off"
  yield* NodeServer.serve({ handler, sequencer, port, isCapped })
  const handleDomains = process.env["HANDLE_DOMAINS"]
  const account = firstAccount({ publicUrl, adminPassword, handleDomains })
  yield* Effect.promise(() => createAccount(`http://127.0.0.1:${port}`, account))
  yield* Effect.sync(() => process.stdout.write(`${JSON.stringify(account, null, 2)}\n`))
  return yield* Effect.never
}).pipe(Effect.scoped)

const fiber = Effect.runFork(program)
fiber.addObserver((exit) => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
  const problem = Cause.squash(exit.cause)
  process.stderr.write(`${problem instanceof Error ? problem.message : String(problem)}\n`)
  process.exitCode = 1
})
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => fiber.interruptUnsafe())
}
