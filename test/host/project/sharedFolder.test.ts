import { assert, describe, it } from "@effect/vitest"
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { sharedFolder } from "../../../scripts/sharedFolder.ts"

const name = `tested-${process.pid}`
let times = 0
const make = async (folder: string): Promise<void> => {
  times += 1
  writeFileSync(join(folder, "made"), "whole")
}

/** An id that no process has. */
const nobody = 2 ** 30

describe("a folder that processes share", () => {
  it("processes fill a shared folder once, also after a failure, and under a lock that its process left behind", async () => {
    let failure: unknown
    await sharedFolder(name, async (folder) => {
      writeFileSync(join(folder, "made"), "half")
      throw new Error("broke off")
    }).catch((cause) => (failure = cause))
    assert.match(String(failure), /broke off/)

    const folders = await Promise.all([1, 2, 3].map(() => sharedFolder(name, make)))
    const folder = folders[0]!
    const isOurs = (one: string) => one.startsWith(basename(folder))
    try {
      assert.deepStrictEqual(folders, [folder, folder, folder])
      assert.strictEqual(times, 1)
      assert.strictEqual(readFileSync(join(folder, "made"), "utf8"), "whole")
      assert.deepStrictEqual(readdirSync(dirname(folder)).filter(isOurs), [basename(folder)])

      rmSync(folder, { recursive: true })
      writeFileSync(`${folder}.lock`, String(nobody))
      assert.strictEqual(await sharedFolder(name, make), folder)
      assert.strictEqual(times, 2)
      assert.deepStrictEqual(readdirSync(dirname(folder)).filter(isOurs), [basename(folder)])
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
