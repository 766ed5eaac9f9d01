import * as Effect from "effect/Effect"
import { type Device, type DeviceAccount, Devices } from "../../../../services/oauth/Devices.ts"
import { type Html, html } from "../../html.ts"
import { type AccountPage, accountForm, type Action, done, framed, left } from "../frame.ts"
import type { Owner } from "../owner.ts"
import { agoInWords, browserInWords, momentInWords } from "../words.ts"
import { devices as text } from "../../text/apps.ts"

const where = (address: string): string => (address === "unknown" ? "" : text.from(address))

const row = (owner: Owner, device: Device & DeviceAccount): Html => {
  const isThis = device.id === owner.visitor.device.id
  const seen = isThis ? text.thisDevice : text.lastSeen(agoInWords(device.seenAt, owner.now))
  const signedIn = text.signedIn(momentInWords(device.authenticatedAt))
  return html`<li class="row">
    <span class="grow"
      ><strong>${browserInWords(device.userAgent)}</strong
      ><small>${seen}${where(device.address)}. ${signedIn}.</small></span
    >
    ${accountForm(owner, {
      action: "devices/sign-out",
      fields: { device: device.id },
      inline: true,
      content: html`<button type="submit" class="small quiet">${text.signOut}</button>`
    })}
  </li>`
}

/** `/account/devices`: the browsers on which the account is signed in. */
export const devicesPage: AccountPage = {
  show: Effect.fn("account.devices")(function* (owner) {
    const all = yield* (yield* Devices).ofAccount(owner.view.did)
    const isHere = ({ id }: { readonly id: string }) => id === owner.visitor.device.id
    const devices = all.toSorted((one, other) => Number(isHere(other)) - Number(isHere(one)))
    const body = html`<p class="lead">${text.lead}</p>
      <ul class="list">
        ${devices.map((device) => row(owner, device))}
      </ul>
      ${
        devices.length > 1 &&
        accountForm(owner, {
          action: "devices/sign-out-others",
          content: html`<button type="submit" class="quiet">${text.signOutOthers}</button>`
        })
      }
      <p class="hint">${text.hint}</p>`
    return framed(owner, { title: text.title, tab: "devices", body })
  })
}

/** Signs the account out on one of its devices. */
export const signOutDevice: Action = {
  page: "devices",
  run: Effect.fn("account.signOutDevice")(function* ({ view, visitor }, form) {
    const device = form.get("device") ?? ""
    yield* (yield* Devices).signOut(device, view.did)
    return device === visitor.device.id ? left("signed-out") : done("devices", "device-out")
  })
}

/** Signs the account out on all devices but this one. */
export const signOutOthers: Action = {
  page: "devices",
  run: Effect.fn("account.signOutOthers")(function* ({ view, visitor }) {
    yield* (yield* Devices).signOutAll(view.did, { except: visitor.device.id })
    return done("devices", "others-out")
  })
}

/** Signs the account out on this device. */
export const signOut: Action = {
  page: "",
  run: Effect.fn("account.signOut")(function* ({ view, visitor }) {
    yield* (yield* Devices).signOut(visitor.device.id, view.did)
    return left("signed-out")
  })
}
