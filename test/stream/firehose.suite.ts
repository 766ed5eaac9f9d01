import { verifyRepoCar } from "@atproto/repo"
import type { Event } from "@atproto/sync"
import { assert, describe, it } from "@effect/vitest"
import { type TestServer, until } from "../support/server/server.ts"
import { openFirehose } from "../support/server/serverFirehose.ts"
import { type Person, post, signIn, signingKeyOf, signUp } from "../support/server/serverPeople.ts"
import { openRelay, openStream } from "../support/server/serverRelay.ts"
import { startWriter } from "../support/server/serverWriters.ts"

const collection = "app.bsky.feed.post"

/** An event as one line. */
const line = (event: Event): string => {
  switch (event.event) {
    case "create":
    case "update":
      return `${event.event} ${event.collection}/${event.rkey} ${event.cid}`
    case "delete":
      return `delete ${event.collection}/${event.rkey}`
    case "account":
      return `account ${event.active ? "active" : event.status}`
    default:
      return event.event
  }
}

/** Names as record keys of posts, which are TIDs. */
const tid = (name: string) => `3k${name}`.padEnd(13, "2")

/** The owner's actions, as lines in event order. */
const scribe = ({ agent, did }: Person) => {
  const { repo } = agent.com.atproto
  const lines: Array<string> = []
  return {
    lines,
    put: async (key: string, text: string) => {
      const rkey = tid(key)
      const { cid } = (await repo.putRecord({ repo: did, collection, rkey, record: post(text) }))
        .data
      const known = lines.some((line) => line.startsWith(`create ${collection}/${rkey}`))
      lines.push(`${known ? "update" : "create"} ${collection}/${rkey} ${cid}`)
    },
    remove: async (key: string) => {
      const rkey = tid(key)
      await repo.deleteRecord({ repo: did, collection, rkey })
      lines.push(`delete ${collection}/${rkey}`)
    }
  }
}

/** Waits until the client's kept connections have noticed the restart. */
const answers = ({ agent }: Person) =>
  until("an answer", () =>
    agent.com.atproto.server.getSession().then(
      () => true,
      () => false
    )
  )

/** The records in a repo's export. */
const exported = async (server: TestServer, { agent, did }: Person) => {
  const { data } = await agent.com.atproto.sync.getRepo({ did })
  const { creates, commit } = await verifyRepoCar(data, did, await signingKeyOf(server, did))
  const records = creates.map(
    ({ collection, rkey, cid }) => [`${collection}/${rkey}`, `${cid}`] as const
  )
  return { rev: commit.rev, records: new Map(records) }
}

