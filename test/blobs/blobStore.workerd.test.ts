import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import { make } from "../../src/layers/blobs/BlobStoreR2.ts"
import { blobStoreContract } from "./blobStore.contract.ts"
import { BLOBS } from "../host/workerdWorld.ts"

blobStoreContract("R2", (body) => body(make(BLOBS)))

describe("an R2 that never answers", () => {
  const never = () => new Promise<never>(() => {})
  const body = (bytes: number) => new Blob([new Uint8Array(bytes)]).stream()
  const put = (bucket: Partial<R2Bucket>, bytes: number, length?: number) =>
    Effect.runPromise(
      Effect.flip(
        // SAFETY: a put calls only these.
        make(bucket as R2Bucket, { stall: 20 }).put("key", body(bytes), {
          limit: 20_000_000,
          ...(length === undefined ? {} : { length })
        })
      )
    )
  const reads = async (readable: unknown) => {
    // SAFETY: a put of known length passes a stream.
    for await (const _ of readable as ReadableStream<Uint8Array>);
    return never()
  }

  it("put fails when R2 doesn't take the bytes, whatever the length", async () => {
    for (const failure of [
      await put({ put: never }, 100_000, 100_000),
      await put({ put: never }, 100_000),
      await put({ createMultipartUpload: never }, 6_000_000)
    ]) {
      assert.strictEqual(failure._tag, "BlobStoreUnavailable")
    }
  })

  it("put fails when R2 doesn't confirm the end", async () => {
    const failure = await put({ put: (_key: string, value: unknown) => reads(value) }, 1000, 1000)
    assert.strictEqual(failure._tag, "BlobStoreUnavailable")
  })
})

describe("memory that small uploads share", () => {
  const bodyOf = (bytes: Uint8Array<ArrayBuffer>) => new Blob([bytes]).stream()
  const filled = (size: number, byte: number) => new Uint8Array(size).fill(byte)

  it("uploads at once and after each other store their own bytes", async () => {
    const store = make(BLOBS)
    const put = async (size: number, byte: number) => {
      const key = `memory ${size} ${byte}`
      const bytes = filled(size, byte)
      const { cid } = await Effect.runPromise(
        store.put(key, bodyOf(bytes), { length: size, limit: size })
      )
      assert.strictEqual(cid, cidForRaw(bytes).toString())
      return { key, bytes }
    }
    const put1 = await put(1024 * 1024, 1)
    const others = await Promise.all([2, 3, 4, 5, 6, 7].map((byte) => put(byte * 100_000, byte)))
    for (const { key, bytes } of [put1, ...others]) {
      const stored = await (await BLOBS.get(key))?.bytes()
      assert.isTrue(stored !== undefined && cidForRaw(stored).equals(cidForRaw(bytes)))
    }
  })

  it("an upload that R2 may still read keeps its memory", async () => {
    const held: Array<Uint8Array> = []
    const bucket = {
      put: (_key: string, value: Uint8Array) => {
        held.push(value)
        return new Promise<never>(() => {})
      }
    }
    // SAFETY: a put calls only this.
    const store = make(bucket as unknown as R2Bucket, { stall: 20 })
    for (const byte of [1, 2]) {
      const length = 100_000
      await Effect.runPromise(
        Effect.flip(store.put("key", bodyOf(filled(length, byte)), { length, limit: length }))
      )
    }
    assert.deepStrictEqual(
      held.map(([first]) => first),
      [1, 2]
    )
  })
})

describe("a body that breaks off", () => {
  it("a small body that breaks off makes no call to R2, which never got its key", async () => {
    const calls: Array<string> = []
    const bucket = {
      put: async () => (calls.push("put"), null),
      delete: async () => void calls.push("delete")
    }
    const put = (body: ReadableStream<Uint8Array>) =>
      Effect.runPromise(
        Effect.flip(
          // SAFETY: a put calls only these.
          make(bucket as unknown as R2Bucket).put("key", body, { limit: 1000, length: 100 })
        )
      )
    const short = new Blob([new Uint8Array(50)]).stream()
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("the client is gone"))
    })
    for (const body of [short, broken]) {
      assert.strictEqual((await put(body))._tag, "BlobIncomplete")
    }
    assert.deepStrictEqual(calls, [])
  })
})
