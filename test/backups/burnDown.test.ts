import { AtpAgent } from "@atproto/api"
import { verifyRepoCar } from "@atproto/repo"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { startS3 } from "./s3Server.ts"
import { until } from "../support/server/server.ts"
import { type Consumer, openFirehose } from "../support/server/serverFirehose.ts"
import { startFragile } from "../support/server/serverMemory.ts"
import { type Person, png, post, signIn, signUp } from "../support/server/serverPeople.ts"
import { type Desk, makeDesk } from "../cli/command.ts"

let s3: Awaited<ReturnType<typeof startS3>>
let server: Awaited<ReturnType<typeof startFragile>>
let desk: Desk
let consumer: Consumer

beforeAll(async () => {
  s3 = await startS3()
  server = await startFragile({
    BACKUP_S3_URL: s3.url,
    BACKUP_S3_KEY_ID: "key",
    BACKUP_S3_SECRET: "secret"
  })
  desk = makeDesk(server)
  consumer = openFirehose(server, 0)
})
afterAll(async () => {
  await consumer?.stop()
  desk?.remove()
  await server?.stop()
  await s3?.stop()
})

/** The records that the server exports, by their paths. */
const exported = async (did: string) => {
  const response = await fetch(`${server.url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
  const { creates, commit } = await verifyRepoCar(new Uint8Array(await response.arrayBuffer()), did)
  const records = creates.map(({ collection, rkey, cid }) => `${collection}/${rkey} ${cid}`)
  return { rev: commit.rev, records: records.toSorted() }
}

/** A follower's view: what the events say, with the whole repo fetched at each `#sync`. */
const viewOf = async (did: string) => {
  const events = consumer.of(did)
  const start = events.findLastIndex(({ event }) => event === "sync")
  const view = new Map<string, string>()
  if (start !== -1) {
    for (const line of (await exported(did)).records) {
      const [path = "", cid = ""] = line.split(" ")
      view.set(path, cid)
    }
  }
  for (const event of events.slice(start + 1)) {
    if (event.event === "create" || event.event === "update") {
      view.set(`${event.collection}/${event.rkey}`, event.cid.toString())
    }
    if (event.event === "delete") view.delete(`${event.collection}/${event.rkey}`)
  }
  return [...view].map(([path, cid]) => `${path} ${cid}`).toSorted()
}

const sawPost = (did: string, uri: string) =>
  until(`the consumer has ${uri}`, () =>
    consumer.of(did).some((event) => "uri" in event && event.uri.toString() === uri)
  )

const signInAgain = async ({ handle }: Person, password: string) => {
  const agent = new AtpAgent({ service: server.publicUrl })
  await agent.login({ identifier: handle, password })
  return agent
}

describe("a whole server that burns down", () => {
  it("the command brings it back onto an empty server: consumers agree, and apps sign in again", async () => {
    const alice = await signUp(server, "alice")
    const bob = await signUp(server, "bob")
    const image = await alice.agent.uploadBlob(png("alice"), { encoding: "image/png" })
    const images = [{ image: image.data.blob, alt: "" }]
    await alice.agent.post({ text: "kept", embed: { $type: "app.bsky.embed.images", images } })
    await alice.agent.follow(bob.did)
    await bob.agent.post(post("kept"))
    const app = await alice.agent.com.atproto.server.createAppPassword({ name: "phone" })
    const made = await desk.run(["backup", "now", "--json"])
    assert.strictEqual(made.code, 0, made.stderr)
    assert.deepInclude(made.json, { outcome: "good", accounts: 3 })
    const before = { alice: await exported(alice.did), bob: await exported(bob.did) }
    const lost = await alice.agent.post(post("lost with the server"))
    await sawPost(alice.did, lost.uri)
    const lastSeq = consumer.cursor() ?? 0
    const lastRev = (await exported(alice.did)).rev
    const known = consumer.of(alice.did).length

    await server.burnDown()
    const list = () => fetch(`${server.url}/xrpc/com.atproto.sync.listRepos`)
    // The first request may use a connection of the lost server.
    const empty = await list().catch(list)
    assert.deepInclude(await (empty.json() as Promise<object>), { repos: [] })
    const { code, json, stderr } = await desk.run(["restore", "--all", "--json"])
    assert.strictEqual(code, 0, stderr)
    assert.sameMembers(
      json.restored.map(({ did, kind }: Record<string, string>) => `${kind} ${did}`),
      [alice.did, bob.did, server.account.did].map((did) => `created ${did}`)
    )

    // The consumer resumes by itself from the cursor of the lost server.
    for (const { did } of [alice, bob]) {
      await until(`the consumer has the #sync of ${did}`, () =>
        consumer.of(did).some(({ event, seq }) => event === "sync" && seq > lastSeq)
      )
    }
    const now = { alice: await exported(alice.did), bob: await exported(bob.did) }
    assert.deepStrictEqual(now.alice.records, before.alice.records)
    assert.deepStrictEqual(now.bob.records, before.bob.records)
    assert.isTrue(now.alice.rev > lastRev)
    for (const { seq } of consumer.of(alice.did).slice(known)) assert.isAbove(seq, lastSeq)

    // Old sessions are over; passwords and app passwords work, and handles resolve.
    const failed = await alice.agent.post(post("too early")).then(
      () => "ok",
      () => "refused"
    )
    assert.strictEqual(failed, "refused")
    const agent = await signInAgain(alice, alice.password)
    const resolved = await agent.resolveHandle({ handle: bob.handle })
    assert.strictEqual(resolved.data.did, bob.did)
    const phone = await signInAgain(alice, app.data.password)
    const { uri } = await phone.post(post("back again"))
    await sawPost(alice.did, uri)
    await (await signInAgain(bob, bob.password)).post(post("so am I"))
    await signIn(server)
    const blob = await agent.com.atproto.sync.getBlob({
      did: alice.did,
      cid: image.data.blob.ref.toString()
    })
    assert.deepEqual(new Uint8Array(blob.data), png("alice"))

    assert.deepStrictEqual(await viewOf(alice.did), (await exported(alice.did)).records)
    assert.include((await viewOf(alice.did)).join(), uri.slice(-13))
    assert.notInclude((await viewOf(alice.did)).join(), lost.uri.slice(-13))
    assert.deepStrictEqual(consumer.errors, [])
    assert.strictEqual((await desk.run(["backup", "now"])).code, 0)
  })
})
