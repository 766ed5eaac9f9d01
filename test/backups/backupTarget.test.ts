import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as BackupTargetFiles from "../../src/layers/backups/BackupTargetFiles.ts"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import * as BackupTargetS3 from "../../src/layers/backups/BackupTargetS3.ts"
import { backupTargetContract } from "./backupTarget.contract.ts"
import { startS3 } from "./s3Server.ts"

backupTargetContract("a map", async () => BackupTargetMemory.make())

const folder = mkdtempSync(join(tmpdir(), "nacre-backups-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
backupTargetContract("a folder", async () => BackupTargetFiles.make(folder))

it("a folder for backups keeps the names that earlier versions gave", async () => {
  const place = join(folder, "older")
  const path = join(place, "objects", "accounts", "did%3Aweb%3Aa.test", "20260101T030000Z")
  mkdirSync(path, { recursive: true })
  writeFileSync(join(path, "private~abcdefgh.sealed"), "sealed")
  const target = BackupTargetFiles.make(place)
  const version = "accounts/did:web:a.test/20260101T030000Z"
  const { objects } = await Effect.runPromise(target.list("accounts/"))
  assert.deepStrictEqual(objects, [{ key: `${version}/private~abcdefgh.sealed`, size: 6 }])
  await Effect.runPromise(target.put(`${version}/repo.car`, new Blob(["car"]).stream(), 3))
  assert.deepStrictEqual(readdirSync(path).toSorted(), ["private~abcdefgh.sealed", "repo.car"])
})

it("a folder for backups loses drafts of a killed process after a day, and keeps newer ones", async () => {
  const place = join(folder, "killed")
  mkdirSync(join(place, "tmp"), { recursive: true })
  for (const [name, hours] of [
    ["old", 25],
    ["new", 1]
  ] as const) {
    const draft = join(place, "tmp", name)
    writeFileSync(draft, "half")
    const time = new Date(Date.now() - hours * 3_600_000)
    utimesSync(draft, time, time)
  }
  await Effect.runPromise(BackupTargetFiles.open(place))
  assert.deepStrictEqual(readdirSync(join(place, "tmp")), ["new"])
  // A folder that isn't there yet.
  await Effect.runPromise(BackupTargetFiles.open(join(folder, "missing")))
})

let s3: Awaited<ReturnType<typeof startS3>>
beforeAll(async () => {
  s3 = await startS3()
})
afterAll(() => s3.stop())

const make = (secret = "secret", keyId = "key") =>
  BackupTargetS3.make({ url: s3.url, keyId, secret: Redacted.make(secret), region: "auto" })

backupTargetContract("S3", async () => make())

describe("a backup store in S3", () => {
  it("the store keeps all objects below its address's prefix", () => {
    assert.isTrue([...s3.objects.keys()].every((key) => key.startsWith("a/prefix/")))
  })

  it("a failed put leaves no unfinished upload", () => {
    assert.strictEqual(s3.uploads.size, 0)
  })

  it("an error contains the store's reason, but not the secret", async () => {
    s3.state.status = 400
    const failure = await Effect.runPromise(
      Effect.flip(make("a very secret secret").put("a", new Blob(["x"]).stream(), 1))
    )
    s3.state.status = 200
    assert.include(failure.message, "400 QuotaExceeded")
    assert.notInclude(JSON.stringify(failure) + failure.message, "very secret")
    const denied = await Effect.runPromise(Effect.flip(make("secret", "other").get("a")))
    assert.include(denied.message, "403 SignatureDoesNotMatch")
  })
})
