import * as Effect from "effect/Effect"
import type { Role } from "../../../src/core/operators/roles.ts"
import { AuditLog } from "../../../src/services/operators/AuditLog.ts"
import { Operators } from "../../../src/services/operators/Operators.ts"
import { enter, ours, withAuthenticator } from "./accountPages.ts"
import { Browser, type PageForm, type Shown } from "./httpBrowser.ts"
import type { Host } from "./httpHost.ts"
import { type Person, signUp } from "./httpWorld.ts"

const minute = 60_000

/** An operator with an authenticator. */
export interface Operator extends Person {
  readonly role: Role
  readonly factor: Awaited<ReturnType<typeof withAuthenticator>>
}

/** Creates an operator. */
export const makeOperator = async (host: Host, name: string, role: Role): Promise<Operator> => {
  const person = await signUp(host, name)
  const factor = await withAuthenticator(host, person.did)
  const { did } = person
  await host.beneath(
    Effect.flatMap(Operators, (all) => all.set({ did, role, addedBy: "password" }))
  )
  return { ...person, role, factor }
}

/** Sends the code that a page asks for after the password; each code works once. */
export const proveCode = async (
  host: Host,
  browser: Browser,
  step: Shown,
  { factor }: Operator
): Promise<Shown> => {
  host.advance(minute)
  const code = factor.totp.generate({ timestamp: host.now() })
  return browser.submit(step.form("/code"), { code })
}

/** Signs in at the console with password and code. */
export const enterConsole = async (
  host: Host,
  operator: Operator,
  to = "/admin"
): Promise<Browser> => {
  const browser = new Browser(host)
  await proveCode(host, browser, await enter(browser, operator, to), operator)
  return browser
}

/** A page of the console. */
export const look = (browser: Browser, name: string): Promise<Shown> =>
  browser.get(name === "" ? "/admin" : `/admin/console/${name}`, ours)

/** A form on a page of the console, found by its action. */
export const consoleForm = async (
  browser: Browser,
  page: string,
  action: string
): Promise<PageForm> => (await look(browser, page)).form(`/admin/console/${action}`)

/** The newest entries of the audit log, newest first. */
export const newestActs = (host: Host, limit = 1) =>
  host.beneath(Effect.flatMap(AuditLog, (log) => log.page({ limit })))
