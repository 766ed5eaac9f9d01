import { Buffer } from "node:buffer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import type { BlobStore } from "../../src/services/blobs/BlobStore.ts"

type Store = BlobStore["Service"]
type Body = ReadableStream<Uint8Array>

const mebi = 1024 * 1024

/** Bytes without a pattern that could hide a wrong offset. */
export const bytesOf = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let i = 0, x = size; i < size; i++)
    bytes[i] = (x = (Math.imul(x, 1_664_525) + 12_345) | 0) >>> 24
  return bytes
}

/** A body of chunks that ends, fails or stalls after the last. */
const bodyOf = (
  bytes: Uint8Array,
  {
    chunk = 70_000,
    type,
    end = "close" as "close" | "error" | "silence"
  }: {
    chunk?: number
    type?: "bytes"
    end?: "close" | "error" | "silence"
  } = {}
): Body => {
  let at = 0
  const source = {
    pull: (controller: ReadableByteStreamController | ReadableStreamDefaultController) => {
      if (at < bytes.byteLength) {
        controller.enqueue(bytes.slice(at, at + chunk))
        at += chunk
        return undefined
      }
      if (end === "error") return controller.error(new Error("the client went away"))
      if (end === "silence") return new Promise<void>(() => {})
      controller.close()
      // A reader that lent its buffer waits for its return.
      if ("byobRequest" in controller) controller.byobRequest?.respond(0)
      return undefined
    }
  }
  // SAFETY: both kinds of source share this shape; `type` says which one it is.
  return (type === "bytes"
    ? new ReadableStream({ ...source, type } as UnderlyingByteSource)
    : new ReadableStream(source as UnderlyingSource<Uint8Array>)) as unknown as Body
}

const read = async (body: Body): Promise<Uint8Array> =>
  new Uint8Array(await new Response(body as unknown as BodyInit).arrayBuffer())

const same = (found: Uint8Array, expected: Uint8Array) => {
  assert.strictEqual(found.byteLength, expected.byteLength)
  assert.isTrue(Buffer.from(found.buffer).equals(expected))
}

/** Around the sizes of R2's parts. */
const usualSizes = [1, 262_143, 262_144, 1_000_000, 8 * mebi, 8 * mebi + 1, 20 * mebi]

