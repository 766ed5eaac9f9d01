// Most browsers also name others, so the first match counts.
const browsers: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\/|\bOPT\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bVivaldi\//, "Vivaldi"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\b(?:Headless)?Chrome\/|\bCriOS\/|\bChromium\//, "Chrome"],
  [/\bVersion\/[\d.]+ .*\bSafari\//, "Safari"]
]

const systems: ReadonlyArray<readonly [RegExp, string]> = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bLinux\b/, "Linux"]
]

const firstOf = (table: ReadonlyArray<readonly [RegExp, string]>, text: string) =>
  table.find(([pattern]) => pattern.test(text))?.[1]

/** A browser's name by its User-Agent: “Firefox on Linux”; an unknown one by its own text. */
export const browserName = (userAgent: string | undefined): string | undefined => {
  if (userAgent === undefined || userAgent.trim() === "") return undefined
  const browser = firstOf(browsers, userAgent)
  const system = firstOf(systems, userAgent)
  if (browser === undefined) return userAgent.slice(0, 80)
  return system === undefined ? browser : `${browser} on ${system}`
}

/** An app's name by its User-Agent: a browser's, or the first product: “goat/0.2.1”. */
export const clientName = (userAgent: string | undefined): string | undefined =>
  userAgent === undefined || userAgent.startsWith("Mozilla/")
    ? browserName(userAgent)
    : userAgent.split(" ", 1)[0]!.slice(0, 80)
