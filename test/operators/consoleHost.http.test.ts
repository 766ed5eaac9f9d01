import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import { countHourly } from "../../src/services/operators/HostCounts.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import { ours } from "../support/http/accountPages.ts"
import {
  consoleForm,
  enterConsole,
  look,
  makeOperator,
  newestActs,
  type Operator
} from "../support/http/consolePages.ts"
import { type Browser, unescape } from "../support/http/httpBrowser.ts"
import { adminPassword, basic, type Host, startHost } from "../support/http/httpHost.ts"
import { type Person, signUp } from "../support/http/httpWorld.ts"

let host: Host
let admin: Operator
let person: Person
let browser: Browser

const metricsToken = "a token of metrics that nobody sees"

beforeAll(async () => {
  host = await startHost(
    { MAILER: "captured", METRICS_TOKEN: metricsToken, BRAND_NAME: "<i>Nacre</i>" },
    { backups: BackupTargetMemory.make() }
  )
  admin = await makeOperator(host, "admin-op", "admin")
  person = await signUp(host, "person")
  browser = await enterConsole(host, admin)
})
afterAll(() => host.close())

const send = async (
  page: string,
  action: string,
  fields: Readonly<Record<string, string>> = {}
) => {
  browser = await enterConsole(host, admin)
  return browser.post(await consoleForm(browser, page, action), fields)
}

const read = async (page: string): Promise<string> => {
  browser = await enterConsole(host, admin)
  const shown = await look(browser, page)
  assert.strictEqual(shown.status, 200, page)
  return shown.text
}

