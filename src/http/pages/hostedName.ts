import { type Html, html } from "./html.ts"
import { type Field, fieldIn, type Wrong } from "./parts.ts"

/** The domain after a name: fixed if the server has one, a choice if it has several. */
const domainPart = (
  domains: ReadonlyArray<string>,
  chosen: string | undefined,
  label: string
): Html => {
  const [only = ""] = domains
  return domains.length === 1
    ? html`<input type="hidden" name="domain" value="${only}" /><span>.${only}</span>`
    : html`<select name="domain" aria-label="${label}">
        ${domains.map(
          (domain) =>
            html`<option value="${domain}" ${domain === chosen && html` selected`}>
              .${domain}
            </option>`
        )}
      </select>`
}

/** The field for a name under one of the server's domains, with the domain in its frame. */
export const hostedName = (
  wrong: Wrong | undefined,
  of: Pick<Field, "label" | "autocomplete" | "value" | "hint" | "autofocus"> & {
    readonly domains: ReadonlyArray<string>
    readonly domain: string | undefined
    readonly domainLabel: string
  }
): Html => {
  const { domains, domain, domainLabel, ...field } = of
  const suffix = domainPart(domains, domain, domainLabel)
  return fieldIn(wrong, { ...field, name: "name", suffix, maxLength: 63 })
}
