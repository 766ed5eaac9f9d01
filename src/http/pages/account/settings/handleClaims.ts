import type { DidClaim, FoundClaims } from "../../../../services/identity/HandleClaims.ts"
import { type Child, type Html, html } from "../../html.ts"

/** The two ways to let a domain lead to an account; one of them is enough. */
const places = (domain: string, did: string) => ({
  record: html`the TXT record <code>_atproto.${domain}</code> with the text
    <code>did=${did}</code>`,
  file: html`the file <code>https://${domain}/.well-known/atproto-did</code> with the text
    <code>${did}</code>`
})

/** What an owner has to set up at a domain. */
export const whatToSetUp = (did: string): Html => {
  const { record, file } = places("your-domain", did)
  return html`<p>Set up one of these at your domain, with its name in place of “your-domain”:</p>
    <ul>
      <li>${record}, or</li>
      <li>${file}.</li>
    </ul>`
}

const missing = (claim: Extract<DidClaim, { kind: "none" }>): Child => {
  if (claim.found !== undefined)
    return html`What stands there is <code>${claim.found}</code>, which names no account.`
  return claim.status === undefined
    ? "There is none, or it could not be read."
    : `There is none: the web server answers with status ${claim.status}.`
}

const claimInWords = (claim: DidClaim, did: string): Child => {
  switch (claim.kind) {
    case "did":
      return claim.did === did
        ? "It is there, and right."
        : html`It names another account: <code>${claim.did}</code>.`
    case "conflict":
      return html`There are several, and none counts:
      ${claim.dids.map((other) => html` <code>${other}</code>`)}. Leave only the right one.`
    case "failed":
      return "It could not be asked for just now."
    case "none":
      return missing(claim)
  }
}

const tagOf = (claim: DidClaim, did: string): Html => {
  if (claim.kind === "did" && claim.did === did) return html`<span class="tag good">found</span>`
  return claim.kind === "failed"
    ? html`<span class="tag">not known</span>`
    : html`<span class="tag bad">missing</span>`
}

/** What was found at both places of a domain, and what is missing there. */
export const claimsInWords = ({ dns, file }: FoundClaims, domain: string, did: string): Html => {
  const at = places(domain, did)
  const row = (place: Html, claim: DidClaim) =>
    html`<li class="row">
      <span class="grow"
        >${tagOf(claim, did)} ${place}<small>${claimInWords(claim, did)}</small></span
      >
    </li>`
  return html`<p>One of these must be there. DNS may need some minutes to tell of a change.</p>
    <ul class="list">
      ${row(at.record, dns)} ${row(at.file, file)}
    </ul>`
}