/** What every BlobStore guarantees; `withStore` runs the body on a store that others may share. */
export const blobStoreContract = (
  name: string,
  withStore: (body: (store: Store) => Promise<void>) => Promise<void>,
  { sizes = usualSizes }: { readonly sizes?: ReadonlyArray<number> } = {}
) => {
  let made = 0
  const run = Effect.runPromise
  const check = (title: string, body: (store: Store, key: string) => Promise<void>) =>
    it(title, () => withStore((store) => body(store, `blobs/did:plc:test/${name} ${made++}`)))
  const failure = async (
    store: Store,
    key: string,
    body: Body,
    options: { length?: number; limit: number }
  ) => {
    const result = await run(Effect.flip(store.put(key, body, options)))
    assert.isUndefined(await run(store.head(key)), "nothing may be left")
    return result
  }

  describe(`BlobStore over ${name}`, () => {
    for (const size of sizes) {
      check(
        `put stores ${size} bytes with or without a length, and get returns them under their CID`,
        async (store, key) => {
          const bytes = bytesOf(size)
          const cid = cidForRaw(bytes).toString()
          for (const known of [true, false]) {
            for (const type of [undefined, "bytes"] as const) {
              const body = bodyOf(bytes, type === undefined ? {} : { type })
              const options = known ? { length: size, limit: size } : { limit: size }
              const stored = await run(store.put(key, body, options))
              assert.deepStrictEqual([stored.cid, stored.size], [cid, size])
              const found = await run(store.get(key))
              assert.deepStrictEqual([found?.size, found?.range], [size, undefined])
              same(await read(found!.body), bytes)
              await run(store.delete([key]))
            }
          }
        }
      )
    }

    check(
      "put sniffs the type from the first bytes, even if they arrive one by one",
      async (store, key) => {
        const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13])
        const body = bodyOf(png, { chunk: 1 })
        assert.strictEqual((await run(store.put(key, body, { limit: 100 }))).sniffed, "image/png")
        const text = bodyOf(new TextEncoder().encode("<html><script>"))
        assert.isUndefined((await run(store.put(key, text, { limit: 100 }))).sniffed)
      }
    )

    check("put rejects an empty body, with or without a length", async (store, key) => {
      for (const options of [{ limit: 10 }, { limit: 10, length: 0 }]) {
        const failed = await failure(store, key, bodyOf(new Uint8Array(0)), options)
        assert.strictEqual(failed._tag, "BlobEmpty")
      }
    })

    check("put rejects a declared length above the limit without reading", async (store, key) => {
      const silent = bodyOf(new Uint8Array(0), { end: "silence" })
      const failed = await failure(store, key, silent, { limit: 10, length: 11 })
      assert.deepInclude(failed, { _tag: "BlobTooLarge", limit: 10 })
    })

    check(
      "put stops a body that exceeds the limit, before and after the first part",
      async (store, key) => {
        for (const size of [200_000, 17 * mebi]) {
          const failed = await failure(store, key, bodyOf(bytesOf(size)), { limit: size - 1 })
          assert.deepInclude(failed, { _tag: "BlobTooLarge", limit: size - 1 })
        }
      }
    )

    check("put rejects a body that is shorter or longer than its length", async (store, key) => {
      const limit = 1_000_000
      const short = await failure(store, key, bodyOf(bytesOf(300_000)), { length: 300_001, limit })
      assert.deepInclude(short, { _tag: "BlobIncomplete", expected: 300_001, received: 300_000 })
      const long = await failure(store, key, bodyOf(bytesOf(300_000)), { length: 299_999, limit })
      assert.deepInclude(long, { _tag: "BlobIncomplete", expected: 299_999 })
      const none = await failure(store, key, bodyOf(new Uint8Array(0)), { length: 5, limit })
      assert.strictEqual(none._tag, "BlobEmpty")
    })

    check("put leaves nothing when the client disconnects", async (store, key) => {
      for (const size of [0, 300_000, 9 * mebi]) {
        for (const known of [true, false]) {
          const body = bodyOf(bytesOf(size), { end: "error" })
          const options = { limit: 20 * mebi, ...(known ? { length: size + 1 } : {}) }
          const failed = await failure(store, key, body, options)
          assert.deepInclude(failed, { _tag: "BlobIncomplete", received: size })
        }
      }
    })

    check("put leaves nothing when it is interrupted", async (store, key) => {
      for (const known of [true, false]) {
        const body = bodyOf(bytesOf(300_000), { end: "silence" })
        const options = { limit: mebi, ...(known ? { length: 300_001 } : {}) }
        await run(
          Effect.gen(function* () {
            const putting = yield* Effect.forkChild(store.put(key, body, options))
            yield* Effect.sleep(50)
            yield* Fiber.interrupt(putting)
          })
        )
        assert.isUndefined(await run(store.head(key)))
      }
    })

    check("get returns the requested part and the size of the whole", async (store, key) => {
      const bytes = bytesOf(200_000)
      await run(store.put(key, bodyOf(bytes), { limit: 200_000 }))
      const ranges = [
        { offset: 0, length: 1 },
        { offset: 70_001, length: 90_000 },
        { offset: 199_999, length: 1 }
      ]
      for (const range of ranges) {
        const found = await run(store.get(key, range))
        assert.deepStrictEqual([found?.size, found?.range], [200_000, range])
        same(await read(found!.body), bytes.slice(range.offset, range.offset + range.length))
      }
    })

    check(
      "get and head return nothing for a key that was never written, or was deleted",
      async (store, key) => {
        assert.isUndefined(await run(store.get(key)))
        assert.isUndefined(await run(store.get(key, { offset: 0, length: 1 })))
        assert.isUndefined(await run(store.head(key)))
        await run(store.put(key, bodyOf(bytesOf(10)), { limit: 10 }))
        assert.strictEqual(await run(store.head(key)), 10)
        await run(store.delete([key]))
        assert.isUndefined(await run(store.get(key)))
      }
    )

    check("delete removes any number of keys and ignores missing ones", async (store, key) => {
      const last = `${key} 1500`
      await run(store.put(last, bodyOf(bytesOf(10)), { limit: 10 }))
      await run(store.delete([]))
      await run(store.delete(Array.from({ length: 1501 }, (_, n) => `${key} ${n}`)))
      assert.isUndefined(await run(store.head(last)))
    })
  })
}
