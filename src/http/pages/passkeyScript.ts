import { passkey as text } from "./text/security.ts"

/**
 * The script that lets a passkey answer a form.
 *
 * A form with `data-passkey` (`get` to sign in, `create` to register) and `data-options` (JSON, bytes in base64url)
 * appears if the browser supports passkeys; on submit, the answer goes into its field `credential`.
 * Its field `remember` follows the page's box of that name. Errors appear in its element with `role=status`.
 */
export const passkeyScript = `(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))
  const text = (buffer) => buffer == null ? undefined :
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "")
  const withIds = (list) => list && list.map((one) => ({ ...one, id: bytes(one.id) }))
  const read = (json) => {
    const options = JSON.parse(json)
    options.challenge = bytes(options.challenge)
    if (options.user) options.user.id = bytes(options.user.id)
    if (options.allowCredentials) options.allowCredentials = withIds(options.allowCredentials)
    if (options.excludeCredentials) options.excludeCredentials = withIds(options.excludeCredentials)
    return options
  }
  const write = ({ id, rawId, type, authenticatorAttachment, response: r }) => JSON.stringify({
    id, rawId: text(rawId), type, authenticatorAttachment, clientExtensionResults: {},
    response: {
      clientDataJSON: text(r.clientDataJSON), attestationObject: text(r.attestationObject),
      authenticatorData: r.signature && text(r.authenticatorData), signature: text(r.signature),
      userHandle: text(r.userHandle), transports: r.getTransports ? r.getTransports() : undefined
    }
  })
  const why = ({ name }) => name === "InvalidStateError" ? ${JSON.stringify(text.alreadyAdded)}
    : name === "NotAllowedError" ? ${JSON.stringify(text.cancelled)} : ${JSON.stringify(text.unusable)}
  if (!window.PublicKeyCredential) return
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false
    const status = form.querySelector("[role=status]")
    form.addEventListener("submit", async (event) => {
      event.preventDefault()
      status.textContent = ""
      try {
        const publicKey = read(form.dataset.options)
        const box = document.querySelector("input[type=checkbox][name=remember]")
        if (box && form.elements.remember) form.elements.remember.value = box.checked ? "on" : ""
        form.elements.credential.value = write(await navigator.credentials[form.dataset.passkey]({ publicKey }))
        form.submit()
      } catch (error) {
        status.textContent = why(error)
      }
    })
  }
})()`

/** Submits the page's form at once, for apps that asked for a form. */
export const submitScript = `document.forms[0].submit()`