describe("the console's pages about the host", () => {
  it("a backup begins and ends with the button, and is in the list", async () => {
    assert.include(await read("backups"), "No backup has ended yet.")
    const sent = await send("backups", "backups/now")
    assert.include(sent.location ?? "", "done=backup-done")
    assert.deepInclude((await newestActs(host))[0], { actor: admin.did, act: "/admin/backups" })
    const text = await read("backups")
    assert.match(text, /tag good"\s*>good</)
    assert.include(text, "2 accounts, 2 of them changed")
    assert.include(await read(""), "The last good one ended")
  })

  it("the last reported drill is on the page and in the metrics", async () => {
    assert.include(await read("backups"), "No drill has been reported yet.")
    const input = {
      outcome: "different",
      run: "20260101T030000Z",
      accounts: 2,
      records: 3,
      blobs: 1,
      faulty: 1,
      problems: ["did:web:person.test: its records <differ>"]
    }
    await host.ask("/admin/backups/drill", { method: "POST", auth: basic(), input })
    const text = await read("backups")
    assert.match(text, /tag bad"\s*>differences</)
    assert.match(text, /20260101T030000Z:\s+2 accounts, 3 records, 1 blob</)
    assert.include(text, "did:web:person.test: its records &lt;differ&gt;")
    host.advance(3_600_000)
    await host.beneath(countHourly)
    const { text: metrics } = await host.ask("/metrics", { auth: `Bearer ${metricsToken}` })
    assert.match(metrics, /^nacre_backup_drill_good 0$/m)
    assert.match(metrics, /^nacre_backup_drill_timestamp_seconds \d+/m)
  })

  it("a test mail goes to the operator's own address", async () => {
    assert.include(await read("mail"), admin.email)
    const sent = await send("mail", "mail/test")
    assert.include(sent.location ?? "", "done=mailed")
    assert.deepInclude((await newestActs(host))[0], { act: "/admin/mail/test", subject: admin.did })
    // A long name breaks at its dots.
    assert.include(await read("audit"), "com.<wbr />atproto.<wbr />server.<wbr />createAccount")
  })

  it("an operator needs an authenticator, and the last admin stays", async () => {
    const refused = await send("operators", "operators/give", {
      account: person.handle,
      role: "inviter"
    })
    assert.strictEqual(refused.status, 400)
    assert.include(refused.text, "The account needs an authenticator first")
    assert.include(refused.text, `value="${person.handle}"`)
    const unknown = await send("operators", "operators/give", { account: "no.test", role: "admin" })
    assert.include(unknown.text, "There’s no such account on this server.")
    const emperor = await send("operators", "operators/give", {
      account: "no.test",
      role: "emperor"
    })
    assert.include(emperor.text, "Choose a role.")
    const last = await send("operators", "operators/remove", { account: admin.did })
    assert.include(last.text, "This is the last admin.")
    const other = await makeOperator(host, "other-op", "moderator")
    const given = await send("operators", "operators/give", {
      account: `@${other.handle}`,
      role: "admin"
    })
    assert.include(given.location ?? "", "done=role-given")
    assert.deepInclude((await newestActs(host))[0], {
      actor: admin.did,
      act: "/admin/operators",
      subject: other.did,
      before: { role: "moderator" },
      after: { role: "admin" }
    })
    const gone = await send("operators", "operators/remove", { account: other.did })
    assert.include(gone.location ?? "", "done=role-removed")
    assert.include(await read("operators"), `Remove the role of ${admin.handle}`)
  })

  it("the audit log has pages and filters, and finds a changed entry", async () => {
    for (let at = 0; at < 55; at++) await look(browser, "accounts?q=<b>")
    const text = await read("audit")
    assert.include(text, "by admin-op.test")
    assert.notInclude(text, "text = <b>")
    assert.include(text, "text = &lt;b&gt;")
    const older = unescape(/href="([^"]+before=\d+)"/.exec(text)?.[1] ?? "")
    const next = await browser.get(older, ours)
    assert.strictEqual(next.status, 200)
    assert.include(next.text, "Newest")
    const filtered = await read(`audit?act=${encodeURIComponent("/admin/operators")}`)
    assert.include(filtered, "role = admin")
    assert.notInclude(filtered, "/admin/mail/test")
    assert.include(await read("audit?actor=nobody"), "No entry matches.")
    assert.match(await read("audit?verify=1"), /Entries \d+ to \d+ are intact\./)
    // SAFETY: the database is beneath every host in memory.
    const change = Effect.flatMap(
      HostDatabase,
      ({ sql }) => sql`UPDATE audit SET actor = 'password' WHERE seq = 5`
    ) as Effect.Effect<unknown, never>
    await host.beneath(change)
    assert.include(await read("audit?verify=1"), "Entry 5 was changed.")
  })

  it("the configuration shows what is set, and of secrets only whether they are", async () => {
    const text = await read("configuration")
    assert.include(text, "&lt;i&gt;Nacre&lt;/i&gt;")
    assert.notInclude(text, "<i>Nacre")
    assert.match(text, /METRICS_TOKEN<\/dt>\s*<dd>set</)
    assert.match(text, /MAIL_HTTP_TOKEN<\/dt>\s*<dd>not set</)
    for (const secret of [metricsToken, adminPassword]) assert.notInclude(text, secret)
    assert.include(text, "SIGNING_CURVE")
  })

  it("the network page says who reads the stream", async () => {
    const text = await read("network")
    assert.include(text, "No relays are configured")
    assert.include(text, "Nobody has read the stream within a month.")
  })

  it("an admin disconnects a reader of the stream, and asks only configured relays", async () => {
    host.subscribe()
    assert.include(await read("network"), "connected")
    const sent = await send("network", "network/disconnect")
    assert.include(sent.location ?? "", "done=disconnected")
    assert.deepInclude((await newestActs(host))[0], { act: "/admin/relays/disconnect" })
    const form = { action: "/admin/console/network/ask", fields: {} }
    const page = await look(browser, "backups")
    const { csrf, operator } = page.form("/backups/now").fields
    const relay = "https://relay.example.com"
    const asked = await browser.post(
      { ...form, fields: { csrf: csrf!, operator: operator! } },
      { relay }
    )
    assert.include(asked.location ?? "", "done=asked-in-vain")
    assert.deepInclude((await newestActs(host))[0], { act: "/admin/relays/ask", subject: relay })
  })

  it("no page shows a secret of the host or of an account", async () => {
    for (const page of [
      "",
      "accounts",
      "audit",
      "backups",
      "configuration",
      "mail",
      "network",
      "operators"
    ]) {
      const text = await read(page)
      for (const secret of [metricsToken, adminPassword, person.password, admin.password]) {
        assert.notInclude(text, secret, page)
      }
    }
  })
})
