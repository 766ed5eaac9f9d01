import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { DatabaseSync } from "node:sqlite"

/**
 * Every database in memory becomes a file as `nacre serve` opens it: with `TEST_HOME=box`, all
 * contracts judge that home too.
 */

const sqlite = process.getBuiltinModule("node:sqlite")
const Original = sqlite.DatabaseSync

/** Folders of databases that nobody has closed. */
const folders = new Set<string>()
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

class BoxDatabase extends Original {
  readonly #folder: string | undefined

  constructor(...[path, options = {}]: ConstructorParameters<typeof DatabaseSync>) {
    const folder = path === ":memory:" ? mkdtempSync(join(tmpdir(), "nacre-test-")) : undefined
    super(folder === undefined ? path : join(folder, "file.sqlite"), options)
    this.#folder = folder
    if (folder === undefined) return
    folders.add(folder)
    super.exec("PRAGMA locking_mode = EXCLUSIVE")
  }

  override exec(query: string): void {
    super.exec(query)
    if (this.#folder !== undefined && query.includes("PRAGMA synchronous")) {
      super.exec("PRAGMA synchronous = FULL")
    }
  }

  override close(): void {
    super.close()
    if (this.#folder === undefined) return
    folders.delete(this.#folder)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

// Files share a worker: it is replaced once.
if (Original.name !== BoxDatabase.name) Object.assign(sqlite, { DatabaseSync: BoxDatabase })
