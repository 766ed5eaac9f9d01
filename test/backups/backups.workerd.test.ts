import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failures } from "../../src/http/errors.ts"
import * as BackupTargetR2 from "../../src/layers/backups/BackupTargetR2.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import { backUpAccount } from "../../src/services/backups/backUpAccount.ts"
import { Budget } from "../../src/services/backups/Budget.ts"
import { sampleAccount } from "../../src/services/backups/sampleBackups.ts"
import { bindings, fetchWorker, newPerson } from "../host/workerdWorld.ts"
import { backupTargetContract } from "./backupTarget.contract.ts"

// SAFETY: wrangler.toml binds it.
const bucket = bindings["BACKUPS"] as R2Bucket

backupTargetContract("R2", async () => BackupTargetR2.make(bucket))

describe("a backup in the Workers runtime", () => {
  it("a backup contains a complete account with its blobs, and is readable", async () => {
    const { did, authorization, createRecord } = await newPerson()
    await createRecord("kept")
    const uploaded = await fetchWorker("/xrpc/com.atproto.repo.uploadBlob", {
      method: "POST",
      headers: { authorization, "content-type": "image/png" },
      body: new Uint8Array(100_000).fill(7)
    })
    assert.strictEqual(uploaded.status, 200)
    const run = "20260101T000000Z"
    const account = { did, listed: "", backed: undefined }
    const budget = new Budget({ operations: 1000, until: Infinity })
    const { written, again, sample } = await Effect.gen(function* () {
      const made = yield* backUpAccount(run, account, budget)
      if (made.kind !== "written") return assert.fail(made.kind)
      return {
        written: made,
        again: yield* backUpAccount(run, { ...account, backed: made.backed }, budget),
        sample: yield* sampleAccount(did, made.backed, "all", budget)
      }
    }).pipe(Effect.provide(Cloudflare.host(bindings, failures)), Effect.runPromise)
    assert.deepInclude(written, { blobs: 1, faults: [] })
    assert.strictEqual(again.kind, "unchanged")
    assert.deepStrictEqual(sample, { sampled: 5, faults: [], isSound: true })
    const { objects } = await bucket.list({ prefix: `accounts/${did}/` })
    assert.lengthOf(objects, 5)
  })
})
