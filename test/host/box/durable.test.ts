import fs, { mkdtempSync, rmSync } from "node:fs"
import promises from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BlobStoreFiles from "../../../src/layers/blobs/BlobStoreFiles.ts"
import * as SqlStorageFile from "../../../src/layers/host/sql/SqlStorageFile.ts"
import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"

/** The folders and files that were synced or renamed, in order. */
let synced: Array<string> = []

/** Notes each sync; returns a function that ends that. */
const watch = (): (() => void) => {
  const { openSync, fsyncSync } = fs
  const { open, rename } = promises
  const opened = new Map<number, string>()
  Object.assign(fs, {
    openSync: (...given: Parameters<typeof openSync>) => {
      const file = openSync(...given)
      opened.set(file, String(given[0]))
      return file
    },
    fsyncSync: (file: number) => {
      fsyncSync(file)
      synced.push(opened.get(file) ?? "")
    }
  })
  Object.assign(promises, {
    open: async (...given: Parameters<typeof open>) => {
      const file = await open(...given)
      for (const name of ["sync", "datasync"] as const) {
        const real = file[name].bind(file)
        file[name] = async () => {
          await real()
          synced.push(String(given[0]))
        }
      }
      return file
    },
    rename: async (from: string, to: string) => {
      await rename(from, to)
      synced.push(`renamed ${to}`)
    }
  })
  syncBuiltinESMExports()
  return () => {
    Object.assign(fs, { openSync, fsyncSync })
    Object.assign(promises, { open, rename })
    syncBuiltinESMExports()
  }
}

let base: string
let unwatch: () => void

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "nacre-durable-"))
  synced = []
  unwatch = watch()
})
afterEach(() => {
  unwatch()
  rmSync(base, { recursive: true, force: true })
})

const below = () => synced.map((path) => relative(base, path.replace("renamed ", "")) || ".")

const put = (store: ReturnType<typeof BlobStoreFiles.make>, key: string) =>
  Effect.runPromise(store.put(key, new Blob(["a blob"]).stream(), { limit: 100 }))

describe("what survives a power cut", () => {
  it("a new account's database syncs the names of its folders before its first row, and an old one none", () => {
    const path = join(base, "data/accounts/ab/abcd.sqlite")
    const first = SqlStorageFile.make(path)
    first.service.exec("CREATE TABLE one (a)")
    assert.deepStrictEqual(below(), ["data/accounts/ab", "data/accounts", "data"])
    first.close()
    synced = []
    const second = SqlStorageFile.make(path)
    second.service.exec("INSERT INTO one VALUES (1)")
    assert.deepStrictEqual(below(), [])
    second.close()
  })

  it("an account's database syncs every commit", () => {
    const database = SqlStorageNode.openFile(join(base, "a.sqlite"))
    const [row] = database.prepare("PRAGMA synchronous").all()
    database.close()
    // 2 is FULL.
    assert.deepStrictEqual({ ...row }, { synchronous: 2 })
  })

  it("a blob is synced before it gets its name, and its name before the answer", async () => {
    const store = BlobStoreFiles.make(join(base, "blobs"))
    await put(store, "one")
    const renamed = synced.findIndex((path) => path.startsWith("renamed "))
    const target = below()[renamed]!
    const [, first, second] = target.split("/")
    const drafts = below()
      .slice(0, renamed)
      .filter((path) => /^blobs\/tmp\/./.test(path))
    assert.strictEqual(drafts.length, 1)
    for (const folder of [".", "blobs", `blobs/${first}`]) {
      assert.include(below().slice(0, renamed), folder)
    }
    assert.strictEqual(below().at(-1), `blobs/${first}/${second}`)
  })

  it("a restarted store syncs the names of folders that were there once more", async () => {
    await put(BlobStoreFiles.make(join(base, "blobs")), "one")
    const again = BlobStoreFiles.make(join(base, "blobs"))
    synced = []
    await put(again, "one")
    const whole = below().length
    synced = []
    await put(again, "one")
    assert.isAbove(whole, below().length)
    // The draft, its new name, and the folder of that.
    assert.strictEqual(below().length, 3)
  })
})
