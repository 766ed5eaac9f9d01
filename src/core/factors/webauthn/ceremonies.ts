import { toBase64Url } from "../../bytes/base64url.ts"
import { concatBytes } from "../../bytes/bytes.ts"
import { sha256 } from "../../repo/cid.ts"
import { checkAuthenticatorData, readAuthenticatorData } from "./authenticatorData.ts"
import { decodeMap } from "./cbor.ts"
import { checkClientData, type Expected } from "./clientData.ts"
import { bytesOfPart, type CredentialJson, readAnswer, transportsOf } from "./credentialJson.ts"
import { WebAuthnFault } from "./fault.ts"
import { importPasskey, isSignedByPasskey } from "./signature.ts"
import { type PasskeyJwk, readCoseKey } from "./publicKey.ts"

/** The part of a credential that verifies its sign-ins. */
export interface Credential {
  readonly key: PasskeyJwk
  readonly counter: number
  readonly backupEligible: boolean
}

/** A new credential. */
export interface NewCredential extends Credential {
  /** base64url */
  readonly id: string
  readonly transports: ReadonlyArray<string>
}

/**
 * The authenticator data in an attestation object; ignores the attestation, which was not
 * requested.
 */
const authenticatorDataIn = (attestation: Uint8Array): Uint8Array => {
  const [object, rest] = decodeMap(attestation)
  const data = object.get("authData")
  if (
    rest.length > 0 ||
    typeof object.get("fmt") !== "string" ||
    !(object.get("attStmt") instanceof Map) ||
    !(data instanceof Uint8Array)
  ) {
    throw new WebAuthnFault("a malformed attestation object")
  }
  return data
}

/**
 * Verifies the result of `navigator.credentials.create()`; throws WebAuthnFault. Spec: WebAuthn
 * Level 3, 7.1.
 */
export const verifyRegistration = async (
  json: CredentialJson,
  expected: Expected
): Promise<NewCredential> => {
  const { id, response } = readAnswer(json)
  checkClientData(bytesOfPart(response, "clientDataJSON"), "webauthn.create", expected)
  const data = readAuthenticatorData(
    authenticatorDataIn(bytesOfPart(response, "attestationObject"))
  )
  checkAuthenticatorData(data, expected.rpId)
  if (data.credential === undefined) throw new WebAuthnFault("no credential")
  if (toBase64Url(data.credential.id) !== id) throw new WebAuthnFault("another credential id")
  const key = readCoseKey(data.credential.key)
  await importPasskey(key)
  const { counter, backupEligible } = data
  return { id, key, counter, backupEligible, transports: transportsOf(response) }
}

/**
 * Verifies the result of `navigator.credentials.get()` with a known credential and returns its new
 * counter, which `mayFollow` must check; throws WebAuthnFault. Spec: WebAuthn Level 3, 7.2.
 */
export const verifyAuthentication = async (
  json: CredentialJson,
  expected: Expected,
  credential: Credential
): Promise<number> => {
  const { response } = readAnswer(json)
  const clientData = bytesOfPart(response, "clientDataJSON")
  checkClientData(clientData, "webauthn.get", expected)
  const bytes = bytesOfPart(response, "authenticatorData")
  const data = readAuthenticatorData(bytes)
  checkAuthenticatorData(data, expected.rpId)
  if (data.backupEligible !== credential.backupEligible) {
    throw new WebAuthnFault("another backup eligibility than when it was made")
  }
  const signed = concatBytes([bytes, sha256(clientData)])
  if (!(await isSignedByPasskey(credential.key, signed, bytesOfPart(response, "signature")))) {
    throw new WebAuthnFault("a wrong signature")
  }
  return data.counter
}

/**
 * Whether a counter may follow the previous one: if it doesn't increase, the authenticator may be a
 * copy.
 */
export const mayFollow = (counter: number, before: number): boolean =>
  (counter === 0 && before === 0) || counter > before
