import { timingSafeEqual } from "node:crypto"
import { sha256 } from "../../repo/cid.ts"
import { jsonObject } from "../../bytes/jsonObject.ts"
import { WebAuthnFault } from "./fault.ts"

/** The expected challenge and site. */
export interface Expected {
  /** base64url */
  readonly challenge: string
  readonly origin: string
  readonly rpId: string
}

/** The two ceremonies, as client data names them. */
export type CeremonyType = "webauthn.create" | "webauthn.get"

const isSameText = (one: string, other: string): boolean =>
  timingSafeEqual(sha256(one), sha256(other))

/**
 * Checks the browser's data about the ceremony; throws WebAuthnFault. Spec: WebAuthn Level 3,
 * 5.8.1.
 */
export const checkClientData = (
  bytes: Uint8Array,
  type: CeremonyType,
  { challenge, origin }: Omit<Expected, "rpId">
): void => {
  const data = jsonObject(bytes)
  if (data === undefined) throw new WebAuthnFault("malformed client data")
  if (data["type"] !== type) throw new WebAuthnFault("client data of another ceremony")
  const answered = data["challenge"]
  if (typeof answered !== "string" || !isSameText(answered, challenge)) {
    throw new WebAuthnFault("another challenge")
  }
  if (data["origin"] !== origin) throw new WebAuthnFault("another origin")
  const crossOrigin = data["crossOrigin"] ?? false
  if (crossOrigin !== false || data["topOrigin"] !== undefined) {
    throw new WebAuthnFault("asked for by a page inside another's")
  }
}
