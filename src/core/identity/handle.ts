import * as Result from "effect/Result"
import { isHandle } from "../lexicon/syntax.ts"
import { calledName } from "./calledName.ts"
import { reservedHandles } from "./reservedHandles.ts"
import { specialDomains } from "./specialDomains.ts"

/** The placeholder for a handle that does not belong to its account. */
export const invalidHandle = "handle.invalid"

/** Why a handle is rejected, with the protocol's error names. */
export interface HandleFault {
  readonly error: "InvalidHandle" | "HandleNotAvailable"
  readonly message: string
}

/** A handle in its stored form, and whether it is under one of the host's own domains. */
export interface CheckedHandle {
  readonly handle: string
  /**
   * True: this host gives the handle out. False: it must resolve to the account by DNS or HTTPS.
   */
  readonly hosted: boolean
}

/** The rules that handles must follow. */
export interface HandleRules {
  /** Domains under which accounts get handles, without a leading dot: `pds.example.com`. */
  readonly serviceDomains: ReadonlyArray<string>
  /** The host's own name. */
  readonly host?: string
  /** Allows `.test` handles, for development. */
  readonly allowTest?: boolean
  /** Skips reserved names and the length rules of service domains, for administrators. */
  readonly override?: boolean
}

const fault = (error: HandleFault["error"], message: string) =>
  Result.fail<HandleFault>({ error, message })

/** The longest service domain that a (normalized) handle is under; undefined if none. */
export const serviceDomainOf = (
  handle: string,
  serviceDomains: ReadonlyArray<string>
): string | undefined =>
  serviceDomains
    .filter((domain) => handle.endsWith(`.${domain}`))
    .toSorted((a, b) => b.length - a.length)[0]

/** Names that could be mistaken for the host, and its own. */
const isReserved = (label: string, handle: string, { host, serviceDomains }: HandleRules) =>
  reservedHandles.has(label) || handle === host || serviceDomains.includes(handle)

/**
 * Normalizes a handle and checks whether an account here may use it.
 *
 * The apex of a service domain is like any other handle: it must resolve to the account.
 */
export const checkHandle = (
  input: string,
  rules: HandleRules
): Result.Result<CheckedHandle, HandleFault> => {
  const handle = calledName(input)
  if (!isHandle(handle)) return fault("InvalidHandle", "Input/handle must be a valid handle")
  const top = handle.slice(handle.lastIndexOf(".") + 1)
  const domain = serviceDomainOf(handle, rules.serviceDomains)
  if (domain === undefined) {
    if (specialDomains.has(top) || (top === "test" && rules.allowTest !== true)) {
      return fault("InvalidHandle", `Handle TLD .${top} is invalid or disallowed`)
    }
    return Result.succeed({ handle, hosted: false })
  }
  const label = handle.slice(0, -domain.length - 1)
  // Invalid punycode has no URL, so nobody could ask this host about the handle.
  if (label.includes(".") || !URL.canParse(`https://${handle}`)) {
    return fault("InvalidHandle", "Invalid characters in handle")
  }
  if (rules.override !== true) {
    if (label.length < 3) return fault("InvalidHandle", "Handle too short")
    if (label.length > 18) return fault("InvalidHandle", "Handle too long")
    if (isReserved(label, handle, rules)) return fault("HandleNotAvailable", "Reserved handle")
  }
  return Result.succeed({ handle, hosted: true })
}
