import type { DidClaim, FoundClaims } from "../../../../services/identity/HandleClaims.ts"
import { type Child, type Html, html } from "../../html.ts"
import { handle as text } from "../../text/settings.ts"

/** The ways to point a domain at an account; one of them is enough. */
export const whatToSetUp = (did: string): Html =>
  html`<p>${text.setUp}</p>
    <ul>
      <li>${text.record("your-domain", did)}, ${text.or}</li>
      <li>${text.file("your-domain", did)}.</li>
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

/** What a domain says about the account in both places, and what is missing there. */
export const claimsInWords = ({ dns, file }: FoundClaims, domain: string, did: string): Html => {
  const row = (place: Html, claim: DidClaim) =>
    html`<li class="row">
      <span class="grow"
        >${tagOf(claim, did)} ${place}<small>${claimInWords(claim, did)}</small></span
      >
    </li>`
  return html`<p>${text.oneOf}</p>
    <ul class="list">
      ${row(text.record(domain, did), dns)} ${row(text.file(domain, did), file)}
    </ul>`
}
