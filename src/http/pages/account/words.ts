import { apps, devices } from "../text/apps.ts"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December"
]

/** A day in words: “3 March 2026”, in UTC, because the reader's time zone is unknown. */
export const dayInWords = (millis: number): string => {
  const date = new Date(millis)
  return `${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

/** A moment in words: “3 March 2026, 14:05 UTC”. */
export const momentInWords = (millis: number): string =>
  `${dayInWords(millis)}, ${new Date(millis).toISOString().slice(11, 16)} UTC`

const counted = (count: number, unit: string): string =>
  `${count} ${unit}${count === 1 ? "" : "s"} ago`

/** How long ago something was, or its date if that is longer ago. */
export const agoInWords = (millis: number, now: number): string => {
  const past = now - millis
  if (past < 2 * minute) return "just now"
  if (past < hour) return counted(Math.floor(past / minute), "minute")
  if (past < day) return counted(Math.floor(past / hour), "hour")
  return past < 30 * day ? counted(Math.floor(past / day), "day") : `on ${dayInWords(millis)}`
}

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

/**
 * A browser in plain words, by its User-Agent: “Firefox on Linux”; an unknown one by its own text.
 */
export const browserInWords = (userAgent: string | undefined): string => {
  if (userAgent === undefined || userAgent.trim() === "") return devices.unknownBrowser
  const browser = firstOf(browsers, userAgent)
  const system = firstOf(systems, userAgent)
  if (browser === undefined) return userAgent.slice(0, 80)
  return system === undefined ? browser : `${browser} on ${system}`
}

/** An app that signed in with a password, by its User-Agent: a browser, or “goat/0.2.1”. */
export const clientInWords = (userAgent: string | undefined): string => {
  if (userAgent === undefined) return apps.unknownClient
  const isBrowser = userAgent.startsWith("Mozilla/")
  return isBrowser ? browserInWords(userAgent) : userAgent.split(" ", 1)[0]!.slice(0, 80)
}

/** The name of an app: the host of its client id, which the server has verified. */
export const appInWords = (clientId: string): string => {
  const url = URL.parse(clientId)
  if (url === null) return clientId
  return url.protocol === "http:" && url.hostname === "localhost" ? apps.onYourDevice : url.host
}
