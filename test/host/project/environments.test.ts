import { assert, describe, it } from "@effect/vitest"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  unstable_getDurableObjectClassNameToUseSQLiteMap as sqliteOf,
  unstable_readConfig as readConfig
} from "wrangler"
import { readWrangler } from "../../../scripts/server.ts"

const root = join(import.meta.dirname, "../../..")
const path = join(root, "wrangler.toml")

/** The parts of wrangler's untyped configuration that these tests read. */
interface Config {
  readonly name: string
  readonly main: string
  readonly definedEnvironments: ReadonlyArray<string>
  readonly compatibility_date: string
  readonly compatibility_flags: ReadonlyArray<string>
  readonly keep_names: boolean
  readonly alias: object
  readonly observability: object
  readonly migrations: ReadonlyArray<object>
  readonly exports: Readonly<Record<string, { readonly storage: string }>>
  readonly d1_databases: ReadonlyArray<{ readonly binding: string; readonly database_name: string }>
  readonly r2_buckets: ReadonlyArray<{ readonly binding: string; readonly bucket_name: string }>
  readonly durable_objects: {
    readonly bindings: ReadonlyArray<{
      readonly name: string
      readonly class_name: string
      readonly script_name?: string
    }>
  }
}

const read = (env: string): Config => readConfig({ config: path, env }, { hideWarnings: true })

/** An environment as wrangler reads it; production is the top level. */
const environment = (env: string) => {
  const config = read(env)
  const databases = config.d1_databases.map((one) => one.database_name)
  const buckets = config.r2_buckets.map((one) => one.bucket_name)
  return {
    // Each Worker has its own Durable Objects, unless a binding names another Worker's.
    foreign: config.durable_objects.bindings.filter((one) => one.script_name !== undefined),
    // SAFETY: wrangler's own parsed configuration.
    classes: [...sqliteOf(config.migrations as never, config.exports as never)],
    bindings: [
      ...config.d1_databases.map((one) => one.binding),
      ...config.r2_buckets.map((one) => one.binding)
    ],
    owned: [`Worker ${config.name}`, ...databases, ...buckets],
    config
  }
}

const environments = new Map(["", "staging", "dev"].map((name) => [name, environment(name)]))

/** The bindings that the Worker requires, by the type of its environment. */
const needed = [
  ...readFileSync(join(root, "src/layers/Cloudflare.ts"), "utf8").matchAll(
    /^ {2}readonly ([A-Z]+): \w+/gm
  )
].map(([, name]) => name!)

describe("the environments of wrangler.toml", () => {
  it("the environments are production, staging and dev", () => {
    assert.deepStrictEqual(read("").definedEnvironments, ["staging", "dev"])
  })

  it.each([...environments])("%s has every binding that the Worker requires", (_, found) => {
    assert.sameMembers([...needed], ["ACCOUNT", "SEQUENCER", "LIMITER", "DIRECTORY", "BLOBS"])
    // Objects are found by their classes.
    assert.sameMembers(found.bindings, ["DIRECTORY", "BLOBS", "BACKUPS"])
    assert.deepStrictEqual(found.classes, [
      ["Account", true],
      ["Sequencer", true],
      ["Limiter", true]
    ])
  })

  it("environments share no Worker, object, database or bucket", () => {
    const owned = [...environments.values()].flatMap((one) => one.owned)
    assert.lengthOf(owned, 12)
    assert.lengthOf(new Set(owned), owned.length)
    assert.deepStrictEqual(
      [...environments.values()].flatMap((one) => one.foreign),
      []
    )
  })

  it("no environment inherits production's routes", () => {
    const sections = readFileSync(path, "utf8").split(/^(?=\[)/m)
    for (const name of ["staging", "dev"]) {
      const own = sections.find((section) => section.startsWith(`[env.${name}]`))
      assert.match(own ?? "", /^routes = /m)
    }
  })

  it("a local server gets the variables of dev, and none of production's", async () => {
    const folder = mkdtempSync(join(tmpdir(), "nacre-environments-"))
    const file = join(folder, "wrangler.toml")
    const top = '[vars]\nDATA_LOCATION = "eu"\nMAILER = "http"\n'
    writeFileSync(file, top)
    const alone = await readWrangler(file)
    writeFileSync(file, `${top}\n[env.dev.vars]\nBRAND_NAME = "Here"\n`)
    const local = await readWrangler(file)
    rmSync(folder, { recursive: true })
    assert.deepStrictEqual(local.vars, { BRAND_NAME: "Here" })
    assert.deepStrictEqual(alone.vars, { DATA_LOCATION: "eu", MAILER: "http" })
  })

  it("all environments are built alike", () => {
    const built = [...environments.values()].map(({ config }) => ({
      main: config.main,
      flags: config.compatibility_flags,
      date: config.compatibility_date,
      names: config.keep_names,
      alias: config.alias,
      observability: config.observability
    }))
    for (const one of built) assert.deepStrictEqual(one, built[0])
  })
})
