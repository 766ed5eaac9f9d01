import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { getBlob, uploadBlob } from "../../src/http/blobs/upload.ts"
import { cidForRaw } from "../../src/core/repo/cid.ts"
import type { CallFailure, CallInput } from "../../src/services/accounts/AccountCalls.ts"
import {
  type BlobLocation,
  BlobNotFound,
  BlobQuotaExceeded
} from "../../src/services/blobs/BlobIndex.ts"
import { Denied } from "../../src/services/sessions/Auth.ts"
import { Accounts, AccountUnavailable } from "../../src/services/accounts/Accounts.ts"
import { BlobStore, BlobStoreUnavailable } from "../../src/services/blobs/BlobStore.ts"
import type { EdgeCache } from "../../src/services/edge/EdgeCache.ts"
import { PublicCache } from "../../src/services/edge/PublicCache.ts"
import { bytesOf } from "./blobStore.contract.ts"

type Store = BlobStore["Service"]
type Needs = Accounts | BlobStore | PublicCache

const did = "did:plc:blobs"
const limit = 2_000_000
const caller = { kind: "session", did, level: "full", session: "ses-one" } as const
let made = 0

const denied = new Denied({ error: "AuthMissing", message: "no" })
const notFound = new BlobNotFound({ cid: "none" })

/**
 * A stand-in for an account's object: it authorizes "Bearer owner", notes keys and keeps what is
 * recorded.
 */
class Account {
  readonly keys: Array<string> = []
  readonly blobs = new Map<string, BlobLocation>()
  /** The type that each blob's bytes showed. */
  readonly sniffed = new Map<string, string | undefined>()
  readonly authorized: Array<CallInput<"authorizeUpload">[0]> = []
  recordFails: CallFailure<"recordUpload"> | AccountUnavailable | undefined
  /** The blob that answers every upload, once set. */
  older: BlobLocation | undefined
  located = 0

  readonly accounts = Accounts.of({
    forward: () => Effect.die("nothing is forwarded"),
    // SAFETY: each method of the table takes and returns what AccountCalls declares.
    call: ((
      _did: string,
      method: "authorizeUpload" | "recordUpload" | "locateBlob",
      input: never
    ) => this[method](input)) as Accounts["Service"]["call"]
  })

  authorizeUpload(input: CallInput<"authorizeUpload">[0]) {
    if (input.authorization !== "Bearer owner") return Effect.fail(denied)
    this.authorized.push(input)
    const key = `blobs/${did}/${made++}`
    this.keys.push(key)
    return Effect.succeed({ key, limit, caller })
  }

  recordUpload({ caller: by, ...upload }: CallInput<"recordUpload">[0]) {
    if (this.recordFails !== undefined) return Effect.fail(this.recordFails)
    assert.deepStrictEqual(by, caller)
    if (this.older !== undefined) return Effect.succeed(this.older)
    const { cid, key, mimeType, size } = upload
    const blob = { cid, key, mimeType, size }
    this.sniffed.set(cid, upload.sniffed)
    this.blobs.set(cid, blob)
    return Effect.succeed(blob)
  }

  locateBlob({ cid, credentials: by }: CallInput<"locateBlob">[0]) {
    const blob = this.blobs.get(cid)
    if (blob === undefined) return Effect.fail(notFound)
    this.located += 1
    return Effect.succeed({ ...blob, shared: by === undefined })
  }
}

const credentials = { authorization: "Bearer owner", method: "POST", url: "https://pds.test/" }

/** Node requires this for bodies that are streams; other platforms ignore it. */
const streaming = { duplex: "half" }

const post = (body: BodyInit | null, headers: Record<string, string> = {}) =>
  new Request("https://pds.test/xrpc/com.atproto.repo.uploadBlob", {
    method: "POST",
    body,
    headers,
    ...streaming
  })

const fetchOf = (headers: Record<string, string> = {}, method = "GET") =>
  new Request("https://pds.test/xrpc/com.atproto.sync.getBlob", { method, headers })

const png = () => {
  const bytes = bytesOf(300_000)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return bytes
}

