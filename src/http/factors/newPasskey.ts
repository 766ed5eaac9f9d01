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

/** The account that a passkey is to be added to. */
export interface Holder {
  readonly did: string
  readonly handle: string
  readonly passkeyList: ReadonlyArray<Passkey>
}

/** What is asked of the browser: a passkey that knows whose it is, and that its bearer must unlock. */
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
    // The specification wants nothing of the person in this id.
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

/** What a form asks for that adds a passkey: its name, and what the browser answers; `more` stands above the button. */
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

/** What stands above such a form. */
export const passkeyLead: Html = html`<p class="lead">${text.lead}</p>
  <noscript><p class="note warn">${common.needsJavaScript}</p></noscript>`

/** What is said where a passkey is refused, or somebody's already. */
export const passkeyTaken = text.refused

/** Notes whose a passkey is that an account has just taken; false, and it is gone again, where it is somebody's already. */
export const keepPasskey = Effect.fnUntraced(function* (did: string, { id }: Passkey) {
  const owners = yield* PasskeyOwners
  const undo = (yield* Accounts).call(did, "removePasskey", { id })
  const noted = Effect.gen(function* () {
    // An earlier attempt whose answer was lost may have noted it already.
    return (yield* owners.add(id, did)) || (yield* owners.ownerOf(id)) === did
  })
  const isOurs = yield* Effect.tapError(noted, () => Effect.ignore(undo))
  if (!isOurs) yield* undo
  return isOurs
})

/** Takes a passkey away from an account, which may refuse, and then from the table of whose it is. */
export const dropPasskey = Effect.fnUntraced(function* (did: string, id: string) {
  const accounts = yield* Accounts
  yield* accounts.call(did, "removePasskey", { id })
  yield* (yield* PasskeyOwners).remove(id, did)
})
