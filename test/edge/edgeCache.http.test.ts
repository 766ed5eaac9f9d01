import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Account, AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { BlobIndex } from "../../src/services/blobs/BlobIndex.ts"
import { PublicCache } from "../../src/services/edge/PublicCache.ts"
import { Keys } from "../../src/services/identity/Keys.ts"
import { changeSigningKey } from "../../src/services/identity/SigningKeyChange.ts"
import { basic } from "../support/http/httpHost.ts"
import {
  ok,
  outcomeOf,
  type Person,
  png,
  signUp,
  startWorld,
  tidOf,
  upload,
  type World
} from "../support/http/httpWorld.ts"

interface Picture {
  readonly image: object
  readonly cid: string
  readonly bytes: Uint8Array
}

const postType = "app.bsky.feed.post"

describe("a public blob at the edge", () => {
  let world: World
  let who: Person
  beforeAll(async () => {
    world = await startWorld()
    who = await signUp(world, "edgar")
  })
  afterAll(() => world.close())

  const read = (cid: string, headers: Record<string, string> = {}, method = "GET") =>
    world.call("com.atproto.sync.getBlob", { params: { did: who.did, cid }, headers, method })

  const picture = async (): Promise<Picture> => {
    const bytes = png(`picture ${world.next()}`)
    const image = (await upload(world, who.auth, bytes)) as { ref: { $link: string } }
    return { image, bytes, cid: image.ref.$link }
  }

  const write = async (call: string, rkey: string, images: ReadonlyArray<Picture> = []) => {
    const embed = {
      $type: "app.bsky.embed.images",
      images: images.map(({ image }) => ({ image, alt: "" }))
    }
    const record = { $type: postType, text: rkey, createdAt: "2026-01-01T00:00:00Z", embed }
    const place = { repo: who.did, collection: postType, rkey }
    const input = call === "deleteRecord" ? place : { ...place, record }
    return world.call(`com.atproto.repo.${call}`, { auth: who.auth, input })
  }

  const posted = async (rkey = tidOf(world.next())) => {
    const made = await picture()
    ok(await write("putRecord", rkey, [made]))
    return { ...made, rkey }
  }

  /**
   * Changes the object without notice, so a reader that still sees the blob got it from the cache.
   */
  const behindItsBack = (cid: string, ref: string | undefined) =>
    world.inside(
      who.did,
      Effect.map(BlobIndex, (blobs) => blobs.setTakedown(cid, ref))
    )

  /** Reads until the edge has it. */
  const warm = async (cid: string) => {
    for (let count = 0; count < 100; count += 1) {
      assert.strictEqual((await read(cid)).status, 200)
      await behindItsBack(cid, "unseen")
      const { status } = await read(cid)
      await behindItsBack(cid, undefined)
      if (status === 200) return
    }
    assert.fail("the edge does not remember")
  }

  const warmed = async () => {
    const made = await posted()
    await warm(made.cid)
    return made
  }

  const subject = (change: object) =>
    world.call("com.atproto.admin.updateSubjectStatus", { auth: basic(), input: change })

  const repoBlob = (cid: string) => ({
    $type: "com.atproto.admin.defs#repoBlobRef",
    did: who.did,
    cid
  })

  const account = () => ({ $type: "com.atproto.admin.defs#repoRef", did: who.did })

  /** Asserts the same outcome for every kind of request. */
  const assertAll = async (cid: string, outcome: string) => {
    const conditions = [{}, { range: "bytes=0-3" }, { "if-none-match": `"${cid}"` }]
    for (const headers of conditions) {
      const answer = await read(cid, headers)
      assert.strictEqual(outcomeOf(answer), outcome, JSON.stringify(headers))
      assert.notInclude(answer.headers.get("cache-control") ?? "", "public")
    }
    assert.strictEqual((await read(cid, {}, "HEAD")).status, Number(outcome.split(" ")[0]))
  }

  it("a cached blob is served without its account: completely, in part, or as not modified", async () => {
    const { cid, bytes } = await warmed()
    await behindItsBack(cid, "unseen")
    const whole = await read(cid)
    assert.deepStrictEqual(whole.bytes, bytes)
    assert.strictEqual(whole.headers.get("content-type"), "image/png")
    assert.strictEqual(whole.headers.get("content-length"), String(bytes.length))
    assert.strictEqual(whole.headers.get("cache-control"), "public, max-age=0, must-revalidate")
    assert.isNull(whole.headers.get("nacre-blob"))
    const part = await read(cid, { range: "bytes=2-5" })
    assert.strictEqual(part.status, 206)
    assert.deepStrictEqual(part.bytes, bytes.slice(2, 6))
    assert.strictEqual((await read(cid, { "if-none-match": `"${cid}"` })).status, 304)
    assert.strictEqual(
      (await read(cid, {}, "HEAD")).headers.get("content-length"),
      String(bytes.length)
    )
    assert.strictEqual((await read(cid, { range: "bytes=900-" })).status, 416)
    await behindItsBack(cid, undefined)
  })

  it("a blob disappears at once with a takedown, and returns with a restore", async () => {
    const { cid } = await warmed()
    const other = await warmed()
    ok(await subject({ subject: repoBlob(cid), takedown: { applied: true, ref: "mod-1" } }))
    await assertAll(cid, "400 BlobNotFound")
    assert.strictEqual((await read(other.cid)).status, 200)
    ok(await subject({ subject: repoBlob(cid), takedown: { applied: false } }))
    await warm(cid)
  })

  it("a blob disappears at once with its last reference", async () => {
    const { cid, rkey, image, bytes } = await warmed()
    const second = tidOf(world.next())
    ok(await write("putRecord", second, [{ cid, image, bytes }]))
    ok(await write("deleteRecord", rkey))
    assert.strictEqual((await read(cid)).status, 200)
    await warm(cid)
    ok(await write("putRecord", second, [await picture()]))
    await assertAll(cid, "400 BlobNotFound")
  })

  it("a blob disappears at once with an import that doesn't refer to it", async () => {
    const { did, auth } = who
    const car = await world.call("com.atproto.sync.getRepo", { params: { did } })
    const { cid } = await warmed()
    const answer = await world.call("com.atproto.repo.importRepo", {
      auth,
      body: car.bytes as Uint8Array<ArrayBuffer>,
      headers: { "content-type": "application/vnd.ipld.car" }
    })
    assert.strictEqual(answer.status, 200, answer.text)
    await assertAll(cid, "400 BlobNotFound")
  })

  it("a blob disappears at once when its account becomes inactive", async () => {
    const { cid } = await warmed()
    const { auth } = who
    ok(await world.call("com.atproto.server.deactivateAccount", { auth, input: {} }))
    await assertAll(cid, "400 RepoDeactivated")
    ok(await world.call("com.atproto.server.activateAccount", { auth, method: "POST" }))
    await warm(cid)
    ok(await subject({ subject: account(), takedown: { applied: true } }))
    await assertAll(cid, "400 RepoTakendown")
    const seen = await world.call("com.atproto.sync.getBlob", {
      params: { did: who.did, cid },
      auth: basic()
    })
    assert.strictEqual(seen.status, 200)
    assert.strictEqual(seen.headers.get("cache-control"), "private")
    await assertAll(cid, "400 RepoTakendown")
    ok(await subject({ subject: account(), takedown: { applied: false } }))
    assert.strictEqual((await read(cid)).status, 200)
  })

  it("a blob disappears at once with its account", async () => {
    const { cid } = await warmed()
    ok(
      await world.call("com.atproto.admin.deleteAccount", {
        auth: basic(),
        input: { did: who.did }
      })
    )
    await assertAll(cid, "400 RepoNotFound")
    who = await signUp(world, "edgar")
    await assertAll(cid, "400 BlobNotFound")
  })

  it("a blob that was located just before its removal is not cached", async () => {
    const { cid } = await posted()
    const recall = Effect.flatMap(PublicCache, (edge) => edge.recall(who.did, "late"))
    const { keep } = await world.beneath(recall)
    ok(await subject({ subject: repoBlob(cid), takedown: { applied: true } }))
    await world.beneath(keep(Effect.sync(() => new Response("late"))))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const { found } = await world.beneath(recall)
    assert.isUndefined(found)
    await assertAll(cid, "400 BlobNotFound")
  })

  it("the edge always agrees with the account, whatever was done and read before", async () => {
    const pictures: Array<Picture> = []
    for (let count = 0; count < 4; count += 1) pictures.push(await picture())
    let seed = 20_261_120
    const below = (bound: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return (seed >>> 16) % bound
    }
    const { auth, did } = who
    const truth = async (cid: string): Promise<number> => {
      const locate = Effect.map(BlobIndex, (blobs) => blobs.locate(cid) !== undefined)
      const isHere = await world.inside(did, locate)
      const status = await world.call("com.atproto.sync.getRepoStatus", { params: { did } })
      return isHere && status.body["active"] === true ? 200 : 400
    }
    for (let step = 0; step < 60; step += 1) {
      const one = pictures[below(4)]!
      const rkey = tidOf(1000 + below(3))
      const applied = below(2) === 0
      const steps = [
        () => write("putRecord", rkey, [one, pictures[below(4)]!]),
        () => write("deleteRecord", rkey),
        () => subject({ subject: repoBlob(one.cid), takedown: { applied } }),
        () => subject({ subject: account(), takedown: { applied } }),
        () => world.call("com.atproto.server.deactivateAccount", { auth, input: {} }),
        () => world.call("com.atproto.server.activateAccount", { auth, method: "POST" })
      ]
      // Some reads run concurrently; only the state after the response counts.
      const reading = Promise.all(pictures.map(({ cid }) => read(cid)))
      await steps[below(steps.length)]!()
      for (const { cid } of pictures) {
        assert.strictEqual((await read(cid)).status, await truth(cid), `step ${step}`)
      }
      await reading
      for (const { cid } of pictures) {
        assert.strictEqual((await read(cid)).status, await truth(cid), `step ${step}, later`)
      }
    }
  })
})

