/** Thrown for an answer of an authenticator that does not prove what it should; the message is for the log. */
export class WebAuthnFault extends Error {
  override readonly name = "WebAuthnFault"
}
