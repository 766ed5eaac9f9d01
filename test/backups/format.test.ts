import { assert, describe, it } from "@effect/vitest"
import { createSecretKey } from "node:crypto"
import { runId, runTime } from "../../src/core/backups/places.ts"
import { runsToKeep, versionsToKeep } from "../../src/core/backups/retention.ts"
import { decodeTables, encodeTables } from "../../src/core/backups/rows.ts"
import { openText, signText } from "../../src/core/backups/signedText.ts"

const day = 86_400_000
const start = Date.parse("2026-01-01T03:00:00Z")

describe("a run's id", () => {
  it("ids sort by time, and contain it", () => {
    assert.strictEqual(runId(start), "20260101T030000Z")
    assert.strictEqual(runTime(runId(start)), start)
    assert.isTrue(runId(start) < runId(start + 1000))
    assert.isUndefined(runTime("20261301T030000Z"))
    assert.isUndefined(runTime("../run"))
  })
})

describe("the retention of runs", () => {
  const nightly = Array.from({ length: 400 }, (_, n) => runId(start + n * day))

  it("retention keeps the newest run of the given number of days, weeks and months", () => {
    const kept = [...runsToKeep(nightly, { days: 7, weeks: 4, months: 12 })].toSorted()
    assert.deepStrictEqual(kept.slice(-7), nightly.slice(-7))
    // Of these seven days, 31 January is also the newest of its week and month.
    assert.lengthOf(kept, 7 + (4 - 2) + (12 - 2))
    assert.isTrue(kept.every((run) => runTime(run)! > start + 60 * day))
  })

  it("retention always keeps the newest run, and counts two runs of a day once", () => {
    const two = [runId(start), runId(start + 3_600_000)]
    assert.deepStrictEqual([...runsToKeep(two, { days: 0, weeks: 0, months: 0 })], [two[1]])
    assert.deepStrictEqual([...runsToKeep(two, { days: 7, weeks: 4, months: 12 })], [two[1]])
  })

  it("retention counts days with a run, not calendar days", () => {
    const rare = [0, 50, 100].map((n) => runId(start + n * day))
    assert.lengthOf([...runsToKeep(rare, { days: 3, weeks: 0, months: 0 })], 3)
  })

  it("retention keeps an account's version as long as a kept run refers to it", () => {
    const versions = [nightly[0]!, nightly[5]!, nightly[300]!]
    const kept = versionsToKeep(versions, [nightly[200]!, nightly[399]!])
    assert.deepStrictEqual([...kept].toSorted(), [nightly[5], nightly[300]])
  })
})

describe("the rows of a backup", () => {
  it("rows survive a round trip, including bytes and nulls", () => {
    const tables = {
      account: [{ did: "did:web:a.test", one: 1, email: null, key: new Uint8Array([0, 255, 7]) }],
      preferences: []
    }
    assert.deepStrictEqual(decodeTables(encodeTables(tables)), tables)
    assert.deepStrictEqual(encodeTables(tables), encodeTables(tables))
  })

  it("anything else than rows is rejected", () => {
    for (const text of ["", "[]", '{"a":[{"b":{"$bytes":"!"}}]}', '{"a":[{"b":true}]}']) {
      assert.throws(() => decodeTables(new TextEncoder().encode(text)))
    }
  })
})

describe("a manifest", () => {
  const key = createSecretKey(Buffer.alloc(32, 1))
  const value = { type: "x", text: "a\nb", n: 3 }
  const signed = signText(key, "runs/a/run.json", value)

  it("a manifest opens with its name and key", () => {
    assert.deepStrictEqual(JSON.parse(openText(key, "runs/a/run.json", signed)!), value)
  })

  it("a manifest with a changed, missing or extra byte, or with another name or key, is rejected", () => {
    for (let at = 0; at < signed.length; at++) {
      const spoiled = signed.slice()
      spoiled[at] = spoiled[at]! ^ 1
      assert.isUndefined(openText(key, "runs/a/run.json", spoiled), `byte ${at}`)
    }
    assert.isUndefined(openText(key, "runs/a/run.json", signed.subarray(0, -1)))
    assert.isUndefined(openText(key, "runs/a/run.json", new Uint8Array([...signed, 10])))
    assert.isUndefined(openText(key, "runs/b/run.json", signed))
    assert.isUndefined(openText(createSecretKey(Buffer.alloc(32, 2)), "runs/a/run.json", signed))
  })
})
