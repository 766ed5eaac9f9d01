import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { type Faulty, startFaulty, withoutLastBlock } from "../support/server/faultyServer.ts"
import { type Person, png, post, signUp } from "../support/server/serverPeople.ts"
import type { TestServer } from "../support/server/server.ts"
import { startMemory } from "../support/server/serverMemory.ts"
import { zipOf } from "../support/zipFiles.ts"
import { type Desk, makeDesk } from "./command.ts"

const getRepo = "com.atproto.sync.getRepo"
const getBlob = "com.atproto.sync.getBlob"
const listBlobs = "com.atproto.sync.listBlobs"

let server: TestServer
let faulty: Faulty
let desk: Desk
beforeAll(async () => {
  server = await startMemory()
  faulty = await startFaulty(server.publicUrl)
})
afterAll(async () => {
  await faulty?.stop()
  await server?.stop()
})

afterEach(() => desk?.remove())

/** A person with ten posts and two pictures, and a folder of their own. */
const someone = async (name: string): Promise<Person> => {
  const person = await signUp(server, name)
  const { agent } = person
  for (const text of ["one", "two"]) {
    const { data } = await agent.uploadBlob(png(`${name} ${text}`), { encoding: "image/png" })
    const images = [{ image: data.blob, alt: text }]
    await agent.post({ text, embed: { $type: "app.bsky.embed.images", images } })
  }
  for (let n = 0; n < 8; n++) await agent.post(post(`${n}`))
  desk = makeDesk()
  return person
}

const run = ({ did, password }: Person, args: ReadonlyArray<string>) =>
  desk.run([...args, "--account", did, "--server", faulty.url, "--json"], {
    NACRE_PASSWORD: password,
    PLC_URL: server.plcUrl
  })

const repoFile = () => desk.path("backup/repo.car")

describe("a backup", () => {
  it("an export fetches a torn repo again, and succeeds only when nothing is missing", async () => {
    const person = await someone("torn")
    faulty.fail(getRepo, "torn", "short")
    faulty.fail(getBlob, "short", "spoilt")
    const saved = await run(person, ["export", "backup"])
    assert.strictEqual(saved.code, 0, saved.stderr)
    assert.strictEqual(faulty.left(), 0)
    assert.deepInclude(saved.json, { records: 10, blobs: 2, missingBlobs: [] })
  })

  it("an export fails and leaves no file when the server keeps sending a torn repo", async () => {
    const person = await someone("always")
    faulty.fail(getRepo, "torn", "torn", "torn")
    const saved = await run(person, ["export", "backup"])
    assert.strictEqual(saved.code, 1)
    assert.strictEqual(saved.json.error, "Damaged")
    assert.match(saved.json.message, /missing/)
    assert.deepStrictEqual(
      readdirSync(desk.path("backup")).filter((name) => name.startsWith("repo")),
      []
    )
    assert.notProperty(JSON.parse(readFileSync(desk.path("backup/export.json"), "utf8")), "rev")
  })

  it("the same command repairs a folder with a torn repo or a damaged blob", async () => {
    const person = await someone("mended")
    const saved = await run(person, ["export", "backup"])
    assert.strictEqual(saved.code, 0, saved.stderr)
    const whole = readFileSync(repoFile())
    writeFileSync(repoFile(), withoutLastBlock(whole))
    const [blob] = readdirSync(desk.path("backup/blobs"))
    const file = desk.path(`backup/blobs/${blob}`)
    const size = statSync(file).size
    writeFileSync(file, new Uint8Array(size))
    const again = await run(person, ["export", "backup"])
    assert.strictEqual(again.code, 0, again.stderr)
    assert.deepStrictEqual(readFileSync(repoFile()), whole)
    assert.notDeepEqual(readFileSync(file), Buffer.alloc(size))
  })

  it("an export has every blob that a record refers to, even if the server doesn't list it", async () => {
    const person = await someone("unlisted")
    faulty.answer(listBlobs, { cids: [] })
    const saved = await run(person, ["export", "backup"])
    assert.strictEqual(saved.code, 0, saved.stderr)
    assert.lengthOf(readdirSync(desk.path("backup/blobs")), 2)
    const gone = { status: 400 } as const
    rmSync(desk.path("backup"), { recursive: true })
    faulty.fail(getBlob, gone, gone)
    const lost = await run(person, ["export", "backup"])
    assert.strictEqual(lost.code, 1)
    assert.match(lost.json.message, /^2 of 2 blobs couldn't be fetched/)
    rmSync(desk.path("backup"), { recursive: true })
    faulty.fail(getBlob, gone, gone)
    const allowed = await run(person, ["export", "backup", "--allow-missing-blobs"])
    assert.strictEqual(allowed.code, 0, allowed.stderr)
    assert.lengthOf(allowed.json.missingBlobs, 2)
  })

  it("nacre import accepts an archive from the account's page as downloaded", async () => {
    const person = await someone("zipped")
    assert.strictEqual((await run(person, ["export", "backup"])).code, 0)
    const read = (name: string) => readFileSync(desk.path(`backup/${name}`))
    const blobs = readdirSync(desk.path("backup/blobs"))
    const archive = zipOf({
      "README.txt": "the account",
      "repo.car": read("repo.car"),
      "preferences.json": read("preferences.json"),
      ...Object.fromEntries(blobs.map((cid) => [`blobs/${cid}.png`, read(`blobs/${cid}`)])),
      "manifest.json": read("export.json")
    })
    writeFileSync(desk.path("account.zip"), archive)
    await person.agent.post(post("later"))
    const imported = await run(person, ["import", "account.zip", "--yes"])
    assert.strictEqual(imported.code, 0, imported.stderr)
    assert.deepInclude(imported.json, { indexedRecords: 10, importedBlobs: 2, missingBlobs: [] })
    const other = await signUp(server, "notzipped")
    const refused = await run(other, ["import", "account.zip", "--yes"])
    assert.strictEqual(refused.code, 1)
    assert.match(refused.json.message, /^The export belongs to/)
    assert.notInclude(readdirSync(desk.path(".")).join(), ".nacre-import")
  })

  it("an import rejects a torn backup", async () => {
    const person = await someone("refused")
    assert.strictEqual((await run(person, ["export", "backup"])).code, 0)
    const whole = readFileSync(repoFile())
    writeFileSync(repoFile(), withoutLastBlock(whole))
    const imported = await run(person, ["import", "backup", "--yes"])
    assert.strictEqual(imported.code, 1)
    assert.match(imported.json.message, /missing/)
    const { data } = await person.agent.com.atproto.server.checkAccountStatus()
    assert.strictEqual(data.indexedRecords, 10)
  })

  it("an import succeeds only when the server has the same records and preferences", async () => {
    const person = await someone("kept")
    await person.agent.setAdultContentEnabled(true)
    assert.strictEqual((await run(person, ["export", "backup"])).code, 0)
    const imported = await run(person, ["import", "backup", "--yes"])
    assert.strictEqual(imported.code, 0, imported.stderr)
    faulty.answer("app.bsky.actor.getPreferences", { preferences: [] })
    const lost = await run(person, ["import", "backup", "--yes"])
    assert.strictEqual(lost.code, 1)
    assert.match(lost.json.message, /accepted the preferences, but now returns different ones/)
  })
})
