/**
 * `npm create nacre my-pds`: writes a project for a server, installs it, and sets it up.
 */
import { spawnSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync
} from "node:fs"
import { basename, join, relative, resolve } from "node:path"
import { createInterface } from "node:readline/promises"
import { parseArgs } from "node:util"

const help = `npm create nacre [folder]: creates a project for a server of your own.

  --yes              ask nothing: create and install, and set up later or with the options of nacre init
  --no-install       don't install packages
  --nacre <version>  the version of nacre, or a tarball's file; default: this one's

Then it runs nacre init, which takes its own options after the folder's name:
  npm create nacre my-pds -- --domain pds.example.com --location eu`

class Refused extends Error {}

/** The package manager that runs this program, from its variable. */
const managerOf = (agent: string | undefined): string => agent?.split("/", 1)[0] || "npm"

const runnerOf = (manager: string): string =>
  ({ pnpm: "pnpm exec", yarn: "yarn", bun: "bunx" })[manager] ?? "npx"

const askFolder = async (): Promise<string> => {
  if (!process.stdin.isTTY) return "my-pds"
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  const typed = await terminal.question("Folder for the project (my-pds): ")
  terminal.close()
  return typed.trim() || "my-pds"
}

/** A name that npm and Cloudflare both accept for the project. */
const nameOf = (folder: string): string =>
  basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 50)
    .replace(/-+$/, "") || "my-pds"

const refuseUsed = (folder: string): void => {
  if (!existsSync(folder)) return
  if (!statSync(folder).isDirectory()) {
    throw new Refused(`${folder} is a file. Choose another folder.`)
  }
  const others = readdirSync(folder).filter((name) => name !== ".git")
  if (others.length === 0) return
  throw new Refused(`${folder} isn't empty (${others[0]} is there). Choose another folder.`)
}

const write = (folder: string, versions: { nacre: string; wrangler: string }): void => {
  mkdirSync(folder, { recursive: true })
  cpSync(join(import.meta.dirname, "../template"), folder, { recursive: true })
  // npm omits .gitignore files from packages.
  renameSync(join(folder, "_gitignore"), join(folder, ".gitignore"))
  const name = nameOf(folder)
  for (const file of ["wrangler.jsonc", "README.md"]) {
    const text = readFileSync(join(folder, file), "utf8")
    writeFileSync(join(folder, file), text.replaceAll("my-pds", name))
  }
  const file = join(folder, "package.json")
  const manifest = JSON.parse(readFileSync(file, "utf8"))
  manifest.name = name
  manifest.dependencies.nacre = versions.nacre
  manifest.devDependencies.wrangler = versions.wrangler
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}

const install = (folder: string, manager: string): void => {
  const quiet = manager === "npm" ? ["--no-audit", "--no-fund"] : []
  const { status } = spawnSync(manager, ["install", ...quiet], { cwd: folder, stdio: "inherit" })
  if (status !== 0) {
    throw new Refused(`${manager} install failed in ${folder}. Fix this, then run it there again.`)
  }
}

const main = async (): Promise<number> => {
  const { values, tokens } = parseArgs({
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: {
      yes: { type: "boolean", short: "y" },
      "no-install": { type: "boolean" },
      nacre: { type: "string" },
      help: { type: "boolean", short: "h" }
    }
  })
  if (values["help"] === true) {
    console.log(help)
    return 0
  }
  if (Number(process.versions.node.split(".", 1)[0]) < 22) {
    throw new Refused(`Nacre needs Node 22 or newer, but this is ${process.version}.`)
  }
  const ours = new Set(["yes", "no-install", "nacre", "help"])
  // A word behind an option of nacre init may be its value.
  const foreign = tokens.findIndex((token) => token.kind === "option" && !ours.has(token.name))
  const first = tokens
    .slice(0, foreign < 0 ? undefined : foreign)
    .find((token) => token.kind === "positional")
  const own = process.argv.slice(2)
  // Other flags are passed to nacre init, with their values.
  const forInit = own.filter((word, at) => {
    if (first !== undefined && at === first.index) return false
    const name = /^--([\w-]+)/.exec(word)?.[1]
    if (word === "-y" || (name !== undefined && ours.has(name))) return false
    return own[at - 1] !== "--nacre"
  })
  const folder = resolve(first?.value ?? (await askFolder()))
  refuseUsed(folder)
  const { nacreVersion, wranglerVersion } = JSON.parse(
    readFileSync(join(import.meta.dirname, "versions.json"), "utf8")
  )
  const given = values["nacre"]
  const nacre = typeof given === "string" ? given : `^${nacreVersion}`
  const isFile = nacre.endsWith(".tgz")
  write(folder, {
    nacre: isFile ? `file:${resolve(nacre)}` : nacre,
    wrangler: `^${wranglerVersion}`
  })
  const manager = managerOf(process.env["npm_config_user_agent"])
  const isInstalled = values["no-install"] !== true
  if (isInstalled) install(folder, manager)
  const place = relative(process.cwd(), folder) || "."
  console.error(`\nCreated ${nameOf(folder)} in ${place}.`)
  const runner = runnerOf(manager)
  const asks = process.stdin.isTTY && values["yes"] !== true
  if (isInstalled && (asks || forInit.length > 0)) {
    const [program = "npx", ...words] = runner.split(" ")
    const yes = values["yes"] === true ? ["--yes"] : []
    const { status } = spawnSync(program, [...words, "nacre", "init", ...forInit, ...yes], {
      cwd: folder,
      stdio: "inherit"
    })
    if (status === 0 && place !== ".") {
      console.error(`\nRun these commands in the project's folder: cd ${place}`)
    }
    return status ?? 1
  }
  console.error(
    [
      "Next steps:",
      `  cd ${place}`,
      ...(isInstalled ? [] : [`  ${manager} install`]),
      `  ${manager} run dev           (runs the server on this machine, with a first account)`,
      `  ${runner} nacre init         (prepares a server on Cloudflare)`
    ].join("\n")
  )
  return 0
}

try {
  process.exitCode = await main()
} catch (cause) {
  if (!(cause instanceof Refused)) throw cause
  console.error(`Error: ${cause.message}`)
  process.exitCode = 1
}
