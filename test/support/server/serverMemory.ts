import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { createAccount, firstAccount } from "../../../scripts/account.ts"
import { startPlc } from "../../../scripts/plc.ts"
import { accountApp } from "../../../src/http/account.ts"
import { makeHandler } from "../../../src/http/webHandler.ts"
import * as Box from "../../../src/layers/Box.ts"
import * as Memory from "../../../src/layers/Memory.ts"
import * as NodeServer from "../../../src/layers/host/NodeServer.ts"
import { PasswordCost } from "../../../src/services/sessions/Passwords.ts"
import { boxOptions, isBox } from "../homes.ts"
import { cheapPasswords } from "../passwords.ts"
import { quickFailures } from "../quickFailures.ts"
import { freePort, type TestServer } from "./server.ts"

/**
 * Starts the memory server in this process, or with `TEST_HOME=box` one with files.
 *
 * Data in memory ends with the server, so a restart only restarts its listener: it cuts every
 * connection, but loses nothing else. One with files closes them, too.
 */
export const startFragile = async (
  more: Readonly<Record<string, string>> = {}
): Promise<TestServer & { burnDown(): Promise<void> }> => {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const url = `http://127.0.0.1:${port}`
  const plc = await startPlc()
  const adminPassword = randomBytes(12).toString("base64url")
  const env = {
    PUBLIC_URL: publicUrl,
    MASTER_KEY: randomBytes(32).toString("base64url"),
    PLC_ROTATION_KEY: "42".repeat(32),
    PLC_URL: plc.url,
    ADMIN_PASSWORD: adminPassword,
    RATE_LIMITS: "off",
    LOG_LEVEL: "error",
    ...more,
    DEV_ALLOW_HOSTS: [new URL(plc.url).host, more["DEV_ALLOW_HOSTS"]].filter(Boolean).join(",")
  }
  const folder = isBox ? mkdtempSync(join(tmpdir(), "nacre-box-")) : undefined
  const remove = () => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
  const open = async () => {
    const scope = Scope.makeUnsafe()
    const home =
      folder === undefined
        ? Memory.make(accountApp, env)
        : Box.make(accountApp, env, { folder, ...boxOptions })
    const { sequencer, services } = await home.pipe(Scope.provide(scope), Effect.runPromise)
    const built = await Effect.runPromise(Scope.provide(Layer.build(services), scope))
    const handler = makeHandler(
      Layer.succeedContext(
        built.pipe(
          Context.add(PasswordCost, cheapPasswords),
          Context.add(Clock.Clock, quickFailures())
        )
      )
    )
    return { scope, sequencer, handler }
  }
  let data = await open()

  const listen = async () => {
    const scope = Scope.makeUnsafe()
    const { handler, sequencer } = data
    await NodeServer.serve({ handler, sequencer, port }).pipe(
      Scope.provide(scope),
      Effect.runPromise
    )
    return scope
  }
  let listening = await listen()
  const close = () => Effect.runPromise(Scope.close(listening, Exit.void))
  const closeData = () => Effect.runPromise(Scope.close(data.scope, Exit.void))
  const restart: TestServer["restart"] = async (between) => {
    await close()
    if (folder !== undefined) {
      await closeData()
      between?.(folder)
      data = await open()
    }
    listening = await listen()
  }

  const account = firstAccount({ publicUrl, adminPassword, handleDomains: more["HANDLE_DOMAINS"] })
  await createAccount(url, account)
  return {
    url,
    publicUrl,
    plcUrl: plc.url,
    workerd: undefined,
    account,
    restart,
    crash: restart,
    /** Loses everything but the configuration and the directory of DIDs. */
    burnDown: async () => {
      await close()
      await closeData()
      remove()
      data = await open()
      listening = await listen()
    },
    stop: async () => {
      await close()
      await closeData()
      remove()
      await plc.close()
    }
  }
}

/** Starts that server, as tests that run over several kinds of server do. */
export const startMemory = (more?: Readonly<Record<string, string>>): Promise<TestServer> =>
  startFragile(more)
