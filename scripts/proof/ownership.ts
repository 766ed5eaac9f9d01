/**
 * Uses the packages as a person would: creates a project in an empty folder, runs it, posts,
 * upgrades it from an earlier version, posts again, and goes back.
 *
 * There is no earlier version, so this one gets a lower number; its data lacks the schema's
 * version, and its configuration lacks backups.
 */
import { AtpAgent, type AtpSessionData } from "@atproto/api"
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { applyEdits, modify, parse } from "jsonc-parser"
import { must, run, serving } from "../package/running.ts"
import { freePort } from "../server.ts"

/** The number of the earlier version. */
const before = "0.1.99"

const readJson = (file: string) => JSON.parse(readFileSync(file, "utf8"))

const filesUnder = (folder: string): ReadonlyArray<string> =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name, parentPath }) => join(parentPath, name))

/** Packs the built package under the earlier version's number. */
const packBefore = (built: string, folder: string, version: string): string => {
  const copy = join(folder, "before")
  cpSync(built, copy, { recursive: true })
  for (const file of filesUnder(copy).filter((name) => /\.(?:js|json)$/.test(name))) {
    writeFileSync(file, readFileSync(file, "utf8").replaceAll(version, before))
  }
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder, copy], {
    stdio: ["ignore", "ignore", "inherit"]
  })
  return join(folder, `nacre-${before}.tgz`)
}

/** Removes the backups from a configuration, as in a project from an older version. */
const forgetBackups = (file: string): void => {
  let text = readFileSync(file, "utf8")
  const set = (path: ReadonlyArray<string | number>, value: unknown) => {
    text = applyEdits(text, modify(text, [...path], value, {}))
  }
  const { r2_buckets: buckets } = parse(text)
  set(["r2_buckets"], [buckets[0]])
  set(["triggers"], undefined)
  writeFileSync(file, text)
}

/** Removes the schema's version from every database; returns how many had one. */
const forgetSchema = (state: string): number => {
  let count = 0
  for (const file of filesUnder(state).filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(file)
    const isThere = database
      .prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'")
      .get()
    if (isThere !== undefined) {
      database.exec("DROP TABLE schema_version")
      count += 1
    }
    database.close()
  }
  return count
}

const dryRun = (project: string): void => {
  run(project, process.execPath, "node_modules/wrangler/bin/wrangler.js", "deploy", "--dry-run")
}

/** Reports a finished step. */
export type Timed = (step: string) => void

/** Runs all steps in an empty folder. */
export const ownProject = async (
  folder: string,
  {
    create,
    built,
    nacre,
    tell,
    version
  }: {
    /** The tarball of create-nacre. */
    readonly create: string
    /** The folder of the built package. */
    readonly built: string
    /** Its tarball. */
    readonly nacre: string
    readonly tell: Timed
    readonly version: string
  }
): Promise<void> => {
  const old = packBefore(built, folder, version)
  const home = join(folder, "empty")
  mkdirSync(home)
  tell("packed the version before")
  const words = ["--yes", "--package", create, "--", "create-nacre", "my-pds", "--yes"]
  run(home, "npm", "exec", ...words, "--nacre", old)
  const project = join(home, "my-pds")
  const config = join(project, "wrangler.jsonc")
  tell("created and installed a project")
  forgetBackups(config)
  dryRun(project)
  tell("wrangler deploy --dry-run")

  const port = await freePort()
  const command = join(project, "node_modules/nacre/dist/cli.js")
  const installed = { folder: project, command, port }
  let session: AtpSessionData | undefined
  const versionAt = async (url: string) =>
    // SAFETY: /ready returns JSON with the version.
    ((await (await fetch(`${url}/ready`)).json()) as { version: string }).version
  const keep = (_: unknown, kept: AtpSessionData | undefined): void => {
    session = kept ?? session
  }
  const agentAt = (url: string) => new AtpAgent({ service: url, persistSession: keep })
  const post = (agent: AtpAgent, text: string) =>
    agent.post({ text, createdAt: new Date().toISOString() })
  const textsOf = async (agent: AtpAgent) => {
    const listed = await agent.com.atproto.repo.listRecords({
      repo: agent.assertDid,
      collection: "app.bsky.feed.post"
    })
    return listed.data.records.map(({ value }) => String(value["text"])).toSorted()
  }

  await serving(installed, async (url) => {
    must((await versionAt(url)) === before, `${before} answers`)
    const agent = agentAt(url)
    const { handle: identifier, password } = readJson(join(project, ".data/account.json"))
    await agent.login({ identifier, password })
    await post(agent, "1 from the version before")
  })
  tell("started, signed in, posted")
  must(forgetSchema(join(project, ".data/state")) > 0, "the data has a schema's version")

  const said = run(project, process.execPath, command, "upgrade", "--no-deploy", "--to", nacre)
  must(said.includes(`To go back: npm install ${old}`), `upgrade says how to go back:\n${said}`)
  const { r2_buckets: buckets, triggers } = parse(readFileSync(config, "utf8"))
  must(buckets.length === 2 && triggers !== undefined, "upgrade adds the backups")
  dryRun(project)
  tell("upgraded")
  await serving(installed, async (url) => {
    must((await versionAt(url)) === version, `${version} answers`)
    const agent = agentAt(url)
    if (session === undefined) throw new Error("no session was kept")
    await agent.resumeSession(session)
    await post(agent, "2 from this version")
    must((await textsOf(agent)).length === 2, "both posts are there")
    run(project, process.execPath, command, "status")
  })
  tell("resumed the session, posted again")

  run(project, "npm", "install", "--no-audit", "--no-fund", old)
  await serving(installed, async (url) => {
    must((await versionAt(url)) === before, `${before} answers again`)
    const agent = agentAt(url)
    if (session === undefined) throw new Error("no session was kept")
    await agent.resumeSession(session)
    await post(agent, "3 after going back")
    const texts = (await textsOf(agent)).map((text) => text[0]).join("")
    must(texts === "123", `all three posts are there: ${texts}`)
  })
  tell("went back, posted once more")
}
