import type { Brand } from "../../services/host/Config.ts"
import { type Html, html } from "./html.ts"

/** The default colour of the mark. */
const nacre = "#3f46a8"

/** A shell around a pearl. */
const shell =
  '<path d="M16 4.5A11.5 11.5 0 1 0 27.5 16a8.5 8.5 0 1 0-8.5 8.5" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/><circle cx="18.5" cy="16" r="3.4" fill="#fff"/>'

const drawing = (color: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="${color}"/>${shell}</svg>`

/** The mark as an address for images: the brand's logo, or our own drawing in the brand's colour. */
export const markOf = ({ logoUrl, color }: Brand): string =>
  logoUrl ?? `data:image/svg+xml,${encodeURIComponent(drawing(color ?? nacre))}`

/** The mark at the top of a page; the name beside it says the same. */
export const mark = (brand: Brand): Html => html`<img src="${markOf(brand)}" alt="" />`
