import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib"
import {
  badInputs,
  badQueries,
  emptyQueries,
  encodingOf,
  lexiconOf
} from "../../support/http/httpBad.ts"
import type { Answered, Asked } from "../../support/http/httpHost.ts"
import { allMethods, credentialFor, goodCall } from "../../support/http/httpMethods.ts"
import { firstRkey, ok, post, startWorld, type World } from "../../support/http/httpWorld.ts"

const utf8 = new TextEncoder()

const jsonMethods = allMethods.filter((nsid) => encodingOf(nsid) === "application/json")
const queries = allMethods.filter((nsid) => lexiconOf(nsid).type === "query")
const procedures = allMethods.filter((nsid) => lexiconOf(nsid).type === "procedure")
const bare = procedures.filter((nsid) => encodingOf(nsid) === undefined)

describe("invalid input", () => {
  let world: World
  let before: string
  /** The heads of all repos and the accounts' public data. */
  const state = async () => {
    const { repos: all } = ok(await world.call("com.atproto.sync.listRepos"))
    // Valid calls that end an account or change a password use an account of their own, as do those
    // of PLC operations.
    const repos = all.filter(
      ({ did }: { did: string }) => !/^did:(plc:|web:(gone|forgot|deleted|reset)-)/.test(did)
    )
    const status = "com.atproto.server.checkAccountStatus"
    const own = ok(await world.call(status, { auth: world.alice.auth }))
    const apps = ok(
      await world.call("com.atproto.server.listAppPasswords", { auth: world.alice.auth })
    )
    return JSON.stringify([repos, own, apps])
  }
  beforeAll(async () => {
    world = await startWorld()
    before = await state()
  })
  afterAll(() => world.close())

  const refused = async (
    nsid: string,
    asked: Asked,
    status: number,
    error: string
  ): Promise<Answered> => {
    const answer = await world.call(nsid, asked)
    const what = `${nsid} ${asked.query ?? JSON.stringify(asked.input)}`
    assert.strictEqual(`${answer.status} ${answer.body["error"]}`, `${status} ${error}`, what)
    assert.isString(answer.body["message"])
    return answer
  }

  /** A valid call but for its body and headers. */
  const withBody = (
    { auth }: Asked,
    body: Uint8Array | string,
    headers: Readonly<Record<string, string>> = {}
  ): Asked => ({
    auth,
    method: "POST",
    body: body as BodyInit,
    headers: { "content-type": "application/json", ...headers }
  })

  // The valid call of a deletion would have to write first.
  const safe = jsonMethods.filter((nsid) => nsid !== "com.atproto.repo.deleteRecord")

  it("every invalid query parameter is a 400 with its name", async () => {
    for (const nsid of queries) {
      const good = await goodCall(world, nsid)
      for (const query of badQueries(nsid, good.params ?? {})) {
        await refused(nsid, { auth: good.auth, query }, 400, "InvalidRequest")
      }
    }
  })

  it("an empty optional parameter counts as missing, in every method and of every type", async () => {
    for (const nsid of queries) {
      const good = await goodCall(world, nsid)
      const plain = await world.call(nsid, good)
      for (const query of emptyQueries(nsid, good.params ?? {})) {
        const answer = await world.call(nsid, { auth: good.auth, query })
        assert.strictEqual(answer.status, plain.status, `${nsid} ${query}`)
        assert.deepStrictEqual(Object.keys(answer.body ?? {}), Object.keys(plain.body ?? {}))
      }
    }
  })

  it("every invalid property of a body is a 400", async () => {
    for (const nsid of safe) {
      const { input, auth } = await goodCall(world, nsid)
      for (const broken of badInputs(nsid, input as object)) {
        await refused(nsid, { auth, input: broken }, 400, "InvalidRequest")
      }
    }
  })

  it("a body that isn't JSON or UTF-8, or is empty, is a 400", async () => {
    const bodies: Array<Uint8Array | string> = [
      "{",
      '{"a":1,}',
      "undefined",
      "\u0000",
      '{"a":"\\ud800"}',
      "",
      new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
      `${"[".repeat(50_000)}${"]".repeat(50_000)}`,
      `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`
    ]
    for (const nsid of safe) {
      const good = await goodCall(world, nsid)
      for (const body of bodies) {
        await refused(nsid, withBody(good, body), 400, "InvalidRequest")
      }
    }
  })

  it("a missing or wrong Content-Type is a 400", async () => {
    for (const nsid of safe) {
      const good = await goodCall(world, nsid)
      const body = JSON.stringify(good.input)
      for (const type of [
        "text/plain",
        "application/jsonp",
        "multipart/form-data; boundary=x",
        ""
      ]) {
        const asked = withBody(good, body, { "content-type": type })
        await refused(nsid, asked, 400, "InvalidRequest")
      }
    }
  })

  it("an unexpected body is a 400", async () => {
    assert.include(bare, "com.atproto.server.deleteSession")
    for (const nsid of bare) {
      const { auth } = await goodCall(world, nsid)
      for (const input of [{ a: 1 }, [], "", null]) {
        await refused(nsid, { auth, input }, 400, "InvalidRequest")
      }
    }
  })

  it("an empty object is accepted where no body is expected", async () => {
    for (const body of ["{}", " { }\n", ""]) {
      const auth = await credentialFor(world, "com.atproto.server.refreshSession", world.alice)
      const headers = { "content-type": "application/json" }
      const asked = { auth, method: "POST", body, headers }
      ok(await world.call("com.atproto.server.refreshSession", asked))
    }
  })

  it("a body that is too large is a 413, with or without a declared length, and compressed", async () => {
    const large = utf8.encode(JSON.stringify({ text: "x".repeat(2_200_000) }))
    const [gzip, brotli] = [gzipSync(large), brotliCompressSync(large)]
    for (const nsid of safe) {
      const stream = new ReadableStream<Uint8Array>({
        start: (controller) => {
          for (let at = 0; at < large.length; at += 65_536) {
            controller.enqueue(large.subarray(at, at + 65_536))
          }
          controller.close()
        }
      })
      const headers = { "content-type": "application/json" }
      const { auth } = await goodCall(world, nsid)
      const send = (body: unknown, more = {}) =>
        refused(
          nsid,
          { auth, method: "POST", body: body as BodyInit, headers: { ...headers, ...more } },
          413,
          "PayloadTooLarge"
        )
      await send(large)
      await send(stream)
      await send(gzip, { "content-encoding": "gzip" })
      await send(brotli, { "content-encoding": "br" })
    }
  })

  it("bodies above 150 KiB are too large, except for writes of records", async () => {
    const writes = new Set(["createRecord", "putRecord", "deleteRecord", "applyWrites"])
    for (const nsid of safe) {
      const text = JSON.stringify({ text: "x".repeat(150 * 1024) })
      const isWrite = writes.has(nsid.split(".").at(-1)!)
      const asked = withBody(await goodCall(world, nsid), text)
      if (isWrite) await refused(nsid, asked, 400, "InvalidRequest")
      else await refused(nsid, asked, 413, "PayloadTooLarge")
    }
  })

  it("an unknown Content-Encoding is a 415, and invalid compressed data a 400", async () => {
    for (const nsid of safe) {
      const good = await goodCall(world, nsid)
      const encoded = (encoding: string) =>
        withBody(good, JSON.stringify(good.input), { "content-encoding": encoding })
      for (const encoding of ["zstd", "gzip, br", "constructor", "x-gzip"]) {
        await refused(nsid, encoded(encoding), 415, "UnsupportedMediaType")
      }
      for (const encoding of ["gzip", "deflate", "br"]) {
        await refused(nsid, encoded(encoding), 400, "InvalidRequest")
      }
    }
  })

  it("the wrong HTTP method is a 400", async () => {
    for (const nsid of queries) {
      const { params = {}, auth } = await goodCall(world, nsid)
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        await refused(nsid, { params, auth, method }, 400, "InvalidRequest")
      }
    }
    for (const nsid of procedures) {
      const auth = await credentialFor(world, nsid, world.alice)
      for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
        const { status } = await world.call(nsid, { auth, method })
        assert.strictEqual(status, 400, `${method} ${nsid}`)
      }
    }
  })

  it("an unknown method is a 501, one of another service a 401, and an invalid NSID a 400", async () => {
    const { auth } = world.alice
    const headers = { "atproto-proxy": "did:web:target.example.com#view" }
    for (const method of ["GET", "POST"]) {
      for (const ours of ["com.atproto.server.unknown", "com.atproto.sync.unknown"]) {
        await refused(ours, { method }, 501, "MethodNotImplemented")
        await refused(ours, { method, auth }, 501, "MethodNotImplemented")
      }
      const stranger = "com.example.unknown.method"
      await refused(stranger, { method }, 501, "MethodNotImplemented")
      await refused(stranger, { method, headers }, 401, "AuthMissing")
      await refused("app.bsky.feed.getTimeline", { method }, 401, "AuthMissing")
    }
    for (const path of ["nope", "a.b", "", "constructor", "a..b.c", "com.atproto.sync.getRepo/x"]) {
      await refused(path, {}, 400, "InvalidRequest")
    }
  })

  it("a CID with another codec or hash than the protocol's is a 400", async () => {
    // A dag-pb CID and one of SHA-512: well-formed, but of no block here.
    const foreign = [
      "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi",
      "bafkrgqhhyivzstcz3hhswshfjgy6ertgmnqeleynhwt4dlfsthi4hn7zgh4uvlsb5xncykzapi3ocd4lzogukir6ksdy6wzrnz6ohnv4aglcs"
    ]
    const { did, auth } = world.alice
    const record = { repo: did, collection: "app.bsky.feed.post", rkey: firstRkey }
    for (const cid of foreign) {
      const blocks = { params: { did, cids: [cid] } }
      await refused("com.atproto.sync.getBlocks", blocks, 400, "InvalidRequest")
      for (const swap of ["swapCommit", "swapRecord"]) {
        const input = { ...record, [swap]: cid }
        await refused("com.atproto.repo.deleteRecord", { auth, input }, 400, "InvalidRequest")
        const put = { ...input, record: post("swapped") }
        await refused("com.atproto.repo.putRecord", { auth, input: put }, 400, "InvalidRequest")
      }
      const getRecord = { params: { ...record, cid } }
      await refused("com.atproto.repo.getRecord", getRecord, 400, "RecordNotFound")
      const getBlob = { params: { did, cid } }
      await refused("com.atproto.sync.getBlob", getBlob, 400, "BlobNotFound")
    }
  })

  it("an unknown account is RepoNotFound, or NotFound for the administrator", async () => {
    for (const nsid of queries) {
      const { params = {}, auth } = await goodCall(world, nsid)
      const name = "repo" in params ? "repo" : "did" in params ? "did" : undefined
      if (name === undefined || nsid === "com.atproto.identity.resolveDid") continue
      const nobody = ["did:web:nobody.test", "did:plc:ewvi7nxzyoun6zhxrhs64oiz", "did:example:x"]
      if (name === "repo") nobody.push("nobody.test", "NOBODY.TEST")
      const error = nsid.startsWith("com.atproto.admin.") ? "NotFound" : "RepoNotFound"
      for (const who of nobody) {
        // The AppView may know it: test/repo/foreignRecords.http.test.ts.
        if (nsid === "com.atproto.repo.getRecord" && who.startsWith("did:plc:")) continue
        await refused(nsid, { params: { ...params, [name]: who }, auth }, 400, error)
      }
    }
  })

  it("none of the invalid requests has written anything", async () => {
    assert.strictEqual(await state(), before)
  })
})

describe("compressed input", () => {
  it("input is decompressed from gzip, deflate and br", async () => {
    const world = await startWorld()
    const packers = {
      gzip: gzipSync,
      deflate: deflateSync,
      br: brotliCompressSync,
      identity: utf8.encode.bind(utf8)
    }
    for (const nsid of jsonMethods) {
      if (nsid === "com.atproto.server.deactivateAccount") continue
      for (const [encoding, pack] of Object.entries(packers)) {
        const { input, auth } = await goodCall(world, nsid)
        const answer = await world.call(nsid, {
          auth,
          body: pack(JSON.stringify(input)) as Uint8Array<ArrayBuffer>,
          headers: {
            "content-type": "application/json; charset=utf-8",
            "content-encoding": encoding
          }
        })
        assert.strictEqual(answer.status, 200, `${nsid} ${encoding} ${answer.text}`)
      }
    }
    await world.close()
  })
})
