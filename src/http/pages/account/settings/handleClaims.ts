import type { DidClaim, FoundClaims } from "../../../../services/identity/HandleClaims.ts"
import { type Child, type Html, html } from "../../html.ts"
import { copyable } from "../../parts.ts"
import { handle as text } from "../../text/settings.ts"

/** The values to enter in one place, each with a copy button. */
const entries = (...pairs: ReadonlyArray<readonly [label: string, value: string]>): Html =>
  html`<dl class="facts">
    ${pairs.map(
      ([label, value]) =>
        html`<dt>${label}</dt>
          <dd>${copyable(value)}</dd>`
    )}
  </dl>`

const record = (domain: string, did: string): Html =>
  entries([text.recordName, `_atproto.${domain}`], [text.recordValue, `did=${did}`])

const file = (domain: string, did: string): Html =>
  entries([text.fileAddress, `https://${domain}/.well-known/atproto-did`], [text.fileContent, did])

/** The ways to point a domain at an account; one of them is enough. */
export const whatToSetUp = (did: string): Html =>
  html`<p>${text.setUp}</p>
    <ul class="list">
      <li class="place"><strong>${text.record}</strong>${record("your-domain", did)}</li>
      <li class="place"><strong>${text.file}</strong>${file("your-domain", did)}</li>
    </ul>`

const missing = ({ found, status }: Extract<DidClaim, { kind: "none" }>): Child => {
  if (found !== undefined) return text.notAnAccount(found)
  return status === undefined ? text.notFound : text.status(status)
}

const claimInWords = (claim: DidClaim, did: string): Child => {
  switch (claim.kind) {
    case "did":
      return claim.did === did ? text.isRight : text.otherAccount(claim.did)
    case "conflict":
      return text.several(claim.dids)
    case "failed":
      return text.notChecked
    case "none":
      return missing(claim)
  }
}

const tagOf = (claim: DidClaim, did: string): Html => {
  if (claim.kind === "did" && claim.did === did) {
    return html`<span class="tag good">${text.found}</span>`
  }
  return claim.kind === "failed"
    ? html`<span class="tag">${text.notKnown}</span>`
    : html`<span class="tag bad">${text.missing}</span>`
}

/** The state of both places of a domain, with their values. */
export const claimsInWords = ({ dns, file: atHost }: FoundClaims, domain: string, did: string) => {
  const place = (title: string, set: Html, claim: DidClaim) =>
    html`<li class="place">
      <strong>${title}</strong> ${tagOf(claim, did)} ${set}
      <small>${claimInWords(claim, did)}</small>
    </li>`
  return html`<p>${text.oneOf}</p>
    <ul class="list">
      ${place(text.record, record(domain, did), dns)} ${place(text.file, file(domain, did), atHost)}
    </ul>`
}
