import { assert, describe, it } from "@effect/vitest"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fetchVectors, vectorsOf } from "../../support/vectors.ts"

const inFolder = async (body: (folder: string) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), "vectors-"))
  try {
    await body(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe("the interop vectors that a new machine fetches", () => {
  it("the vectors come from the pinned commit", async () => {
    const here = await vectorsOf("mst")
    await inFolder(async (folder) => {
      const urls: Array<string> = []
      await fetchVectors("mst", join(folder, "mst"), async (url) => {
        urls.push(url)
        return readFileSync(join(here, url.slice(url.lastIndexOf("/") + 1)))
      })
      assert.deepStrictEqual(readdirSync(folder), ["mst"])
      assert.lengthOf(readdirSync(join(folder, "mst")), urls.length)
      for (const url of urls) assert.match(url, /\/[0-9a-f]{40}\/mst\/\w+\.\w+$/)
    })
  })

  it("vectors with a different byte are rejected, and nothing of them stays", async () => {
    await inFolder(async (folder) => {
      const target = join(folder, "mst")
      const failure = await fetchVectors("mst", target, async () => new Uint8Array(3)).then(
        () => undefined,
        (cause: Error) => cause
      )
      assert.match(failure?.message ?? "", /has another hash/)
      assert.isFalse(existsSync(target))
      assert.deepStrictEqual(readdirSync(folder), [])
    })
  })
})
