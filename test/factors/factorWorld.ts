import * as Effect from "effect/Effect"
import { Secret } from "otpauth/bare"
import { totpCode } from "./totpCode.ts"
import { wireError } from "../../src/http/errors.ts"
import type { WireError } from "../../src/http/wire.ts"
import type { CallInput, CallName, CallOutput } from "../../src/services/accounts/AccountCalls.ts"
import { Accounts } from "../../src/services/accounts/Accounts.ts"
import type { Host } from "../support/http/httpHost.ts"

/** Calls an account's object as the pages do. */
export const ask = <K extends CallName>(
  host: Host,
  did: string,
  method: K,
  ...input: CallInput<K>
): Promise<CallOutput<K>> =>
  host.beneath(Effect.flatMap(Accounts, (accounts) => accounts.call(did, method, ...input)))

/** The error of an account's object. */
export const refusal = <K extends CallName>(
  host: Host,
  did: string,
  method: K,
  ...input: CallInput<K>
): Promise<WireError> =>
  host.beneath(
    Accounts.pipe(
      Effect.flatMap((accounts) => Effect.flip(accounts.call(did, method, ...input))),
      Effect.map(wireError)
    )
  )

/** An authenticator app. */
export interface App {
  readonly recoveryCodes: ReadonlyArray<string>
  /** An unused code, a minute later than the last. */
  code(): string
}

/** Turns on an account's second factor. */
export const withAuthenticator = async (host: Host, did: string): Promise<App> => {
  const { secret } = await ask(host, did, "beginAuthenticator")
  const code = () => {
    host.advance(60_000)
    return totpCode(Secret.fromBase32(secret).bytes, host.now())
  }
  const { recoveryCodes } = await ask(host, did, "confirmAuthenticator", { code: code() })
  return { recoveryCodes, code }
}
