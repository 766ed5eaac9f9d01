/** Thrown for an authenticator's invalid result; the message is for the log. */
export class WebAuthnFault extends Error {
  override readonly name = "WebAuthnFault"
}