const streamOf = (bytes: Uint8Array): ReadableStream =>
  // SAFETY: the platforms declare different types for the same class.
  new Response(bytes as unknown as BodyInit).body as unknown as ReadableStream

/** Caches at once and permanently, because the account never changes here. */
const memoryOver = (cache: EdgeCache["Service"] | undefined, own: string): PublicCache["Service"] =>
  PublicCache.of({
    recall: Effect.fnUntraced(function* (_did, name) {
      const key = `https://pds.test/${own}/${name}`
      const keep = Effect.fnUntraced(function* (make: Effect.Effect<Response | undefined>) {
        const made = yield* make
        if (cache === undefined || made === undefined) return
        made.headers.set("cache-control", "max-age=60")
        yield* cache.put(key, made)
      })
      return { found: yield* cache?.match(key) ?? Effect.undefined, keep }
    })
  })

/** What the blob handlers guarantee over any store, with or without an edge cache. */
export const blobHandlersContract = (name: string, store: Store, cache?: EdgeCache["Service"]) => {
  const setUp = () => {
    const account = new Account()
    const edge = memoryOver(cache, `own${made++}`)
    const provide = <A, E>(effect: Effect.Effect<A, E, Needs>, over: Store) =>
      effect.pipe(
        Effect.provideService(Accounts, account.accounts),
        Effect.provideService(PublicCache, edge),
        Effect.provideService(BlobStore, over)
      )
    const run = <A, E>(effect: Effect.Effect<A, E, Needs>, over = store) =>
      Effect.runPromise(provide(effect, over))
    const tagOf = async <A, E extends { readonly _tag: string }>(
      effect: Effect.Effect<A, E, Needs>,
      over = store
    ) => (await Effect.runPromise(Effect.flip(provide(effect, over))))._tag
    const left = () => Promise.all(account.keys.map((key) => Effect.runPromise(store.head(key))))
    const upload = (bytes: Uint8Array, headers: Record<string, string> = {}) =>
      run(uploadBlob(did, post(bytes as unknown as BodyInit, headers), credentials))
    return { account, left, run, tagOf, upload }
  }

  describe(`uploadBlob over ${name}`, () => {
    it("uploadBlob stores the bytes, records them and returns a reference", async () => {
      const { account, left, upload } = setUp()
      const bytes = png()
      const headers = { "content-type": "text/html", "content-length": "300000" }
      const { blob } = await upload(bytes, headers)
      const cid = cidForRaw(bytes).toString()
      const mimeType = "image/png"
      assert.deepStrictEqual(blob, { $type: "blob", ref: { $link: cid }, mimeType, size: 300_000 })
      const [key = ""] = account.keys
      assert.deepStrictEqual(account.blobs.get(cid), { cid, key, mimeType, size: 300_000 })
      assert.strictEqual(account.sniffed.get(cid), "image/png")
      assert.deepStrictEqual(await left(), [300_000])
      const [asked] = account.authorized
      assert.deepStrictEqual(asked, { ...credentials, mimeType: "text/html", size: 300_000 })
    })

    it("uploadBlob accepts a body of unknown length", async () => {
      const { account, left, run } = setUp()
      const body = streamOf(bytesOf(300_000)) as unknown as BodyInit
      const { blob } = await run(
        uploadBlob(did, post(body, { "content-type": "*/*" }), credentials)
      )
      assert.deepInclude(blob, { mimeType: "application/octet-stream", size: 300_000 })
      assert.deepStrictEqual(await left(), [300_000])
      assert.notProperty(account.authorized[0], "size")
    })

    it("uploadBlob decodes gzip and applies the limit to the result", async () => {
      const { account, left, run, tagOf } = setUp()
      const gzip = (bytes: Uint8Array) =>
        streamOf(bytes).pipeThrough(new CompressionStream("gzip")) as unknown as BodyInit
      const headers = { "content-encoding": "gzip", "content-type": "text/plain" }
      const { blob } = await run(uploadBlob(did, post(gzip(png()), headers), credentials))
      assert.strictEqual(blob.ref.$link, cidForRaw(png()).toString())
      const bomb = post(gzip(new Uint8Array(limit + 1)), headers)
      assert.strictEqual(await tagOf(uploadBlob(did, bomb, credentials)), "BlobTooLarge")
      const broken = post("not gzip at all", headers)
      assert.strictEqual(await tagOf(uploadBlob(did, broken, credentials)), "BlobIncomplete")
      const strange = post("x", { "content-encoding": "zstd" })
      assert.strictEqual(await tagOf(uploadBlob(did, strange, credentials)), "UnsupportedEncoding")
      assert.deepStrictEqual(await left(), [300_000, undefined, undefined])
      assert.strictEqual(account.blobs.size, 1)
    })

    it("uploadBlob authorizes before it reads, so nobody else writes anything", async () => {
      const { account, tagOf } = setUp()
      const silent = new ReadableStream({ pull: () => new Promise<void>(() => {}) })
      const request = post(silent as unknown as BodyInit)
      const anonymous = { method: "POST", url: "https://pds.test/" }
      assert.strictEqual(await tagOf(uploadBlob(did, request, anonymous)), "Denied")
      assert.deepStrictEqual(account.keys, [])
    })

    it("uploadBlob rejects an empty body without authorizing", async () => {
      const { account, tagOf } = setUp()
      const empty = post(null, { "content-type": "image/png" })
      assert.strictEqual(await tagOf(uploadBlob(did, empty, credentials)), "BlobEmpty")
      assert.deepStrictEqual(account.authorized, [])
    })

    it("uploadBlob records nothing when the body breaks off or the store fails", async () => {
      const { account, left, tagOf } = setUp()
      const short = post(streamOf(bytesOf(99_999)) as unknown as BodyInit, {
        "content-length": "100000"
      })
      assert.strictEqual(await tagOf(uploadBlob(did, short, credentials)), "BlobIncomplete")
      const cause = new BlobStoreUnavailable({ operation: "put", cause: "down" })
      const down = BlobStore.of({ ...store, put: () => Effect.fail(cause) })
      const request = post(png() as unknown as BodyInit)
      assert.strictEqual(
        await tagOf(uploadBlob(did, request, credentials), down),
        "BlobStoreUnavailable"
      )
      assert.deepStrictEqual(await left(), [undefined, undefined])
      assert.strictEqual(account.blobs.size, 0)
    })

    it("uploadBlob deletes bytes that are stored already and keeps the older ones", async () => {
      const { account, left, upload } = setUp()
      const first = await upload(png())
      account.older = account.blobs.get(first.blob.ref.$link)
      assert.deepStrictEqual(await upload(png()), first)
      assert.deepStrictEqual(await left(), [300_000, undefined])
    })

    it("uploadBlob deletes the bytes when the account refuses to record them", async () => {
      const { account, left, tagOf } = setUp()
      account.recordFails = new BlobQuotaExceeded({ used: 1, quota: 1 })
      const request = post(png() as unknown as BodyInit)
      assert.strictEqual(await tagOf(uploadBlob(did, request, credentials)), "BlobQuotaExceeded")
      assert.deepStrictEqual(await left(), [undefined])
    })

    it("uploadBlob leaves the bytes to the sweep when it can't know whether they were recorded", async () => {
      const { account, left, tagOf } = setUp()
      // The object was unreachable or failed, perhaps after it had recorded the upload.
      account.recordFails = new AccountUnavailable({ operation: "recordUpload", did })
      const request = post(png() as unknown as BodyInit)
      assert.strictEqual(await tagOf(uploadBlob(did, request, credentials)), "AccountUnavailable")
      assert.deepStrictEqual(await left(), [300_000])
    })
  })

  describe(`getBlob over ${name}`, () => {
    const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer())
    const uploaded = async (isRead = true) => {
      const made = setUp()
      const bytes = png()
      const { blob } = await made.upload(bytes)
      const cid = blob.ref.$link
      const get = (request: Request, as?: typeof credentials) =>
        made.run(getBlob(did, cid, request, as))
      // The first response fills the cache, if there is one.
      if (isRead) await bodyOf(await get(fetchOf()))
      return { ...made, bytes, cid, get }
    }
    it("getBlob sends the bytes as a download that browsers don't run", async () => {
      const { bytes, cid, get } = await uploaded()
      const response = await get(fetchOf())
      assert.strictEqual(response.status, 200)
      assert.deepInclude(Object.fromEntries(response.headers), {
        "content-type": "image/png",
        "content-length": "300000",
        "content-disposition": `attachment; filename="${cid}"`,
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "accept-ranges": "bytes",
        "cache-control": "public, max-age=0, must-revalidate",
        etag: `"${cid}"`
      })
      assert.strictEqual(cidForRaw(await bodyOf(response)).toString(), cid)
      assert.isTrue(cidForRaw(bytes).toString() === cid)
    })

    it("getBlob keeps a response to credentials out of shared caches", async () => {
      const { get } = await uploaded()
      const response = await get(fetchOf(), credentials)
      assert.strictEqual(response.headers.get("cache-control"), "private")
      assert.strictEqual(response.headers.get("vary"), "Authorization")
    })

    it("getBlob sends the requested range", async () => {
      const { bytes, get } = await uploaded()
      const response = await get(fetchOf({ range: "bytes=1000-200999" }))
      assert.strictEqual(response.status, 206)
      assert.strictEqual(response.headers.get("content-range"), "bytes 1000-200999/300000")
      assert.strictEqual(response.headers.get("content-length"), "200000")
      assert.deepStrictEqual(await bodyOf(response), bytes.slice(1000, 201_000))
      const tail = await get(fetchOf({ range: "bytes=-5" }))
      assert.deepStrictEqual(await bodyOf(tail), bytes.slice(-5))
    })

    it("getBlob returns 416 for a range outside of the blob, and all of it under another If-Range", async () => {
      const { get } = await uploaded()
      const response = await get(fetchOf({ range: "bytes=300000-" }))
      assert.strictEqual(response.status, 416)
      assert.strictEqual(response.headers.get("content-range"), "bytes */300000")
      const changed = await get(fetchOf({ range: "bytes=0-9", "if-range": '"other"' }))
      assert.strictEqual(changed.status, 200)
      assert.lengthOf(await bodyOf(changed), 300_000)
    })

    it("getBlob returns 304 to a client that has the blob, and no body to HEAD", async () => {
      const { cid, get } = await uploaded()
      const has = await get(fetchOf({ "if-none-match": `"${cid}"` }))
      assert.deepStrictEqual([has.status, (await bodyOf(has)).byteLength], [304, 0])
      const head = await get(fetchOf({}, "HEAD"))
      assert.deepStrictEqual([head.status, (await bodyOf(head)).byteLength], [200, 0])
      assert.strictEqual(head.headers.get("content-type"), "image/png")
    })

    it(`getBlob ${cache === undefined ? "asks the account each time" : "asks the account once"}`, async () => {
      const { account, bytes, get } = await uploaded()
      for (const headers of [{}, { range: "bytes=7-" }, { range: "bytes=0-0" }]) {
        const response = await get(fetchOf(headers))
        const from = headers.range === undefined ? 0 : Number(headers.range.slice(6, 7))
        const to = headers.range?.endsWith("0") === true ? 1 : bytes.length
        assert.deepStrictEqual(await bodyOf(response), bytes.slice(from, to))
      }
      await get(fetchOf({}, "HEAD"))
      await get(fetchOf({ "if-none-match": "*" }))
      assert.strictEqual(account.located, cache === undefined ? 6 : 1)
      // The owner's own request neither uses nor fills the cache.
      await bodyOf(await get(fetchOf(), credentials))
      assert.strictEqual(account.located, cache === undefined ? 7 : 2)
    })

    it("getBlob returns BlobNotFound when the store has lost what the account recorded", async () => {
      const { account, cid, run, tagOf } = await uploaded(false)
      await run(Effect.flatMap(BlobStore, (blobs) => blobs.delete(account.keys)))
      assert.strictEqual(await tagOf(getBlob(did, cid, fetchOf())), "BlobNotFound")
      assert.strictEqual(await tagOf(getBlob(did, "bafkother", fetchOf())), "BlobNotFound")
    })
  })
}
