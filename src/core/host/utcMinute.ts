/** A time in milliseconds for people, in UTC: “2026-03-05 14:05 UTC”. */
export const utcMinute = (millis: number): string =>
  `${new Date(millis).toISOString().slice(0, 16).replace("T", " ")} UTC`
