import * as Effect from "effect/Effect"
import { toBase64Url } from "../../core/bytes/base64url.ts"
import { sha256 } from "../../core/repo/cid.ts"
import { Accounts } from "../../services/accounts/Accounts.ts"
import { Config } from "../../services/host/Config.ts"
import type { Device } from "../../services/oauth/Devices.ts"
import { PasskeyOwners } from "../../services/factors/PasskeyOwners.ts"
import type { Passkey } from "../../services/factors/Passkeys.ts"
import { browserInWords } from "../pages/account/words.ts"
import { type Html, html } from "../pages/html.ts"
import { field } from "../pages/parts.ts"
import { passkeyChallenge } from "../pages/signInAttempt.ts"
import { common } from "../pages/text/common.ts"
import { passkey as text } from "../pages/text/security.ts"

const maxName = 64

/** The account that gets the passkey. */
export interface Holder {
  readonly did: string
  readonly handle: string
  readonly passkeyList: ReadonlyArray<Passkey>
}

/** The options for the browser: a discoverable passkey that verifies its user. */
export const creationOptions = Effect.fnUntraced(function* (
  { did, handle, passkeyList }: Holder,
  device: string
) {
  const { brand, host } = yield* Config
  const { options, ticket } = yield* passkeyChallenge(device)
  const { challenge, rpId, timeout } = options
  const creation = {
    challenge,
    timeout,
    rp: { id: rpId, name: brand.name ?? host },
    // The specification requires that this id contains no personal data.
    user: { id: toBase64Url(sha256(did)), name: handle, displayName: handle },
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required"
    },
    attestation: "none",
    excludeCredentials: passkeyList.map(({ id, transports }) => ({
      type: "public-key",
      id,
      transports
    }))
  }
  return { creation, ticket }
})

/**
 * The fields of a form that adds a passkey: its name and the browser's result; `more` appears above
 * the button.
 */
export const passkeyFields = (device: Device, ticket: string, more?: Html): Html =>
  html`<input type="hidden" name="challenge" value="${ticket}" />
    <input type="hidden" name="credential" />
    ${field({
      name: "name",
      label: common.name,
      autocomplete: "off",
      value: browserInWords(device.userAgent).slice(0, maxName),
      hint: text.nameHint,
      maxLength: maxName
    })}
    ${more}
    <button type="submit">${text.submit}</button>
    <p class="hint" role="status"></p>`

/** The text above such a form. */
export const passkeyLead: Html = html`<p class="lead">${text.lead}</p>
  <noscript><p class="note warn">${common.needsJavaScript}</p></noscript>`

/** The error when a passkey is rejected or belongs to another account. */
export const passkeyTaken = text.refused

/**
 * Records the owner of a new passkey; false, and removes it again, if it belongs to another
 * account.
 */
export const keepPasskey = Effect.fnUntraced(function* (did: string, { id }: Passkey) {
  const owners = yield* PasskeyOwners
  const undo = (yield* Accounts).call(did, "removePasskey", { id })
  const noted = Effect.gen(function* () {
    // An earlier attempt with a lost response may have recorded it already.
    return (yield* owners.add(id, did)) || (yield* owners.ownerOf(id)) === did
  })
  const isOurs = yield* Effect.tapError(noted, () => Effect.ignore(undo))
  if (!isOurs) yield* undo
  return isOurs
})

/** Removes a passkey from an account, which may refuse, then from the table of owners. */
export const dropPasskey = Effect.fnUntraced(function* (did: string, id: string) {
  const accounts = yield* Accounts
  yield* accounts.call(did, "removePasskey", { id })
  yield* (yield* PasskeyOwners).remove(id, did)
})
