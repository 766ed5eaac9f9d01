import { assert, describe, it } from "@effect/vitest"
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import {
  BLOBS,
  fetchWorker,
  newPerson,
  objectOf,
  type Person,
  query
} from "../../host/workerdWorld.ts"

const carType = "application/vnd.ipld.car"

const exported = async (did: string): Promise<Uint8Array<ArrayBuffer>> => {
  const answer = await fetchWorker(`/xrpc/com.atproto.sync.getRepo?did=${encodeURIComponent(did)}`)
  assert.strictEqual(answer.status, 200)
  return new Uint8Array(await answer.arrayBuffer())
}

const importCar = ({ authorization }: Person, body: Uint8Array<ArrayBuffer>) =>
  fetchWorker("/xrpc/com.atproto.repo.importRepo", {
    method: "POST",
    headers: { authorization, "content-type": carType },
    body
  })

/** Rows in the import tables. */
const rowsIn = ({ sql }: DurableObjectStorage): number =>
  sql
    .exec("SELECT name FROM sqlite_master WHERE name GLOB 'import_*'")
    .toArray()
    .reduce(
      (sum, { name }) =>
        sum + Number(sql.exec(`SELECT COUNT(*) AS rows FROM ${name}`).one()["rows"]),
      0
    )

const shadowRows = (did: string): Promise<number> =>
  runInDurableObject(objectOf(did), (_object, { storage }) => rowsIn(storage))

/** Kills the object as soon as an import has written this many rows; checks between its turns. */
const killAfter = (did: string, rows: number): Promise<void> =>
  runInDurableObject(objectOf(did), async (_object, state) => {
    const deadline = Date.now() + 20_000
    while (rowsIn(state.storage) < rows && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 0))
    }
    await state.storage.sync()
    state.abort("cut off")
  }).catch(() => {})

const head = async (did: string) =>
  (await query("com.atproto.sync.getLatestCommit", { did }))["cid"]

describe("an import whose object dies", () => {
  it.each([
    ["while it stores the tree", 8],
    ["while it stores the records", 500]
  ])(
    "an import that dies %s leaves the repo unchanged, is swept by the alarm, and succeeds on retry",
    async (_, rows) => {
      const person = await newPerson()
      const { did } = person
      for (let batch = 0; batch < 25; batch++) await person.applyWrites(200)
      const car = await exported(did)
      await person.createRecord("after the export")
      const before = await head(did)

      const killed = killAfter(did, rows)
      const importing = importCar(person, car)
      await killed
      assert.strictEqual((await importing).status, 503)

      assert.strictEqual(await head(did), before)
      assert.isAbove((await exported(did)).length, car.length)
      assert.isAbove(await shadowRows(did), 0)
      assert.isTrue(await runDurableObjectAlarm(objectOf(did)))
      assert.strictEqual(await shadowRows(did), 0)
      assert.strictEqual(await head(did), before)

      const again = await importCar(person, car)
      assert.strictEqual(again.status, 200, await again.text())
      assert.notStrictEqual(await head(did), before)
      const status = await fetchWorker("/xrpc/com.atproto.server.checkAccountStatus", {
        headers: { authorization: person.authorization }
      })
      assert.strictEqual((await status.json<{ indexedRecords: number }>()).indexedRecords, 5000)
      // Of the two staged files, the interrupted one waits for the sweep of uploads.
      assert.strictEqual((await BLOBS.list({ prefix: did })).objects.length, 1)
    }
  )
})
