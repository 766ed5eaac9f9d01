import * as Effect from "effect/Effect"
import { sha256 } from "../../../repo/cid.ts"
import { toBase64Url } from "../../../identity/base64url.ts"
import { Accounts } from "../../../services/Accounts.ts"
import { Config } from "../../../services/Config.ts"
import { PasskeyOwners } from "../../../services/PasskeyOwners.ts"
import { html } from "../html.ts"
import { field } from "../parts.ts"
import { passkeyScript } from "../passkeyScript.ts"
import { credentialOf, passkeyChallenge, usedCeremony } from "../signingIn.ts"
import { type AccountPage, accountForm, type Action, done, framed, shown } from "./frame.ts"
import type { Owner } from "./owner.ts"
import { refusalOf } from "./refusal.ts"
import { browserInWords } from "./words.ts"

const maxName = 64

/** What is asked of the browser: a passkey that knows whose it is, and that its bearer must unlock. */
const creationOptions = Effect.fnUntraced(function* ({ view, visitor }: Owner) {
  const { brand, host } = yield* Config
  const { options, ticket } = yield* passkeyChallenge(visitor.device.id)
  const { challenge, rpId, timeout } = options
  const creation = {
    challenge,
    timeout,
    rp: { id: rpId, name: brand.name ?? host },
    // The specification wants nothing of the person in this id.
    user: { id: toBase64Url(sha256(view.did)), name: view.handle, displayName: view.handle },
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: {
      residentKey: "required",
      requireResidentKey: true,
      userVerification: "required"
    },
    attestation: "none",
    excludeCredentials: view.passkeyList.map(({ id, transports }) => ({
      type: "public-key",
      id,
      transports
    }))
  }
  return { creation, ticket }
})

const formPage = Effect.fnUntraced(function* (owner: Owner, message?: string) {
  const { creation, ticket } = yield* creationOptions(owner)
  const content = html`<input type="hidden" name="challenge" value="${ticket}" />
    <input type="hidden" name="credential" />
    ${field({
      name: "name",
      label: "Name",
      autocomplete: "off",
      value: browserInWords(owner.visitor.device.userAgent).slice(0, maxName),
      hint: "So that you know it again among others.",
      maxLength: maxName
    })}
    <button type="submit">Add a passkey</button>
    <p class="hint" role="status"></p>`
  const body = html`<p class="lead">
      A passkey signs you in without a password: by your fingerprint, your face, the PIN of your
      device, or a security key.
    </p>
    <noscript><p class="note warn">Passkeys need JavaScript, which is off here.</p></noscript>
    ${accountForm(owner, { action: "passkeys/add", passkey: creation, content })}`
  const page = { title: "Add a passkey", tab: "security", body, message } as const
  return framed(owner, { ...page, script: passkeyScript })
})

/** `/account/passkey`: where one is added. */
export const passkeyPage: AccountPage = { proof: true, show: (owner) => formPage(owner) }

const taken = "This passkey could not be added. Try another one."

/** Adds the passkey that a browser has made: to the account, and to the table of whose it is. */
export const addPasskey: Action = {
  proof: true,
  page: "passkey",
  run: Effect.fn("account.addPasskey")(function* (owner, form) {
    const { did } = owner.view
    const again = (message: string) => Effect.map(formPage(owner, message), shown)
    const ceremony = yield* usedCeremony(owner.visitor.device.id, form.get("challenge"))
    const response = credentialOf(form.get("credential"))
    if (ceremony === undefined || response === undefined) {
      return yield* again("That took too long. Please try again.")
    }
    const accounts = yield* Accounts
    const owners = yield* PasskeyOwners
    const name = form.get("name") ?? ""
    const made = yield* accounts
      .call(did, "addPasskey", { ...ceremony, name, response })
      .pipe(Effect.catch((rejected) => refusalOf(rejected, taken)))
    if (typeof made === "string") return yield* again(made)
    const undo = accounts.call(did, "removePasskey", { id: made.id })
    const noted = Effect.gen(function* () {
      // An earlier attempt whose answer was lost may have noted it already.
      return (yield* owners.add(made.id, did)) || (yield* owners.ownerOf(made.id)) === did
    })
    const isOurs = yield* Effect.tapError(noted, () => Effect.ignore(undo))
    if (isOurs) return done("security", "passkey-added")
    yield* undo
    return yield* again(taken)
  })
}

/** Gives a passkey another name. */
export const renamePasskey: Action = {
  page: "security",
  run: Effect.fn("account.renamePasskey")(function* ({ view }, form) {
    const input = { id: form.get("passkey") ?? "", name: form.get("name") ?? "" }
    yield* (yield* Accounts).call(view.did, "renamePasskey", input)
    return done("security", "passkey-renamed")
  })
}
