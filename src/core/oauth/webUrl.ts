import * as Result from "effect/Result"
import { checkFetchUrl } from "../identity/address.ts"

const maxLength = 2048

/**
 * Checks a web address for people and browsers: https on a public host, no credentials; may have a
 * port.
 *
 * `allowHosts` lists exempt development hosts, as for `checkFetchUrl`. Fails with the reason.
 */
export const checkWebUrl = (
  text: string,
  allowHosts: ReadonlyArray<string> = []
): Result.Result<URL, string> => {
  if (text.length > maxLength) return Result.fail("the URL is too long")
  const checked = checkFetchUrl(text, allowHosts)
  const url = URL.parse(text)
  if (Result.isSuccess(checked) || url === null || url.port === "") return checked
  // A URL to fetch can't have a port; a page can.
  const standard = new URL(url)
  standard.port = ""
  return Result.map(checkFetchUrl(standard), () => url)
}

/**
 * Whether a URL is exactly what the parser would write: nothing to resolve, decode, lower or drop.
 *
 * An empty path may be missing. Otherwise different texts with the same meaning could pass for two
 * addresses, or one for another.
 */
export const isCanonical = (text: string, url: URL): boolean => {
  const rest = url.pathname + url.search
  return text === url.origin + rest || (url.pathname === "/" && text === url.origin + url.search)
}
