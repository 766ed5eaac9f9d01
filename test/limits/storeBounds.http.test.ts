import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { HostServices } from "../../src/http/host.ts"
import { defaultBlobQuota } from "../../src/layers/host/ConfigEnv.ts"
import { budget as reservedKeys } from "../../src/layers/identity/ReservedKeysD1.ts"
import { budget as passkeys } from "../../src/layers/factors/PasskeysSqlite.ts"
import type { Bounds } from "../../src/layers/host/sql/bounds.ts"
import { buckets } from "../../src/layers/host/sql/buckets.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import { perBucket as counters } from "../../src/layers/objects/Limiter.ts"
import { budget as devices } from "../../src/layers/oauth/DevicesD1.ts"
import { perBucket as requests } from "../../src/layers/oauth/OAuthRequestsD1.ts"
import { budget as oauthSessions } from "../../src/layers/oauth/OAuthSessionsSqlite.ts"
import { budget as sets } from "../../src/layers/oauth/PermissionSetsD1.ts"
import { budget as appPasswords } from "../../src/layers/sessions/AppPasswordsSqlite.ts"
import { budget as repos } from "../../src/layers/stream/repos.ts"
import { SqlStorage } from "../../src/services/host/SqlStorage.ts"
import { publicApp } from "../support/http/oauthApp.ts"
import { startWorld, type World } from "../support/http/httpWorld.ts"

const root = join(import.meta.dirname, "../..")

/** The sources of all layers, by path. */
const sources = globSync("src/layers/**/*.ts", { cwd: root }).map(
  (path) => [path, readFileSync(join(root, path), "utf8")] as const
)

/** The tables that a source creates and keeps. */
const tablesIn = (source: string): ReadonlyArray<string> =>
  [...source.matchAll(/CREATE TABLE (?:IF NOT EXISTS )?(\w+) \(/g)]
    .map(([, name = ""]) => name)
    .filter((name) => !source.includes(`DROP TABLE ${name}`))

const boundsOf = async (path: string): Promise<Bounds> => {
  // SAFETY: the source declares it with this type.
  const module = (await import(join(root, path))) as { readonly bounds: () => Bounds }
  return module.bounds()
}

interface SqliteTable {
  readonly name: string
}

const listing = "SELECT name FROM sqlite_master WHERE type = 'table'"

/** Tables of SQLite and the platform. */
const isForeign = (name: string) => /^(sqlite|_cf)_/.test(name)

const gigabyte = 1_000_000_000

describe("the limits of all stored data", () => {
  let all: Bounds
  let world: World
  beforeAll(async () => {
    const declared = sources.filter(([, source]) => source.includes("bounds = (): Bounds"))
    all = Object.assign({}, ...(await Promise.all(declared.map(([path]) => boundsOf(path)))))
    world = await startWorld()
  })
  afterAll(() => world.close())

  it("every table has its limits beside it, and no limits are left of a removed table", async () => {
    for (const [path, source] of sources) {
      const tables = tablesIn(source)
      if (tables.length === 0) continue
      assert.include(source, "bounds = (): Bounds", `${path} bounds none of its tables`)
      assert.sameMembers(Object.keys(await boundsOf(path)), [...tables], path)
    }
  })

  it("every table in a used database has limits", async () => {
    await (await publicApp(world)).push()
    const host = Effect.flatMap(HostDatabase, ({ sql }) => sql.unsafe<SqliteTable>(listing))
    // SAFETY: the memory layers provide the database along with the routes' services.
    const inD1 = await world.beneath(
      host as unknown as Effect.Effect<ReadonlyArray<SqliteTable>, never, HostServices>
    )
    const inObject = await world.inside(
      world.alice.did,
      Effect.map(SqlStorage, (sql) => sql.exec<{ name: string }>(listing).toArray())
    )
    assert.isAbove(inD1.length, 5)
    assert.isAbove(inObject.length, 20)
    for (const { name } of [...inD1, ...inObject]) {
      if (!isForeign(name)) assert.property(all, name)
    }
  })

  it("everything fits into the platform's databases, whatever strangers and one account do", () => {
    const sum = (per: "host" | "account", isMeant: (name: string) => boolean) =>
      Object.entries(all)
        .filter(([name, bound]) => bound.per === per && isMeant(name))
        .reduce((total, [, { bytes }]) => total + bytes, 0)
    const isOfLog = (name: string) => ["event", "event_part", "note"].includes(name)
    assert.isBelow(
      sum("host", (name) => !isOfLog(name) && name !== "counters"),
      2 * gigabyte
    )
    for (const [name, { bytes, filledBy, bound }] of Object.entries(all)) {
      assert.isAbove(bytes, 0, name)
      if (!name.startsWith("R2")) assert.isAtMost(bytes, 10 * gigabyte, name)
      assert.match(filledBy, /\w/, name)
      assert.match(bound, /\w/, name)
    }
  })

  it("the declared limits are those that the code enforces", () => {
    const kept: Readonly<Record<string, number>> = {
      "R2, blobs": defaultBlobQuota,
      app_password: appPasswords.passwords * 2 * 1024,
      collection: repos.collections * 5 * 1024,
      counters: 64 * buckets * counters * 256,
      device: buckets * devices.perBucket * 2048,
      device_account: devices.ofAccount * 5 * 1024,
      included_set: sets.bytes + sets.rows * 1024,
      oauth_code: buckets * requests.codes * 50 * 1024,
      oauth_consent: oauthSessions.consents * 24 * 1024,
      oauth_over: (oauthSessions.over + 1) * 1024,
      oauth_request: buckets * requests.requests * 25 * 1024,
      oauth_used_once: 2 * buckets * requests.usedOnce * 256,
      passkey: passkeys.passkeys * 8192,
      reserved_key: reservedKeys.keys * 5 * 1024
    }
    for (const [name, bytes] of Object.entries(kept)) {
      assert.strictEqual(all[name]?.bytes, bytes, name)
    }
  })

  it("docs/contribute/security/limits.md lists every table with its limits", () => {
    const rows = Object.entries(all).map(([name, { filledBy, bound }]) => {
      const store = /^\w+$/.test(name) ? `\`${name}\`` : name
      return `| ${store} | ${filledBy} | ${bound} |`
    })
    const security = readFileSync(join(root, "docs/contribute/security/limits.md"), "utf8")
    const [, table = ""] = /^\| store \| .*\n\| --- .*\n((?:\|.*\n)+)/m.exec(security) ?? []
    assert.sameMembers(table.trim().split("\n"), rows)
  })
})
