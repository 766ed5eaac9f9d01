import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sameBytes } from "../../src/core/bytes/bytes.ts"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import type { BackupTargetShape } from "../../src/services/backups/BackupTarget.ts"

/** Bytes without a pattern. */
const bytesOf = (size: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(size)
  for (let at = 0, x = size; at < size; at++) {
    bytes[at] = (x = (Math.imul(x, 1_664_525) + 12_345) | 0) >>> 24
  }
  return bytes
}

const bodyOf = (bytes: Uint8Array<ArrayBuffer>, end = bytes.length) =>
  new Blob([bytes.subarray(0, end)]).stream()

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

/** The tests that every backup store must pass. */
export const backupTargetContract = (name: string, open: () => Promise<BackupTargetShape>) =>
  describe(`a backup store in ${name}`, () => {
    const put = (target: BackupTargetShape, key: string, bytes: Uint8Array<ArrayBuffer>) =>
      run(target.put(key, bodyOf(bytes), bytes.length))

    const read = async (target: BackupTargetShape, key: string) => {
      const found = await run(target.get(key))
      if (found === undefined) return undefined
      const bytes = new Uint8Array(await new Response(found.body).arrayBuffer())
      assert.strictEqual(found.size, bytes.length)
      return bytes
    }

    const keysBelow = async (target: BackupTargetShape, prefix: string) => {
      const keys: Array<string> = []
      let cursor: string | undefined
      do {
        const page: Effect.Success<ReturnType<BackupTargetShape["list"]>> = await run(
          target.list(prefix, cursor)
        )
        keys.push(...page.objects.map(({ key }) => key))
        cursor = page.cursor
      } while (cursor !== undefined)
      return keys
    }

    it("get returns the stored bytes of any size, and put their digest", async () => {
      const target = await open()
      for (const size of [1, 70_000, 8 * 1024 * 1024, 8 * 1024 * 1024 + 1]) {
        const bytes = bytesOf(size)
        const key = `sizes/did:web:a.test/${size}`
        assert.strictEqual(await put(target, key, bytes), cidForRaw(bytes).toString(), `${size}`)
        assert.isTrue(sameBytes((await read(target, key)) ?? bytesOf(0), bytes), `${size}`)
      }
    })

    it("get returns nothing for a key that was never stored or was deleted", async () => {
      const target = await open()
      await put(target, "gone/a", bytesOf(10))
      await run(target.delete(["gone/a", "gone/never"]))
      assert.isUndefined(await read(target, "gone/a"))
      assert.deepStrictEqual(await keysBelow(target, "gone/"), [])
    })

    it("put replaces an earlier object", async () => {
      const target = await open()
      await put(target, "again/a", bytesOf(10))
      await put(target, "again/a", bytesOf(20))
      assert.lengthOf((await read(target, "again/a")) ?? [], 20)
    })

    it("list returns a prefix's objects with their sizes, in order, page by page", async () => {
      const target = await open()
      const keys = ["c", "a", "b/x & y", "e", "d"].map((one) => `listed/${one}`)
      for (const key of keys) await put(target, key, bytesOf(7))
      await put(target, "listed-not/a", bytesOf(7))
      assert.deepStrictEqual(await keysBelow(target, "listed/"), keys.toSorted())
      const { objects } = await run(target.list("listed/c"))
      assert.deepStrictEqual(
        objects.map(({ key, size }) => ({ key, size })),
        [{ key: "listed/c", size: 7 }]
      )
    })

    it("a key may have a DID with the longest host, and any other character", async () => {
      const target = await open()
      const label = "a".repeat(60)
      const did = `did:web:${[label, label, label, label, "example"].join(".")}`
      assert.lengthOf(did, "did:web:".length + 251)
      const keys = [`long/${did}/a`, `long/${did}/b`, "long/~/~", `long/${":".repeat(100)}~/c`]
      for (const [at, key] of keys.entries()) await put(target, key, bytesOf(10 + at))
      assert.deepStrictEqual(await keysBelow(target, "long/"), keys.toSorted())
      for (const [at, key] of keys.entries()) {
        assert.lengthOf((await read(target, key)) ?? [], 10 + at)
      }
      await run(target.delete(keys))
      assert.deepStrictEqual(await keysBelow(target, "long/"), [])
    })

    it("put stores nothing of an interrupted body, and blames the source", async () => {
      const target = await open()
      const broken = new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(bytesOf(100)),
        pull: (controller) => controller.error(new Error("broke off"))
      })
      for (const body of [bodyOf(bytesOf(1000), 900), broken]) {
        const failure = await run(Effect.flip(target.put("cut/a", body, 1000)))
        assert.strictEqual(failure._tag, "BackupSourceFailed")
      }
      assert.isUndefined(await read(target, "cut/a"))
    })
  })
