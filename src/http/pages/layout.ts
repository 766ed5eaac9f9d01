import { createHash } from "node:crypto"
import type { Settings } from "../../services/host/Config.ts"
import { type Html, html, raw } from "./html.ts"
import { mark, markOf } from "./mark.ts"
import { pageScript } from "./pageScript.ts"
import { stylesheet } from "./style.ts"

/** A page with its content and its permissions. */
export interface Page {
  /** The window's title. */
  readonly title: string
  /** The content of `<main>`, with the page's `<h1>`. */
  readonly body: Html
  readonly status?: number
  /** A wider layout, for lists and settings. */
  readonly wide?: boolean
  /** A script of this page, besides the one of all pages; no other runs. */
  readonly script?: string
  /** The script sends requests to this server. */
  readonly connects?: boolean
  /** Other targets of its forms and their redirects, as CSP sources; or no limit at all. */
  readonly formAction?: ReadonlyArray<string> | "anywhere"
  /** The browser continues to this address by itself. */
  readonly refresh?: string
  /** `Set-Cookie` values. */
  readonly cookies?: ReadonlyArray<string>
  readonly headers?: Readonly<Record<string, string>>
}

/** A page in answer to a form: a secret shown once, or the form with its errors. */
export interface Shown {
  readonly kind: "shown"
  readonly page: Page
}

/** A page in answer to a form. */
export const shown = (page: Page): Shown => ({ kind: "shown", page })

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

interface Sheet {
  readonly text: string
  readonly hash: string
}

const sheets = new WeakMap<Settings, Sheet>()

/** The stylesheet and its hash, computed once for each configuration. */
const sheetOf = (config: Settings): Sheet => {
  const known = sheets.get(config)
  if (known !== undefined) return known
  const text = stylesheet(config.brand)
  const made = { text, hash: hashOf(text) }
  sheets.set(config, made)
  return made
}

const originsOf = (urls: ReadonlyArray<string | undefined>): ReadonlyArray<string> =>
  urls.flatMap((url) => (url?.startsWith("http") === true ? [new URL(url).origin] : []))

const scriptsOf = ({ script }: Page): ReadonlyArray<string> =>
  script === undefined ? [pageScript] : [script, pageScript]

const policyOf = (page: Page, style: string, { brand }: Settings): string =>
  [
    "default-src 'none'",
    `style-src ${style}`,
    ["script-src", ...scriptsOf(page).map(hashOf)].join(" "),
    ...(page.connects === true ? ["connect-src 'self'"] : []),
    ["img-src 'self' data:", ...originsOf([brand.logoUrl, brand.background])].join(" "),
    ...(page.formAction === "anywhere"
      ? []
      : [["form-action 'self'", ...(page.formAction ?? [])].join(" ")]),
    "frame-ancestors 'none'",
    "base-uri 'none'"
  ].join("; ")

/**
 * The headers of every page.
 *
 * Referrer-Policy is not `no-referrer`, because browsers would send `Origin: null` with our own
 * forms.
 */
export const pageHeaders = ({ isLocal }: Settings): Record<string, string> => ({
  "cache-control": "no-store",
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy":
    "camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)",
  ...(isLocal ? {} : { "strict-transport-security": "max-age=63072000" })
})

const footer = (config: Settings): Html => {
  const { privacyPolicyUrl, termsOfServiceUrl, contactEmail, brand } = config
  const links = [
    ...brand.links.map(({ label, url }) => [label, url] as const),
    ["Privacy", privacyPolicyUrl] as const,
    ["Terms", termsOfServiceUrl] as const,
    ["Contact", contactEmail === undefined ? undefined : `mailto:${contactEmail}`] as const
  ]
  return html`<footer class="foot">
    ${links.map(([label, url]) => url !== undefined && html`<a href="${url}">${label}</a>`)}
  </footer>`
}

const header = ({ brand, host }: Settings): Html =>
  html`<header class="top">
    ${mark(brand)}
    <span>${brand.name ?? host}</span>
  </header>`

/** The response that shows a page. */
export const showPage = (page: Page, config: Settings): Response => {
  const sheet = sheetOf(config)
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${page.refresh !== undefined && html`<meta http-equiv="refresh" content="0;url=${page.refresh}" />`}
<title>${page.title} – ${config.brand.name ?? config.host}</title>
${raw(`<style>${sheet.text}</style>`)}
<link rel="icon" href="${markOf(config.brand)}">
</head>
<body>
${header(config)}
<main${raw(page.wide === true ? ' class="wide"' : "")}>${page.body}</main>
${footer(config)}
${scriptsOf(page).map((script) => raw(`<script>${script}</script>`))}
</body>
</html>
`
  const headers = new Headers({
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policyOf(page, sheet.hash, config),
    ...pageHeaders(config),
    ...page.headers
  })
  for (const cookie of page.cookies ?? []) headers.append("set-cookie", cookie)
  return new Response(document.toString(), { status: page.status ?? 200, headers })
}

/** Redirects the browser with a GET: to a path here, or back to an app. */
export const redirectTo = (
  location: string,
  config: Settings,
  cookies: ReadonlyArray<string> = []
): Response => {
  const headers = new Headers({ ...pageHeaders(config), location })
  for (const cookie of cookies) headers.append("set-cookie", cookie)
  return new Response(null, { status: 303, headers })
}
