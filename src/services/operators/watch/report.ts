import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { type Alert, type Channel, channels } from "../../../core/operators/alerts.ts"
import { formatOf, type Reported, webhookRequest } from "../../../core/operators/alertMessages.ts"
import { Config } from "../../host/Config.ts"
import { Outgoing, type OutgoingError } from "../../host/Outgoing.ts"
import { Mailer, type MailNotSent } from "../../mail/Mailer.ts"
import { alertMail } from "../../mail/mailTexts.ts"
import { Alerts } from "../Alerts.ts"
import { type Counted, Counters } from "../Counters.ts"

/** How many alerts go into one message. */
const atOnce = 20

/** After this long, the attempts end, in milliseconds. */
const givenUpAfter = 24 * 3_600_000

const byMail = Effect.fnUntraced(function* (reported: ReadonlyArray<Reported>) {
  const { alerts, brand, host, publicUrl } = yield* Config
  const mailer = yield* Mailer
  if (alerts.email === undefined || !mailer.delivers) return false
  const text = alertMail(reported, { server: brand.name ?? host, publicUrl })
  yield* mailer.send({ to: alerts.email, ...text, purpose: "alert" })
  return true
})

const byWebhook = Effect.fnUntraced(function* (reported: ReadonlyArray<Reported>) {
  const { alerts, publicUrl } = yield* Config
  if (alerts.webhook === undefined) return false
  const url = Redacted.value(alerts.webhook)
  const outgoing = yield* Outgoing
  yield* outgoing.request(url, {
    method: "POST",
    ...webhookRequest(alerts.webhookFormat ?? formatOf(url), publicUrl, reported),
    maxBytes: 64_000,
    timeout: "10 seconds"
  })
  return true
})

/** Reports alerts through a channel; false if it isn't configured. */
const through: Readonly<
  Record<
    Channel,
    (
      reported: ReadonlyArray<Reported>
    ) => Effect.Effect<boolean, MailNotSent | OutgoingError, Config | Mailer | Outgoing>
  >
> = { mail: byMail, webhook: byWebhook }

const count = (name: Counted | undefined) =>
  Effect.gen(function* () {
    const counters = yield* Counters
    if (name === undefined || counters === undefined) return
    counters.add(name)
    yield* Effect.ignore(counters.store)
  })

/** Sends a message, if the channel is configured; "failed" is only logged. */
export const send = (channel: Channel, reported: ReadonlyArray<Reported>) =>
  through[channel](reported).pipe(
    Effect.map((sent) => (sent ? ("sent" as const) : ("not sent" as const))),
    Effect.tap((outcome) => count(outcome === "sent" ? "alert_sent" : undefined)),
    Effect.tapError(() => count("alert_failed")),
    Effect.catch((failure) =>
      // The failure's own fields may contain the webhook's address, which is a secret.
      Effect.as(
        Effect.logWarning("alerts were not sent", { channel, failure: failure._tag }),
        "failed" as const
      )
    )
  )

/** When the part of an alert that a channel reports happened. */
const happenedAt = ({ begunAt, endedAt }: Alert): number => endedAt ?? begunAt

const reportOne = Effect.fnUntraced(function* (channel: Channel, now: number) {
  const alerts = yield* Alerts
  const waiting = yield* alerts.unreported(channel, atOnce)
  if (waiting.length === 0) return
  const outcome = yield* send(channel, waiting)
  if (outcome !== "failed") return yield* alerts.settled(waiting, channel, outcome)
  const old = waiting.filter((alert) => now - happenedAt(alert) > givenUpAfter)
  if (old.length === 0) return
  yield* Effect.logError("alerts could not be reported for a day", { channel, alerts: old.length })
  yield* alerts.settled(old, channel, "not sent")
})

/** Reports each channel what began and ended, in one message a look; the next look repeats what failed. */
export const reportAlerts = (now: number) =>
  Effect.forEach(channels, (channel) => reportOne(channel, now), { discard: true })
