import { utcMinute } from "../host/utcMinute.ts"
import { type Alert, alertKinds } from "./alerts.ts"

/** The forms of a webhook's message. */
export const webhookFormats = ["json", "ntfy", "slack", "discord"] as const

/** The form of a webhook's message. */
export type WebhookFormat = (typeof webhookFormats)[number]

/** The form that a webhook's host expects. */
export const formatOf = (url: string): WebhookFormat => {
  const { hostname } = new URL(url)
  if (hostname === "hooks.slack.com") return "slack"
  if (/^((canary|ptb)\.)?discord(app)?\.com$/.test(hostname)) return "discord"
  if (hostname === "ntfy.sh" || hostname.startsWith("ntfy.")) return "ntfy"
  return "json"
}

/** The part of an alert that is reported. */
export type Reported = Pick<Alert, "kind" | "subject" | "detail" | "begunAt" | "seenAt" | "endedAt">

const minutes = (millis: number): string => {
  const whole = Math.max(1, Math.round(millis / 60_000))
  if (whole < 120) return `${whole} ${whole === 1 ? "minute" : "minutes"}`
  return `${Math.round(whole / 60)} hours`
}

/** An alert in a line or two. */
export const alertText = ({ kind, subject, detail, begunAt, endedAt }: Reported): string => {
  const { title } = alertKinds[kind]
  const about = subject === "" ? title : `${title}: ${subject}`
  return endedAt === undefined
    ? `${about}\n${detail} (since ${utcMinute(begunAt)})`
    : `Over: ${about}\nIt lasted ${minutes(endedAt - begunAt)}, from ${utcMinute(begunAt)}.`
}

/** A message's title: the only alert's, or how many there are. */
export const alertTitle = (alerts: ReadonlyArray<Reported>): string => {
  const [first] = alerts
  if (first === undefined || alerts.length > 1) return `${alerts.length} alerts`
  const { title } = alertKinds[first.kind]
  return first.endedAt === undefined ? title : `Over: ${title}`
}

const slackText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const time8601 = (millis: number | undefined) =>
  millis === undefined ? undefined : new Date(millis).toISOString()

const isUrgent = (alerts: ReadonlyArray<Reported>): boolean =>
  alerts.some(
    ({ kind, endedAt }) => endedAt === undefined && alertKinds[kind].severity === "critical"
  )

/** Discord rejects longer messages. */
const longestContent = 2000

/** The POST request that reports alerts to a webhook. */
export const webhookRequest = (
  format: WebhookFormat,
  server: string,
  alerts: ReadonlyArray<Reported>
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } => {
  const title = `${alertTitle(alerts)} (${new URL(server).host})`
  const text = alerts.map(alertText).join("\n\n")
  const json = (value: object) => ({
    headers: { "content-type": "application/json" },
    body: JSON.stringify(value)
  })
  switch (format) {
    case "ntfy":
      return {
        headers: {
          "content-type": "text/plain; charset=utf-8",
          title,
          priority: isUrgent(alerts) ? "high" : "default"
        },
        body: text
      }
    case "slack":
      return json({ text: slackText(`*${title}*\n${text}`) })
    case "discord":
      return json({
        content: `**${title}**\n${text}`.slice(0, longestContent),
        allowed_mentions: { parse: [] }
      })
    case "json":
      return json({
        server,
        alerts: alerts.map(({ kind, subject, detail, begunAt, seenAt, endedAt }) => ({
          alert: kind,
          state: endedAt === undefined ? "begun" : "ended",
          severity: alertKinds[kind].severity,
          title: alertKinds[kind].title,
          subject,
          detail,
          begunAt: time8601(begunAt),
          seenAt: time8601(seenAt),
          endedAt: time8601(endedAt)
        }))
      })
  }
}
