import { execFileSync } from "node:child_process"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"

/** What the server keeps; other files are the test's own. */
const isData = (path: string): boolean =>
  /\.sqlite(-wal|-journal)?$/.test(path) || path.startsWith("blobs/")

/**
 * A power cut for a server with files: whatever it hasn't synced is gone.
 *
 * A small C library, preloaded into the server, copies what is synced. It needs a C compiler and Linux.
 */
export const powerCutOver = (dataDir: string) => {
  const folder = mkdtempSync(join(tmpdir(), "nacre-power-"))
  const library = join(folder, "powerCut.so")
  const source = join(import.meta.dirname, "powerCut.c")
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-w", "-o", library, source, "-ldl", "-lpthread"])
  for (const kind of ["content", "draft", "entry"]) mkdirSync(join(folder, kind))
  const keptOf = (kind: string, path: string) => join(folder, kind, path.replaceAll("/", "%"))

  /** Whether the name of a file, and of each folder above it, was synced. */
  const hasName = (path: string): boolean =>
    path === "." || (existsSync(keptOf("entry", path)) && hasName(dirname(path)))

  return {
    env: {
      LD_PRELOAD: library,
      POWER_CUT_ROOT: realpathSync(dataDir),
      POWER_CUT_KEPT: folder
    },
    /** Puts back what was synced; returns how many files lost something. */
    cut: (): number => {
      let lost = 0
      const there = readdirSync(dataDir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(dataDir.length + 1))
      const named = readdirSync(join(folder, "entry")).map((name) => name.replaceAll("%", "/"))
      for (const path of new Set([...there, ...named].filter(isData))) {
        const file = join(dataDir, path)
        const content = keptOf("content", path)
        if (!hasName(path)) {
          lost += existsSync(file) ? 1 : 0
          rmSync(file, { force: true })
        } else if (existsSync(content)) {
          mkdirSync(dirname(file), { recursive: true })
          copyFileSync(content, file)
        } else if (there.includes(path)) writeFileSync(file, "")
      }
      return lost
    },
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}