describe("documents that are the same for everyone", () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world.close())

  /** Requests with another hostname. */
  const ask = async (url: string, headers: Record<string, string> = {}) => {
    const response = await world.handler(new Request(url, { headers }))
    return { response, text: await response.text() }
  }

  it("a document has an ETag, and a client that has it gets no body", async () => {
    const lasting = {
      "http://localhost:8787/.well-known/did.json": "public, max-age=0, must-revalidate",
      "http://alice.test/.well-known/did.json": "public, max-age=0, must-revalidate",
      "http://alice.test/.well-known/atproto-did": "public, max-age=0, must-revalidate",
      "http://localhost:8787/.well-known/oauth-authorization-server": "public, max-age=300",
      "http://localhost:8787/.well-known/oauth-protected-resource": "public, max-age=300",
      "http://localhost:8787/oauth/jwks": "public, max-age=300",
      "http://localhost:8787/robots.txt": "public, max-age=300",
      "http://localhost:8787/xrpc/com.atproto.server.describeServer": "public, max-age=300"
    }
    const versions = new Set<string>()
    for (const [url, cacheControl] of Object.entries(lasting)) {
      const first = await ask(url)
      assert.strictEqual(first.response.status, 200, url)
      assert.strictEqual(first.response.headers.get("cache-control"), cacheControl, url)
      const etag = first.response.headers.get("etag") ?? ""
      versions.add(etag)
      const again = await ask(url, { "if-none-match": etag })
      assert.deepStrictEqual([again.response.status, again.text], [304, ""], url)
      assert.strictEqual(again.response.headers.get("access-control-allow-origin"), "*")
      assert.strictEqual((await ask(url, { "if-none-match": '"other"' })).text, first.text)
    }
    assert.strictEqual(versions.size, Object.keys(lasting).length)
  })

  it("a missing document isn't cached", async () => {
    for (const file of ["did.json", "atproto-did"]) {
      const { response } = await ask(`http://nobody.test/.well-known/${file}`)
      assert.strictEqual(response.status, 404)
      assert.strictEqual(response.headers.get("cache-control"), "no-store")
    }
  })

  it("a did:web document's key is cached until it changes", async () => {
    const { did } = world.alice
    const url = "http://alice.test/.well-known/did.json"
    const keyOf = async (): Promise<string> => {
      const { text } = await ask(url)
      return `did:key:${JSON.parse(text).verificationMethod[0].publicKeyMultibase}`
    }
    const first = await keyOf()
    const makeKey = Effect.gen(function* () {
      const keys = yield* Keys
      const key = yield* keys.generate("k256")
      const wrapped = yield* keys.wrap(did, key)
      return { curve: "k256", wrapped, didKey: key.didKey } as const
    })
    const key = await world.inside(did, makeKey)
    const setKey = (signingKey: Account["signingKey"]) =>
      world.inside(
        did,
        Effect.flatMap(AccountStore, (accounts) => accounts.update({ signingKey }))
      )
    const own = await world.inside(
      did,
      Effect.flatMap(AccountStore, ({ get }) => Effect.map(get, ({ signingKey }) => signingKey))
    )
    // Without notice, so only a request to the object would return it.
    let seen = ""
    for (let count = 0; count < 100 && seen !== first; count += 1) {
      await keyOf()
      await setKey(key)
      seen = await keyOf()
      await setKey(own)
    }
    assert.strictEqual(seen, first, "the edge does not remember")
    await world.inside(did, changeSigningKey(key))
    assert.strictEqual(await keyOf(), key.didKey)
  })
})
