import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Desk } from "./command.ts"
import { type Asked, playProgram } from "./playedPrograms.ts"

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

/** Runs a command of wrangler in a folder with its Cloudflare. */
export const runWrangler = (folder: string, { args, env: variables, stdin }: Asked) => {
  const account = variables["CLOUDFLARE_ACCOUNT_ID"]
  appendFileSync(join(folder, "calls.jsonl"), `${JSON.stringify({ args, account })}\n`)
  const file = join(folder, "cloudflare.json")
  const state: {
    -readonly [Part in keyof CloudflareState]: CloudflareState[Part]
  } = JSON.parse(readFileSync(file, "utf8"))
  const env = (args.find((arg) => arg.startsWith("--env=")) ?? "--env=").slice("--env=".length)
  const words = args.join(" ")
  const fail = (stderr: string) => ({ code: 1, stdout: "", stderr: `${stderr}\n` })
  const print = (...lines: ReadonlyArray<string>) => {
    writeFileSync(file, JSON.stringify(state))
    return { code: 0, stdout: lines.map((line) => `${line}\n`).join(""), stderr: "" }
  }
  if (state.fails !== "" && args.includes(state.fails)) return fail("the reasons of wrangler")
  if (!state.signedIn) return fail("You are not logged in")
  if (args[0] === "whoami") {
    return print(JSON.stringify({ loggedIn: true, accounts: state.accounts }))
  }
  if (words.startsWith("secret list")) {
    const secrets = state.secrets[env]
    return secrets === undefined
      ? fail('Worker "nacre" not found.')
      : print(JSON.stringify(Object.keys(secrets).map((name) => ({ name }))))
  }
  if (words.startsWith("secret put")) {
    const secrets = { ...state.secrets[env], [args[2]!]: stdin }
    state.secrets = { ...state.secrets, [env]: secrets }
    return print()
  }
  if (words.startsWith("secret delete")) {
    const { [args[2]!]: _gone, ...secrets } = state.secrets[env] ?? {}
    state.secrets = { ...state.secrets, [env]: secrets }
    return print()
  }
  if (words.startsWith("secrets-store secret list")) {
    const names = Object.keys(state.store)
    return names.length === 0
      ? fail("List request returned no secrets.")
      : print(...names.map((name) => `│ ${name} │ id │`))
  }
  if (words.startsWith("secrets-store secret create")) {
    state.store = { ...state.store, [args[args.indexOf("--name") + 1]!]: stdin }
    return print()
  }
  if (words.startsWith("d1 info")) {
    const name = args[2]!
    return name in state.databases
      ? print(JSON.stringify({ name, jurisdiction: state.databases[name] }))
      : fail(`Couldn't find a D1 DB with name or binding '${name}'`)
  }
  if (words.startsWith("d1 create")) {
    const jurisdiction = args[args.indexOf("--jurisdiction") + 1]!
    state.databases = { ...state.databases, [args[2]!]: jurisdiction }
    return print()
  }
  return print("words of wrangler")
}

/** The same as a program of its own, for a command that runs as one. */
const program = `
import { text } from "node:stream/consumers"
import { runWrangler } from ${JSON.stringify(import.meta.filename)}
const { argv, env, stderr, stdin, stdout } = process
const given = stdin.isTTY ? "" : await text(stdin)
const ran = runWrangler(process.cwd(), { args: argv.slice(2), env, stdin: given })
stdout.write(ran.stdout)
stderr.write(ran.stderr)
process.exitCode = ran.code
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
  playProgram(desk.path("wrangler.mjs"), (asked) => runWrangler(desk.folder, asked))
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
