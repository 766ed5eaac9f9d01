import { join } from "node:path"
import type { FirstAccount } from "../account.ts"

/**
 * Polls /ready until the server is ready; reports an invalid configuration immediately, in the
 * server's words.
 */
export async function waitUntilReady(url: string): Promise<void> {
  let last = "no answer"
  const until = performance.now() + 20_000
  while (performance.now() < until) {
    const answer = await askReady(url)
    if (answer.ready === true) return
    if (answer.problems !== undefined) {
      const lines = answer.problems.map(({ variable, message }) => `  ${variable} ${message}`)
      throw new Error(`The configuration is invalid:\n${lines.join("\n")}`)
    }
    last = answer.text
    await new Promise((done) => setTimeout(done, 50))
  }
  throw new Error(`The server didn't become ready: ${last}`)
}

/** The response of /ready, or the reason for its absence. */
interface Ready {
  readonly ready?: boolean
  readonly problems?: ReadonlyArray<{ readonly variable: string; readonly message: string }>
  readonly text: string
}

async function askReady(url: string): Promise<Ready> {
  try {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(10_000) })
    const text = await response.text()
    return { ...JSON.parse(text), text: `${response.status} ${text}` }
  } catch (cause) {
    return { text: String(cause) }
  }
}

/** Prints the server's address, and the account to sign in with. */
export function announce(
  account: FirstAccount | undefined,
  {
    publicUrl,
    dataDir,
    bindings,
    started
  }: {
    readonly publicUrl: string
    readonly dataDir: string
    readonly bindings: Readonly<Record<string, string>>
    readonly started: number
  }
): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\nNacre is ready (${seconds} s)\n`)
  const lines: Array<readonly [label: string, value: string]> = [["URL", publicUrl]]
  if (account !== undefined) {
    lines.push(["Handle", account.handle], ["DID", account.did], ["Password", account.password])
  }
  lines.push(["Admin", `admin / ${bindings["ADMIN_PASSWORD"]}`], ["Data", dataDir])
  lines.push(["PLC", bindings["PLC_URL"] ?? ""])
  for (const [label, value] of lines) console.log(`  ${label.padEnd(10)}${value}`)
  if (account === undefined) {
    console.log(
      `\n  There are accounts, but ${join(dataDir, "account.json")} is gone, and with it the first account's password.`
    )
  }
  console.log("\nStop with Ctrl-C.\n")
}