/** The event stream as its consumers see it. */
export const firehoseSuite = (name: string, server: () => TestServer) => {
  describe(`the event stream of ${name}`, () => {
    it("the official consumer receives everything, also across a restart, without gap or repeat", async () => {
      const consumer = openFirehose(server(), 0)
      const people = [await signIn(server()), await signUp(server(), "heard")]
      const before = new Map<string, number>()
      for (const { did } of people) {
        await consumer.received(did, 3)
        before.set(did, consumer.of(did).length)
      }
      const scribes = people.map(scribe)
      for (const { put, remove } of scribes) {
        await put("one", "first")
        await put("two", "second")
        await put("one", "changed")
        await remove("two")
      }
      const told = async (from: typeof consumer) => {
        for (const [at, { did }] of people.entries()) {
          const { lines } = scribes[at]!
          await from.received(did, before.get(did)! + lines.length)
          assert.deepStrictEqual(from.of(did).slice(before.get(did)).map(line), lines)
        }
      }
      await told(consumer)
      await server().restart()
      for (const person of people) await answers(person)
      for (const { put, remove } of scribes) {
        await put("three", "after the restart")
        await remove("one")
      }
      await told(consumer)
      const cursor = consumer.cursor()!
      await consumer.stop()

      const away = scribes.map(({ lines }) => lines.length)
      for (const { put } of scribes) await put("four", "while nobody listened")
      const later = openFirehose(server(), cursor)
      for (const [at, { did }] of people.entries()) {
        await later.received(did, 1)
        assert.deepStrictEqual(later.of(did).map(line), scribes[at]!.lines.slice(away[at]))
      }
      await later.stop()
      assert.deepStrictEqual([...consumer.errors, ...later.errors], [])
    })

    it("a sign-up emits identity, account, first commit and sync", async () => {
      const relay = await openRelay(server())
      const { did, handle } = await signUp(server(), "newcomer")
      await relay.wait("four events", () => relay.of(did).length >= 4)
      const [identity, account, commit, sync] = relay.of(did)
      assert.deepStrictEqual(
        relay.of(did).map(({ type }) => type),
        ["#identity", "#account", "#commit", "#sync"]
      )
      assert.strictEqual(identity!.body.handle, handle)
      assert.strictEqual(account!.body.active, true)
      assert.isNull(commit!.body.since)
      assert.deepStrictEqual(commit!.body.ops, [])
      assert.strictEqual(sync!.body.rev, commit!.body.rev)
      await relay.close()
    })

    it("a strict relay follows several writers, frame by frame, through a crash", async () => {
      const relay = await openRelay(server())
      const people = [await signUp(server(), "busy"), await signUp(server(), "busier")]
      const start = (offset: number) =>
        [0, 1, 0, 1].map((at, writer) => ({
          person: people[at]!,
          writer: startWriter(people[at]!, offset + writer)
        }))
      const follow = async () => {
        for (const person of people) {
          const repo = await exported(server(), person)
          await relay.reached(person.did, repo.rev)
          assert.deepStrictEqual(relay.mirrors.get(person.did)?.records, repo.records)
        }
      }
      const first = start(10)
      await until("some writes", () => first.every(({ writer }) => writer.steps() >= 15))
      for (const { writer } of first) await writer.stop()
      await follow()

      const second = start(20)
      await until("some writes", () => second.every(({ writer }) => writer.steps() >= 5))
      const abandoned = second.map(({ writer }) => writer.abandon())
      await server().crash()
      await Promise.all(abandoned)
      await relay.resume()
      for (const person of people) await answers(person)
      await follow()
      for (const { person, writer } of first) {
        const { records } = relay.mirrors.get(person.did)!
        for (const [path, cid] of writer.acknowledged) assert.strictEqual(records.get(path), cid)
      }
      await relay.close()
    })

    it("deactivation and activation emit #account, and nothing is served in between", async () => {
      const relay = await openRelay(server())
      const person = await signUp(server(), "resting")
      const { agent, did } = person
      await agent.post(post("before"))
      await relay.reached(did)
      const before = relay.of(did).length
      const since = () => relay.of(did).slice(before)

      await agent.com.atproto.server.deactivateAccount({})
      await relay.wait("the deactivation", () => since().length >= 1)
      assert.include(since()[0]!.body, { active: false, status: "deactivated" })
      const { data } = await agent.com.atproto.sync.getRepoStatus({ did })
      assert.deepStrictEqual(data, { did, active: false, status: "deactivated" })
      const served = await fetch(`${server().url}/xrpc/com.atproto.sync.getRepo?did=${did}`)
      assert.strictEqual(((await served.json()) as { error: string }).error, "RepoDeactivated")
      let refused = false
      await agent.post(post("not now")).catch(() => (refused = true))
      assert.isTrue(refused)

      await agent.com.atproto.server.activateAccount()
      await agent.post(post("after"))
      await relay.reached(did)
      assert.deepStrictEqual(
        since().map(({ type }) => type),
        ["#account", "#account", "#identity", "#sync", "#commit"]
      )
      assert.isTrue(since()[1]!.body.active)
      await relay.close()
    })

    it("the stream carries a record of almost a million bytes, and 200 writes in one commit", async () => {
      const relay = await openRelay(server())
      const person = await signUp(server(), "heavy")
      const { agent, did } = person
      const record = { $type: "com.example.large", text: "x".repeat(999_900) }
      const large = await agent.com.atproto.repo.createRecord({
        repo: did,
        collection: record.$type,
        record
      })
      const many = await agent.com.atproto.repo.applyWrites({
        repo: did,
        writes: Array.from({ length: 200 }, (_, at) => ({
          $type: "com.atproto.repo.applyWrites#create" as const,
          collection,
          value: post(`${at} ${"y".repeat(250)}`)
        }))
      })
      await relay.reached(did, many.data.commit!.rev)
      const [first, second] = relay.of(did).slice(-2)
      assert.strictEqual(first!.body.rev, large.data.commit!.rev)
      assert.isAbove(first!.size, 999_900)
      assert.strictEqual(second!.body.ops.length, 200)
      assert.deepStrictEqual(
        relay.mirrors.get(did)?.records,
        (await exported(server(), person)).records
      )
      await relay.close()

      // From the log as well, where such an event takes several rows.
      const before = first!.body.seq - 1
      const replay = await openStream(server().url, `?cursor=${before}`)
      await until("the replay", () => replay.frames.length >= 2)
      assert.deepStrictEqual(replay.frames.slice(0, 2), [first, second])
      replay.close()
      const consumer = openFirehose(server(), before)
      await consumer.received(did, 201)
      assert.deepStrictEqual(consumer.errors, [])
      await consumer.stop()
    })

    it("the stream follows the rules for cursors", async () => {
      const person = await signUp(server(), "counter")
      const { agent, did } = person
      await agent.post(post("counted"))
      const all = await openStream(server().url, "?cursor=0")
      const revs = () => all.frames.filter(({ body }) => body.repo === did).length
      await until("the post", () => revs() === 2)
      const seqs = all.frames.map(({ body }) => body.seq)
      assert.notInclude(
        all.frames.map(({ type }) => type),
        "#info"
      )

      const middle = seqs[Math.floor(seqs.length / 2)]!
      const rest = await openStream(server().url, `?cursor=${middle}`)
      const expected = seqs.filter((seq) => seq > middle)
      await until("the rest", () => rest.frames.length >= expected.length)
      assert.deepStrictEqual(
        rest.frames.map(({ body }) => body.seq),
        expected
      )

      const future = await openStream(server().url, `?cursor=${seqs.at(-1)! + 3_600_000_000}`)
      await until("the close", () => future.code() !== undefined)
      assert.strictEqual(future.code(), 1008)
      assert.deepStrictEqual(
        future.frames.map(({ op, body }) => [op, body.error]),
        [[-1, "FutureCursor"]]
      )

      const live = await openStream(server().url, "")
      const { commit } = (
        await agent.com.atproto.repo.createRecord({ repo: did, collection, record: post("live") })
      ).data
      await until("the live event", () => live.frames.length > 0)
      assert.strictEqual(live.frames[0]!.body.rev, commit!.rev)
      for (const stream of [all, rest, live]) stream.close()
    })

    it("the server rejects requests that are not subscriptions", async () => {
      const path = `${server().url}/xrpc/com.atproto.sync.subscribeRepos`
      assert.strictEqual((await fetch(path)).status, 426)
      assert.strictEqual((await fetch(path, { method: "POST" })).status, 405)
      const wrong = await openStream(server().url, "?cursor=abc").catch((cause) => String(cause))
      assert.include(wrong, "400")
    })
  })
}
