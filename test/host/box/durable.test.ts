import fs, { mkdtempSync, rmSync } from "node:fs"
import promises from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BlobStoreFiles from "../../../src/layers/blobs/BlobStoreFiles.ts"
import { SharedSync } from "../../../src/layers/host/sql/SharedSync.ts"
import * as SqlStorageFile from "../../../src/layers/host/sql/SqlStorageFile.ts"
import * as SqlStorageNode from "../../../src/layers/host/sql/SqlStorageNode.ts"
import { signUp, startBox } from "./boxWorld.ts"

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

/** Holds every sync off the main thread until it is released; returns how many wait. */
const holdSyncs = () => {
  const { fdatasync } = fs
  const held: Array<() => void> = []
  let isHeld = true
  const release = () => {
    for (const go of held.splice(0)) go()
  }
  Object.assign(fs, {
    fdatasync: (file: number, done: (cause: Error | null) => void) =>
      isHeld ? held.push(() => fdatasync(file, done)) : fdatasync(file, done)
  })
  syncBuiltinESMExports()
  return {
    held,
    release,
    end: () => {
      isHeld = false
      release()
      Object.assign(fs, { fdatasync })
      syncBuiltinESMExports()
    }
  }
}

/** Waits for a condition; the test's own time limit ends it. */
const until = async (isTrue: () => boolean) => {
  while (!isTrue()) await new Promise((resume) => setTimeout(resume, 5))
}

/** Lets everything that can happen without a sync happen. */
const turns = async () => {
  for (let turn = 0; turn < 50; turn++) await new Promise((resume) => setTimeout(resume, 1))
}

describe("syncs that commits share", () => {
  it("commits during a sync wait for the next, together", async () => {
    const path = join(base, "a.sqlite-wal")
    fs.writeFileSync(path, "")
    const disk = holdSyncs()
    const sync = new SharedSync(path)
    const done: Array<number> = []
    const commit = (nth: number) => {
      sync.owe()
      void Effect.runPromise(sync.done).then(() => done.push(nth))
    }
    try {
      commit(1)
      commit(2)
      commit(3)
      await turns()
      assert.strictEqual(disk.held.length, 1)
      disk.release()
      await until(() => disk.held.length === 1)
      // The first sync may have begun before the others were written.
      assert.deepStrictEqual(done, [1])
      disk.release()
      await until(() => done.length === 3)
      assert.strictEqual(disk.held.length, 0)
      await Effect.runPromise(sync.done)
    } finally {
      disk.end()
      sync.close()
    }
  })

  it("the server answers no request after a failed sync", async () => {
    const failures: Array<unknown> = []
    const sync = new SharedSync(join(base, "missing"), (cause) => failures.push(cause))
    let isDone = false
    sync.owe()
    void Effect.runPromise(sync.done).then(() => (isDone = true))
    await until(() => failures.length === 1)
    await turns()
    assert.isFalse(isDone)
  })

  it("a post is answered, announced and shown only after it is synced", async () => {
    const box = await startBox(join(base, "data"), { sharesSyncs: true })
    const { did, auth } = await signUp(box, "alice")
    const frames = box.frames()
    await until(() => frames.length > 0)
    await turns()
    const before = frames.length
    const collection = "app.bsky.feed.post"
    const disk = holdSyncs()
    try {
      const answered: Array<number> = []
      const posts = Array.from({ length: 8 }, async (_, nth) => {
        const record = { $type: collection, text: `${nth}`, createdAt: "2026-01-01T00:00:00.000Z" }
        const input = { repo: did, collection, record }
        await box.call("com.atproto.repo.createRecord", { auth, input })
        answered.push(nth)
      })
      let isShown = false
      await until(() => disk.held.length === 1)
      const shown = box
        .call(`com.atproto.repo.listRecords?repo=${did}&collection=${collection}`)
        .then(() => (isShown = true))
      await turns()
      assert.deepStrictEqual([answered, isShown, frames.length], [[], false, before])
      disk.release()
      await until(() => disk.held.length === 1)
      await turns()
      disk.end()
      await Promise.all([...posts, shown])
      await until(() => frames.length === before + 8)
    } finally {
      disk.end()
      await box.stop()
    }
  })

  it("an account that is deleted during a sync answers, and its file is gone", async () => {
    const path = join(base, "data/accounts/ab/abcd.sqlite")
    const file = SqlStorageFile.make(path, { sharesSyncs: true })
    file.service.exec("CREATE TABLE one (a)")
    const disk = holdSyncs()
    try {
      const waits: Array<Promise<void>> = []
      for (const value of [1, 2]) {
        file.service.transaction(
          () => file.service.exec("INSERT INTO one VALUES (?)", value),
          "shared"
        )
        waits.push(Effect.runPromise(file.synced))
      }
      await until(() => disk.held.length === 1)
      file.wipe()
      disk.end()
      await Promise.all(waits)
      assert.isFalse(fs.existsSync(path))
    } finally {
      disk.end()
      file.close()
    }
  })

  it("a shared commit isn't synced by SQLite, and the one after it is", () => {
    const database = SqlStorageNode.openFile(join(base, "a.sqlite"))
    const modes: Array<unknown> = []
    const sql = SqlStorageNode.make(database, new SharedSync(join(base, "a.sqlite-wal")))
    const mode = () => modes.push(sql.exec("PRAGMA synchronous").toArray()[0]?.["synchronous"])
    assert.throws(() =>
      sql.transaction(() => {
        mode()
        throw new Error("rolled back")
      }, "shared")
    )
    mode()
    sql.transaction(() => sql.transaction(mode, "shared"))
    sql.transaction(mode, "shared")
    mode()
    database.close()
    // 1 is NORMAL, 2 is FULL.
    assert.deepStrictEqual(modes, [1, 2, 2, 1, 2])
  })
})
