#!/usr/bin/env node
/** How long the console's pages take on a server in memory with many accounts. */
import { loadavg } from "node:os"
import { parseArgs } from "node:util"
import { runJobs } from "../src/services/host/jobs.ts"
import { enterConsole, look, makeOperator } from "../test/support/http/consolePages.ts"
import { basic, startHost } from "../test/support/http/httpHost.ts"
import { ok, signUp } from "../test/support/http/httpWorld.ts"
import { percentile, sequential, short, table } from "./measure.ts"

const help = `node bench/console.ts [--accounts 300] [--runs 40]

Fills a server in this process with --accounts accounts, each with two records and a blob, and prints the median
and the 95th percentile of --runs sequential requests for each page of the console and for /metrics, from request
to whole body.`

const { values } = parseArgs({
  options: {
    accounts: { type: "string", default: "300" },
    runs: { type: "string", default: "40" },
    help: { type: "boolean", short: "h", default: false }
  }
})

const anHour = 3_600_000

const metricsToken = "a token for the metrics of the bench"

/** The console's pages by the rest of their path; some with a search. */
const pages: ReadonlyArray<string> = [
  "",
  "accounts",
  "accounts?q=member1",
  "accounts?state=takendown",
  "account?did=did%3Aweb%3Amember1.test",
  "invites",
  "moderation?about=member1.test",
  "network",
  "mail",
  "backups",
  "audit",
  "audit?verify",
  "operators",
  "configuration"
]

const measure = async (): Promise<void> => {
  const host = await startHost({ MAILER: "captured", METRICS_TOKEN: metricsToken })
  const state = () => `load ${loadavg()[0]?.toFixed(1)}`
  try {
    const from = performance.now()
    const operator = await makeOperator(host, "operator", "admin")
    for (let nth = 1; nth < Number(values.accounts); nth++) await signUp(host, `member${nth}`)
    const input = { codeCount: 100, useCount: 1 }
    ok(await host.call("com.atproto.server.createInviteCodes", { auth: basic(), input }))
    // Each run of the jobs asks 20 accounts how much they store.
    host.advance(anHour)
    for (let asked = 0; asked <= Number(values.accounts); asked += 20) await host.beneath(runJobs)
    const seconds = Math.round((performance.now() - from) / 1000)
    console.log(`${values.accounts} accounts made in ${seconds} s, ${state()}`)
    const browser = await enterConsole(host, operator)
    const rows: Array<ReadonlyArray<string>> = [["page", "p50 ms", "p95 ms"]]
    const time = async (
      name: string,
      ask: () => Promise<{ readonly status: number; readonly text: string }>
    ) => {
      const times = await sequential(Number(values.runs), async () => {
        const { status, text } = await ask()
        if (status !== 200) throw new Error(`${name}: ${status} ${text}`)
      })
      rows.push([name, short(percentile(times, 0.5)), short(percentile(times, 0.95))])
    }
    for (const page of pages) await time(page === "" ? "overview" : page, () => look(browser, page))
    await time("/metrics", () => host.ask("/metrics", { auth: `Bearer ${metricsToken}` }))
    console.log(`${table(rows)}\n${state()}`)
  } finally {
    await host.close()
  }
}

if (values.help) console.log(help)
else await measure()
