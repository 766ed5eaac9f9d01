import { assert, describe, it } from "@effect/vitest"
import * as Layer from "effect/Layer"
import { formatOf, webhookRequest } from "../../src/core/operators/alertMessages.ts"
import * as HostDatabaseNode from "../../src/layers/host/sql/HostDatabaseNode.ts"
import * as AlertsD1 from "../../src/layers/operators/AlertsD1.ts"
import * as WatchNotesD1 from "../../src/layers/operators/WatchNotesD1.ts"
import { alertsContract } from "./alerts.contract.ts"

alertsContract("node:sqlite", () =>
  AlertsD1.layer.pipe(
    Layer.provideMerge(WatchNotesD1.layer),
    Layer.provide(HostDatabaseNode.layer(":memory:"))
  )
)

describe("the webhook's message", () => {
  const open = {
    kind: "backup-late",
    subject: "",
    detail: "The last one <ended> at & 03:00",
    begunAt: 0,
    seenAt: 60_000
  } as const
  const over = { ...open, endedAt: 7_200_000 }
  const server = "https://pds.example.com"

  it("the host decides the message's form", () => {
    const forms = [
      "https://ntfy.sh/topic",
      "https://ntfy.example.com/topic",
      "https://hooks.slack.com/services/T/B/x",
      "https://discord.com/api/webhooks/1/x",
      "https://canary.discord.com/api/webhooks/1/x",
      "https://notdiscord.com/x"
    ].map(formatOf)
    assert.deepStrictEqual(forms, ["ntfy", "ntfy", "slack", "discord", "discord", "json"])
  })

  it("ntfy gets text with a title and a priority", () => {
    const { headers, body } = webhookRequest("ntfy", server, [open])
    assert.deepStrictEqual(
      [headers["title"], headers["priority"]],
      ["There was no good backup for 36 hours (pds.example.com)", "high"]
    )
    assert.include(body, "(since 1970-01-01 00:00 UTC)")
    assert.strictEqual(webhookRequest("ntfy", server, [over]).headers["priority"], "default")
  })

  it("Slack gets escaped text, and Discord text that mentions nobody", () => {
    const slack = JSON.parse(webhookRequest("slack", server, [open]).body)
    assert.include(slack.text, "&lt;ended&gt; at &amp; 03:00")
    const many = Array.from({ length: 50 }, () => open)
    const discord = JSON.parse(webhookRequest("discord", server, many).body)
    assert.strictEqual(discord.content.length, 2000)
    assert.deepStrictEqual(discord.allowed_mentions, { parse: [] })
  })

  it("JSON says for each alert whether it began or ended", () => {
    const { alerts, ...rest } = JSON.parse(webhookRequest("json", server, [open, over]).body)
    assert.deepStrictEqual(rest, { server })
    assert.deepStrictEqual(
      alerts.map((alert: Record<string, unknown>) => [alert["state"], alert["endedAt"]]),
      [
        ["begun", undefined],
        ["ended", "1970-01-01T02:00:00.000Z"]
      ]
    )
  })
})
