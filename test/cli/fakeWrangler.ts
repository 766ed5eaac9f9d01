import { existsSync, readFileSync, writeFileSync } from "node:fs"
import type { Desk } from "./command.ts"

/** Cloudflare's state, as far as these tests need it. */
export interface CloudflareState {
  readonly signedIn: boolean
  readonly accounts: ReadonlyArray<{ readonly id: string; readonly name: string }>
  /** The secrets of each environment's Worker; a missing entry means no Worker. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>
  readonly store: Readonly<Record<string, string>>
  /** The jurisdiction of each database; null for none. */
  readonly databases: Readonly<Record<string, string | null>>
  /** A word whose commands fail. */
  readonly fails: string
}

/** One run of wrangler. */
export interface WranglerCall {
  readonly args: ReadonlyArray<string>
  /** The account in its environment. */
  readonly account?: string
}

/** A Cloudflare whose wrangler stores it in a file. */
export interface Cloudflare {
  /** The environment that makes the command use this wrangler. */
  readonly env: Readonly<Record<string, string>>
  state(): CloudflareState
  set(change: Partial<CloudflareState>): void
  calls(): ReadonlyArray<WranglerCall>
}

const program = `
import { appendFileSync, readFileSync, writeFileSync } from "node:fs"
const args = process.argv.slice(2)
const account = process.env.CLOUDFLARE_ACCOUNT_ID
appendFileSync("calls.jsonl", JSON.stringify({ args, account }) + "\\n")
const state = JSON.parse(readFileSync("cloudflare.json", "utf8"))
const env = (args.find((arg) => arg.startsWith("--env=")) ?? "--env=").slice("--env=".length)
const fail = (why) => {
  console.error(why)
  process.exit(1)
}
const given = async () => {
  let text = ""
  for await (const chunk of process.stdin) text += chunk
  return text
}
const words = args.join(" ")
if (state.fails !== "" && args.includes(state.fails)) fail("the reasons of wrangler")
if (!state.signedIn) fail("You are not logged in")
if (args[0] === "whoami") console.log(JSON.stringify({ loggedIn: true, accounts: state.accounts }))
else if (words.startsWith("secret list")) {
  if (state.secrets[env] === undefined) fail('Worker "nacre" not found.')
  console.log(JSON.stringify(Object.keys(state.secrets[env]).map((name) => ({ name }))))
} else if (words.startsWith("secret put")) {
  state.secrets[env] = { ...state.secrets[env], [args[2]]: await given() }
} else if (words.startsWith("secrets-store secret list")) {
  if (Object.keys(state.store).length === 0) fail("List request returned no secrets.")
  for (const name of Object.keys(state.store)) console.log("│ " + name + " │ id │")
} else if (words.startsWith("secrets-store secret create")) {
  state.store[args[args.indexOf("--name") + 1]] = await given()
} else if (words.startsWith("d1 info")) {
  if (!(args[2] in state.databases)) fail("Couldn't find a D1 DB with name or binding '" + args[2] + "'")
  console.log(JSON.stringify({ name: args[2], jurisdiction: state.databases[args[2]] }))
} else if (words.startsWith("d1 create")) {
  state.databases[args[2]] = args[args.indexOf("--jurisdiction") + 1]
} else console.log("words of wrangler")
writeFileSync("cloudflare.json", JSON.stringify(state))
`

/** Installs a fake wrangler in a folder, with an empty Cloudflare. */
export const fakeWrangler = (desk: Desk): Cloudflare => {
  const file = desk.path("cloudflare.json")
  const log = desk.path("calls.jsonl")
  // SAFETY: only this module and its program write there.
  const state = () => JSON.parse(readFileSync(file, "utf8")) as CloudflareState
  const write = (all: CloudflareState) => writeFileSync(file, JSON.stringify(all))
  const accounts = [{ id: "0123", name: "Mine" }]
  write({ signedIn: true, accounts, secrets: {}, store: {}, databases: {}, fails: "" })
  writeFileSync(desk.path("wrangler.mjs"), program)
  return {
    env: { NACRE_WRANGLER: "wrangler.mjs" },
    state,
    set: (change) => write({ ...state(), ...change }),
    calls: () =>
      existsSync(log)
        ? readFileSync(log, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
        : []
  }
}
