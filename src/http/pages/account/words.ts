import { browserName, clientName } from "../../../core/sessions/clientName.ts"
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

/** A browser in plain words, by its User-Agent: “Firefox on Linux”. */
export const browserInWords = (userAgent: string | undefined): string =>
  browserName(userAgent) ?? devices.unknownBrowser

/** An app that signed in with a password, by its User-Agent: a browser, or “goat/0.2.1”. */
export const clientInWords = (userAgent: string | undefined): string =>
  clientName(userAgent) ?? apps.unknownClient

/** The name of an app: the host of its client id, which the server has verified. */
export const appInWords = (clientId: string): string => {
  const url = URL.parse(clientId)
  if (url === null) return clientId
  return url.protocol === "http:" && url.hostname === "localhost" ? apps.onYourDevice : url.host
}
