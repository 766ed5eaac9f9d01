import { checkFetchUrl } from "../identity/address.ts"

/** A web address that somebody wrote down, parsed, or why it is none. */
export type WebUrl =
  | { readonly ok: true; readonly url: URL }
  | { readonly ok: false; readonly reason: string }

const maxLength = 2048

/**
 * Judges a web address that people or browsers are sent to: https on a public host, no credentials; a port is allowed.
 *
 * `allowHosts` lists hosts of development that are exempt, as for `checkFetchUrl`.
 */
export const checkWebUrl = (text: string, allowHosts: ReadonlyArray<string> = []): WebUrl => {
  if (text.length > maxLength) return { ok: false, reason: "the URL is too long" }
  const checked = checkFetchUrl(text, allowHosts)
  const url = checked.ok ? checked.url : URL.parse(text)
  if (checked.ok || url === null || url.port === "") return checked
  // What is fetched has no port; a page may have one.
  const standard = new URL(url)
  standard.port = ""
  const judged = checkFetchUrl(standard)
  return judged.ok ? { ok: true, url } : judged
}

/**
 * Whether a URL stands as the parser would write it: nothing it would resolve, decode, lower or drop.
 *
 * An empty path may be left out. Texts that differ and mean the same would otherwise pass for two addresses, or one for another.
 */
export const isCanonical = (text: string, url: URL): boolean => {
  const rest = url.pathname + url.search
  return text === url.origin + rest || (url.pathname === "/" && text === url.origin + url.search)
}
