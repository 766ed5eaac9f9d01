import { isHandle } from "../lexicon/syntax.ts"
import { calledName } from "./calledName.ts"
import { reservedHandles } from "./reservedHandles.ts"
import { specialDomains } from "./specialDomains.ts"

/** What stands for a handle that does not belong to its account. */
export const invalidHandle = "handle.invalid"

/** Why a handle is refused, by the protocol's error names. */
export interface HandleFault {
  readonly error: "InvalidHandle" | "HandleNotAvailable"
  readonly message: string
}

/** A handle in its stored form, and whether it lies under one of the host's own domains. */
export interface CheckedHandle {
  readonly handle: string
  /** True: this host answers for the handle. False: it must resolve to the account by DNS or HTTPS. */
  readonly hosted: boolean
}

/** The rules that a handle is checked by. */
export interface HandleRules {
  /** Domains under which accounts get handles, without a leading dot: `pds.example.com`. */
  readonly serviceDomains: ReadonlyArray<string>
  /** The host's own name. */
  readonly host?: string
  /** Lets `.test` handles through, for development. */
  readonly allowTest?: boolean
  /** An administrator decides: reserved names and the length rules of service domains do not bind. */
  readonly override?: boolean
}

const fault = (error: HandleFault["error"], message: string) =>
  ({ ok: false, fault: { error, message } }) as const

/** The longest service domain that a (normalised) handle lies under, or undefined. */
export const serviceDomainOf = (
  handle: string,
  serviceDomains: ReadonlyArray<string>
): string | undefined =>
  serviceDomains
    .filter((domain) => handle.endsWith(`.${domain}`))
    .toSorted((a, b) => b.length - a.length)[0]

/** Names that would pass for the host, and its own. */
const isReserved = (label: string, handle: string, { host, serviceDomains }: HandleRules) =>
  reservedHandles.has(label) || handle === host || serviceDomains.includes(handle)

/**
 * Normalises a handle and checks it for use by an account here.
 *
 * The apex of a service domain is a handle like any other: it must resolve to the account.
 */
export const checkHandle = (
  input: string,
  rules: HandleRules
):
  | ({ readonly ok: true } & CheckedHandle)
  | { readonly ok: false; readonly fault: HandleFault } => {
  const handle = calledName(input)
  if (!isHandle(handle)) return fault("InvalidHandle", "Input/handle must be a valid handle")
  const top = handle.slice(handle.lastIndexOf(".") + 1)
  const domain = serviceDomainOf(handle, rules.serviceDomains)
  if (domain === undefined) {
    if (specialDomains.has(top) || (top === "test" && rules.allowTest !== true)) {
      return fault("InvalidHandle", `Handle TLD .${top} is invalid or disallowed`)
    }
    return { ok: true, handle, hosted: false }
  }
  const label = handle.slice(0, -domain.length - 1)
  // Of punycode that says nothing there is no URL, so nobody could ask this host whose handle it is.
  if (label.includes(".") || !URL.canParse(`https://${handle}`)) {
    return fault("InvalidHandle", "Invalid characters in handle")
  }
  if (rules.override !== true) {
    if (label.length < 3) return fault("InvalidHandle", "Handle too short")
    if (label.length > 18) return fault("InvalidHandle", "Handle too long")
    if (isReserved(label, handle, rules)) return fault("HandleNotAvailable", "Reserved handle")
  }
  return { ok: true, handle, hosted: true }
}
