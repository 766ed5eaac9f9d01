import {
  MemoryBlockstore,
  readCarWithRoot,
  Repo,
  verifyDiffCar,
  verifyProofs,
  verifyRecords,
  verifyRepoCar
} from "@atproto/repo"
import { assert, describe, it } from "@effect/vitest"
import { CID } from "multiformats/cid"
import type { TestServer } from "../support/server/server.ts"
import { type Person, png, post, signingKeyOf, signUp } from "../support/server/serverPeople.ts"
import { startWriter } from "../support/server/serverWriters.ts"

const collection = "app.bsky.feed.post"

/** Writes that many posts, 200 per commit; returns the CIDs by record key. */
const fill = async ({ agent, did }: Person, count: number): Promise<Map<string, string>> => {
  const made = new Map<string, string>()
  for (let at = 0; at < count; at += 200) {
    const { data } = await agent.com.atproto.repo.applyWrites({
      repo: did,
      writes: Array.from({ length: Math.min(200, count - at) }, (_, nth) => ({
        $type: "com.atproto.repo.applyWrites#create" as const,
        collection,
        value: post(`filling ${at + nth}`)
      }))
    })
    for (const result of data.results as Array<{ uri: string; cid: string }>) {
      made.set(result.uri.split("/").at(-1)!, result.cid)
    }
  }
  return made
}

type Proof = Parameters<typeof verifyProofs>[1][number]

// SAFETY: the library has its own CID class, but compares by bytes.
const cidOf = (text: string) => CID.parse(text) as unknown as NonNullable<Proof["cid"]>

/** The tests of a repo as others read and verify it. */
export const repoSuite = (name: string, server: () => TestServer) => {
  describe(`the repo on ${name}`, () => {
    it("an export passes the official library's checks, with all records", async () => {
      const person = await signUp(server(), "exporter")
      const { agent, did } = person
      const made = await fill(person, 260)
      const { data } = await agent.com.atproto.sync.getRepo({ did })
      const { creates, commit } = await verifyRepoCar(data, did, await signingKeyOf(server(), did))
      assert.strictEqual(
        commit.rev,
        (await agent.com.atproto.sync.getLatestCommit({ did })).data.rev
      )
      assert.deepStrictEqual(new Map(creates.map(({ rkey, cid }) => [rkey, `${cid}`])), made)
    })

    it("an export is complete during four concurrent writers", async () => {
      const person = await signUp(server(), "steady")
      const { agent, did } = person
      const key = await signingKeyOf(server(), did)
      await fill(person, 800)
      const writers = [1, 2, 3, 4].map((writer) => startWriter(person, writer))
      let last = ""
      let moved = 0
      for (let turn = 0; turn < 4; turn++) {
        const known = writers.map(({ acknowledged }) => new Map(acknowledged))
        const { data } = await agent.com.atproto.sync.getRepo({ did })
        const { creates, commit } = await verifyRepoCar(data, did, key)
        assert.isAtLeast(commit.rev.localeCompare(last), 0)
        last = commit.rev
        const found = new Set(creates.map(({ collection, rkey }) => `${collection}/${rkey}`))
        const { rev } = (await agent.com.atproto.sync.getLatestCommit({ did })).data
        if (rev > commit.rev) moved += 1
        for (const [at, { acknowledged }] of writers.entries()) {
          // A record that existed before the export and still exists must be in it.
          for (const path of known[at]!.keys()) {
            if (acknowledged.has(path)) assert.isTrue(found.has(path), `${path} is in the export`)
          }
        }
      }
      for (const writer of writers) await writer.stop()
      assert.isAbove(moved, 0, "writes went on meanwhile")
    })

    it("getRepo with since returns enough blocks to update an older copy", async () => {
      const person = await signUp(server(), "follower")
      const { agent, did } = person
      const key = await signingKeyOf(server(), did)
      await fill(person, 300)
      const whole = (await agent.com.atproto.sync.getRepo({ did })).data
      const { root, blocks } = await readCarWithRoot(whole)
      const copy = await Repo.load(new MemoryBlockstore(blocks), root)
      const added = await agent.post({ text: "newer" })
      const since = copy.commit.rev
      const { data } = await agent.com.atproto.sync.getRepo({ did, since })
      assert.isBelow(data.length, whole.length / 2)
      const { writes } = await verifyDiffCar(copy, data, did, key)
      assert.deepStrictEqual(
        writes.map((write) => [write.action, write.rkey, "cid" in write ? `${write.cid}` : ""]),
        [["create", added.uri.split("/").at(-1), added.cid]]
      )
    })

    it("getRecord proves both the presence and the absence of a record", async () => {
      const person = await signUp(server(), "prover")
      const { agent, did } = person
      const key = await signingKeyOf(server(), did)
      const made = await fill(person, 120)
      const proofOf = async (rkey: string) =>
        (await agent.com.atproto.sync.getRecord({ did, collection, rkey })).data
      for (const [rkey, cid] of [...made].filter((_, at) => at % 40 === 0)) {
        const proof = await proofOf(rkey)
        const claims: Array<Proof> = [
          { collection, rkey, cid: cidOf(cid) },
          { collection, rkey, cid: null }
        ]
        const { verified, unverified } = await verifyProofs(proof, claims, did, key)
        assert.deepStrictEqual([verified, unverified], [[claims[0]!], [claims[1]!]])
        const records = await verifyRecords(proof, did, key)
        assert.deepStrictEqual(
          records.map((record) => record.rkey),
          [rkey]
        )
      }
      for (const rkey of ["2aaaaaaaaaaaa", "3kaaaaaaaaa2a", "zzzzzzzzzzzzz"]) {
        const claims: Array<Proof> = [{ collection, rkey, cid: null }]
        const { verified } = await verifyProofs(await proofOf(rkey), claims, did, key)
        assert.deepStrictEqual(verified, claims)
      }
    })

    it("getBlob serves ranges of a blob, and listBlobs lists it while a record references it", async () => {
      const { agent, did } = await signUp(server(), "painter")
      const image = png("0123456789".repeat(30_000))
      const { blob } = (await agent.uploadBlob(image, { encoding: "image/png" })).data
      const cid = blob.ref.toString()
      const url = `${server().url}/xrpc/com.atproto.sync.getBlob?did=${did}&cid=${cid}`
      assert.strictEqual((await fetch(url)).status, 400, "not served while it is temporary")
      const embed = { $type: "app.bsky.embed.images", images: [{ image: blob, alt: "" }] }
      await agent.post({ text: "painted", embed })
      const listed = await agent.com.atproto.sync.listBlobs({ did })
      assert.deepStrictEqual(listed.data.cids, [cid])
      const part = async (range: string) => {
        const response = await fetch(url, { headers: { range } })
        const { status, headers } = response
        const bytes = new Uint8Array(await response.arrayBuffer())
        return { status, range: headers.get("content-range"), bytes }
      }
      const size = image.length
      for (const [asked, from, to] of [
        ["bytes=0-0", 0, 1],
        ["bytes=100-199", 100, 200],
        [`bytes=${size - 10}-`, size - 10, size],
        ["bytes=-5", size - 5, size],
        ["bytes=65000-200000", 65_000, 200_001]
      ] as const) {
        const got = await part(asked)
        assert.strictEqual(got.status, 206)
        assert.strictEqual(got.range, `bytes ${from}-${to - 1}/${size}`)
        assert.deepStrictEqual(got.bytes, image.slice(from, to))
      }
      assert.strictEqual((await part(`bytes=${size}-`)).status, 416)
      assert.deepStrictEqual((await part("bytes=x")).bytes, image)
    })
  })
}
