import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { sweepLocalBlobs } from "../../scripts/localBlobs.ts"

/** The parts of Miniflare's tables that name files. */
const tables = `
  CREATE TABLE _mf_objects (key TEXT PRIMARY KEY, blob_id TEXT);
  CREATE TABLE _mf_multipart_uploads (upload_id TEXT PRIMARY KEY, state TINYINT DEFAULT 0 NOT NULL);
  CREATE TABLE _mf_multipart_parts (
    upload_id TEXT NOT NULL REFERENCES _mf_multipart_uploads(upload_id), part_number INTEGER NOT NULL,
    blob_id TEXT NOT NULL, object_key TEXT REFERENCES _mf_objects(key), PRIMARY KEY (upload_id, part_number)
  );
  INSERT INTO _mf_objects VALUES ('one', 'object'), ('two', NULL);
  INSERT INTO _mf_multipart_uploads VALUES ('done', 1), ('aborted', 2), ('under way', 0);
  INSERT INTO _mf_multipart_parts VALUES ('done', 1, 'part', 'two'), ('under way', 1, 'unfinished', NULL);
`

const hour = 3_600_000
const names = ["object", "part", "unfinished", "broken off", "just begun"] as const

/** A store with complete and interrupted uploads; all files but one are two days old. */
const withStore = async (
  body: (store: {
    readonly folder: string
    readonly database: string
    readonly left: () => ReadonlyArray<string>
  }) => Promise<void>
) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-blobs-"))
  try {
    const blobs = join(folder, "nacre-blobs", "blobs")
    const databases = join(folder, "miniflare-R2BucketObject")
    mkdirSync(blobs, { recursive: true })
    mkdirSync(databases)
    const old = new Date(Date.now() - 48 * hour)
    for (const name of names) {
      writeFileSync(join(blobs, name), name)
      if (name !== "just begun") utimesSync(join(blobs, name), old, old)
    }
    const database = join(databases, "abc.sqlite")
    const made = new DatabaseSync(database)
    made.exec(`PRAGMA journal_mode = WAL; ${tables}`)
    made.close()
    writeFileSync(join(databases, "metadata.sqlite"), "")
    await body({
      folder,
      database,
      left: () => names.filter((name) => existsSync(join(blobs, name)))
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the local blob store", () => {
  it("sweepLocalBlobs deletes all leftovers of interrupted uploads at a start, and nothing else", () =>
    withStore(async ({ folder, database, left }) => {
      assert.strictEqual(await sweepLocalBlobs(folder, { isRunning: false }), 3)
      assert.deepStrictEqual(left(), ["object", "part"])
      const after = new DatabaseSync(database, { readOnly: true })
      const uploads = after.prepare("SELECT upload_id AS id FROM _mf_multipart_uploads").all()
      after.close()
      assert.deepStrictEqual(
        uploads.map(({ id }) => id),
        ["done"]
      )
      assert.strictEqual(await sweepLocalBlobs(folder, { isRunning: false }), 0)
    }))

  it("sweepLocalBlobs deletes only unnamed files untouched for a day while the server runs", () =>
    withStore(async ({ folder, database, left }) => {
      const server = new DatabaseSync(database)
      server.exec("BEGIN IMMEDIATE; INSERT INTO _mf_objects VALUES ('three', 'later')")
      assert.strictEqual(await sweepLocalBlobs(folder, { isRunning: true }), 1)
      server.exec("COMMIT")
      server.close()
      assert.deepStrictEqual(left(), ["object", "part", "unfinished", "just begun"])
    }))

  it("sweepLocalBlobs keeps everything if its database can't be read", () =>
    withStore(async ({ folder, database, left }) => {
      writeFileSync(database, "no database at all".repeat(100))
      const failed = await sweepLocalBlobs(folder, { isRunning: false }).then(
        () => undefined,
        (cause: unknown) => cause
      )
      assert.instanceOf(failed, Error)
      assert.lengthOf(left(), names.length)
    }))

  it("sweepLocalBlobs keeps everything if a bucket has no database", () =>
    withStore(async ({ folder, database, left }) => {
      rmSync(database)
      assert.strictEqual(await sweepLocalBlobs(folder, { isRunning: false }), 0)
      assert.lengthOf(left(), names.length)
    }))

  it("sweepLocalBlobs accepts a missing folder", async () => {
    assert.strictEqual(await sweepLocalBlobs("/nowhere/at/all", { isRunning: false }), 0)
  })
})
