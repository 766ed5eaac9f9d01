import * as Effect from "effect/Effect"
import { Secret } from "otpauth/bare"
import { totpCode } from "../../src/core/factors/totp.ts"
import type { AccountCalls } from "../../src/services/accounts/AccountCalls.ts"
import { Accounts, type Rejected } from "../../src/services/accounts/Accounts.ts"
import type { Host } from "../support/http/httpHost.ts"

/** Asks an account's object as the pages do. */
export const ask = <K extends keyof AccountCalls>(
  host: Host,
  did: string,
  method: K,
  input: AccountCalls[K]["input"]
): Promise<AccountCalls[K]["output"]> =>
  host.beneath(Effect.flatMap(Accounts, (accounts) => accounts.call(did, method, input)))

/** How an account's object refuses. */
export const refusal = <K extends keyof AccountCalls>(
  host: Host,
  did: string,
  method: K,
  input: AccountCalls[K]["input"]
): Promise<Rejected> =>
  host.beneath(
    Effect.flip(Effect.flatMap(Accounts, (accounts) => accounts.call(did, method, input)))
  )

/** Somebody's authenticator app. */
export interface App {
  readonly recoveryCodes: ReadonlyArray<string>
  /** The code of a minute later than the last: one that was not used. */
  code(): string
}

/** Turns the second factor of an account on. */
export const withAuthenticator = async (host: Host, did: string): Promise<App> => {
  const { secret } = await ask(host, did, "beginAuthenticator", {})
  const code = () => {
    host.advance(60_000)
    return totpCode(Secret.fromBase32(secret).bytes, host.now())
  }
  const { recoveryCodes } = await ask(host, did, "confirmAuthenticator", { code: code() })
  return { recoveryCodes, code }
}
