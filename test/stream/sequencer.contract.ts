import { budget } from "../../src/layers/stream/repos.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { accountFrame, decodeFrame, identityFrame, syncFrame } from "../../src/core/repo/frame.ts"
import type {
  InactiveStatus,
  OutboxEvent,
  Reader,
  Sequencer
} from "../../src/services/stream/Sequencer.ts"

type Service = Sequencer["Service"]

/** A frame as a consumer decodes it. */
export interface Seen {
  readonly t: string | undefined
  readonly seq: number
  readonly did: string
  readonly body: Record<string, unknown>
  readonly size: number
}

/** One connection of subscribeRepos in a test. */
export interface Listener {
  readonly seen: ReadonlyArray<Seen>
  /** Resolves after this many frames. */
  until(count: number): Promise<ReadonlyArray<Seen>>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
  say(text: string): void
  close(): void
}

/** Collects frames and lets a test wait for them. */
export const collector = () => {
  const seen: Array<Seen> = []
  const waiting = new Set<() => void>()
  return {
    seen,
    add: (bytes: Uint8Array) => {
      // SAFETY: both halves of a frame are maps.
      const frame = decodeFrame(bytes) as unknown as Record<
        "header" | "body",
        Record<string, unknown>
      >
      const { header, body } = frame
      seen.push({
        t: header["t"] as string | undefined,
        seq: Number(body["seq"]),
        did: String(body["did"]),
        body,
        size: bytes.byteLength
      })
      for (const check of waiting) check()
    },
    until: (count: number) =>
      new Promise<ReadonlyArray<Seen>>((resolve) => {
        const check = () => {
          if (seen.length < count) return
          waiting.delete(check)
          resolve(seen)
        }
        waiting.add(check)
        check()
      })
  }
}

/** What a layer provides for its test. */
export interface Harness {
  readonly sequencer: Service
  subscribe(cursor?: number | string): Promise<Listener>
  /** Runs a statement on the log's database, bypassing the log. */
  sql(statement: string): Promise<void>
}

const time = "2026-11-20T00:00:00.000Z"

/** Events of one account with ascending ids. */
export const events = (did: string, firstId = 1) => {
  let id = firstId
  const event = (
    kind: OutboxEvent["kind"],
    pending: { bytes: Uint8Array; seqOffset: number },
    more: Partial<OutboxEvent> = {}
  ): OutboxEvent => ({
    id: id++,
    kind,
    frame: pending.bytes,
    seqOffset: pending.seqOffset,
    ...more
  })
  return {
    identity: () => event("identity", identityFrame({ did, handle: "a.test", time })),
    /** An event that moves the head; its frame holds this many bytes. */
    head: (rev: string, bytes = 10, collections?: OutboxEvent["collections"]) =>
      event("sync", syncFrame({ did, rev, blocks: new Uint8Array(bytes).fill(7), time }), {
        head: { commit: `commit-${rev}`, rev },
        ...(collections && { collections })
      }),
    account: (active: boolean, status?: InactiveStatus) =>
      event("account", accountFrame({ did, active, status, time }), {
        account: status === undefined ? { active } : { active, status }
      })
  }
}

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)
const seqs = (seen: ReadonlyArray<Seen>) => seen.map(({ seq }) => seq)
const none = { added: [], removed: [] }

/** What every Sequencer guarantees; `withSequencer` runs the body on an empty log. */
export const sequencerContract = (
  name: string,
  withSequencer: (body: (harness: Harness) => Promise<void>) => Promise<void>
) => {
  const check = (title: string, body: (harness: Harness) => Promise<void>) =>
    it(title, () => withSequencer(body))

  describe(`Sequencer over ${name}: numbers`, () => {
    check(
      "sequence numbers start at the time in microseconds and increase",
      async ({ sequencer }) => {
        const before = Date.now() * 1000
        const a = events("did:example:a")
        await run(sequencer.append("did:example:a", [a.identity()]))
        const first = (await run(sequencer.status)).seq
        assert.isAtLeast(first, before)
        await run(sequencer.append("did:example:a", [a.identity(), a.identity()]))
        const status = await run(sequencer.status)
        assert.isAbove(status.seq, first + 1)
        assert.strictEqual(status.oldest, first)
        assert.strictEqual(status.events, 3)
      }
    )

    check("append takes each outbox id once and returns the highest", async ({ sequencer }) => {
      const a = events("did:example:a", 100)
      const [one, two, three] = [a.identity(), a.identity(), a.identity()]
      assert.strictEqual(await run(sequencer.append("did:example:a", [one, two])), 101)
      assert.strictEqual(await run(sequencer.append("did:example:a", [one, two])), 101)
      assert.strictEqual(await run(sequencer.append("did:example:a", [two, three])), 102)
      assert.strictEqual(await run(sequencer.append("did:example:a", [])), 102)
      assert.strictEqual((await run(sequencer.status)).events, 3)
      // Each account has its own ids.
      await run(sequencer.append("did:example:b", [events("did:example:b", 1).identity()]))
      assert.strictEqual((await run(sequencer.status)).events, 4)
    })

    check(
      "calls of many accounts at once are each answered, and a replay repeats what was sent",
      async ({ sequencer, subscribe }) => {
        const live = await subscribe()
        const dids = Array.from({ length: 20 }, (_, nth) => `did:example:${nth}`)
        const call = async (did: string) => {
          const one = events(did)
          const answers: Array<number> = []
          for (let count = 0; count < 3; count++) {
            answers.push(await run(sequencer.append(did, [one.identity()])))
          }
          return answers
        }
        const broken = { ...events("did:example:broken").identity(), seqOffset: -1 }
        const [answers, failed] = await Promise.all([
          Promise.all(dids.map(call)),
          Effect.runPromiseExit(sequencer.append("did:example:broken", [broken]))
        ])
        for (const answer of answers) assert.deepStrictEqual(answer, [1, 2, 3])
        assert.strictEqual(failed._tag, "Failure")
        const sent = await live.until(60)
        assert.lengthOf(sent, 60)
        assert.deepStrictEqual(
          seqs(sent),
          seqs(sent).toSorted((one, other) => one - other)
        )
        const replayed = await (await subscribe(0)).until(60)
        assert.deepStrictEqual(replayed, sent)
      }
    )

    check("append takes a whole batch or none of it", async ({ sequencer }) => {
      const a = events("did:example:a")
      const [good, other] = [a.head("3aaa"), a.identity()]
      const broken = { ...other, seqOffset: 1 }
      const failed = await Effect.runPromiseExit(sequencer.append("did:example:a", [good, broken]))
      assert.strictEqual(failed._tag, "Failure")
      assert.strictEqual((await run(sequencer.status)).events, 0)
      assert.deepStrictEqual((await run(sequencer.listRepos({ limit: 10 }))).repos, [])
      assert.strictEqual(await run(sequencer.append("did:example:a", [good, other])), other.id)
      assert.strictEqual((await run(sequencer.status)).events, 2)
    })
  })

  describe(`Sequencer over ${name}: subscribers`, () => {
    check("a stream without a cursor is live", async ({ sequencer, subscribe }) => {
      const a = events("did:example:a")
      await run(sequencer.append("did:example:a", [a.identity()]))
      const listener = await subscribe()
      await run(sequencer.append("did:example:a", [a.account(true), a.head("3aaa")]))
      const seen = await listener.until(2)
      assert.deepStrictEqual(
        seen.map(({ t, did }) => [t, did]),
        [
          ["#account", "did:example:a"],
          ["#sync", "did:example:a"]
        ]
      )
      assert.strictEqual(seen[1]?.seq, (await run(sequencer.status)).seq)
      listener.close()
    })

    check(
      "a cursor starts after the event that it names, 0 and -1 at the oldest",
      async (harness) => {
        const { sequencer, subscribe } = harness
        const a = events("did:example:a")
        await run(sequencer.append("did:example:a", [a.identity(), a.identity(), a.identity()]))
        const all = seqs(await (await subscribe(0)).until(3))
        assert.deepStrictEqual(seqs(await (await subscribe(-1)).until(3)), all)
        const later = await subscribe(all[0])
        await later.until(2)
        const atHead = await subscribe(all[2])
        await run(sequencer.append("did:example:a", [a.identity()]))
        const newest = (await run(sequencer.status)).seq
        assert.deepStrictEqual(seqs(await later.until(3)), [all[1], all[2], newest])
        assert.deepStrictEqual(seqs(await atHead.until(1)), [newest])
      }
    )

    check("an empty cursor counts as missing, and the stream is live", async (harness) => {
      const { sequencer, subscribe } = harness
      const a = events("did:example:a")
      await run(sequencer.append("did:example:a", [a.identity()]))
      const listener = await subscribe("")
      await run(sequencer.append("did:example:a", [a.head("3aaa")]))
      assert.strictEqual((await listener.until(1))[0]?.t, "#sync")
      listener.close()
    })

    check("a cursor ahead of the log gets FutureCursor and is closed", async (harness) => {
      const { sequencer, subscribe } = harness
      await run(sequencer.append("did:example:a", [events("did:example:a").identity()]))
      const listener = await subscribe((await run(sequencer.status)).seq + 1)
      const [frame] = await listener.until(1)
      assert.strictEqual(frame?.t, undefined)
      assert.deepStrictEqual(frame?.body, {
        error: "FutureCursor",
        message: "Cursor in the future."
      })
      assert.strictEqual(await listener.closed, 1008)
    })

    check("no cursor is ahead of a log that never held an event", async (harness) => {
      const listener = await harness.subscribe(1_700_000_000_000_000)
      await run(harness.sequencer.append("did:example:a", [events("did:example:a").identity()]))
      assert.strictEqual((await listener.until(1))[0]?.t, "#identity")
    })

    check(
      "a replay reaches the head and goes live, without gap or repeat, while events arrive",
      async (harness) => {
        const { sequencer, subscribe } = harness
        const a = events("did:example:a")
        const batch = (size: number) =>
          Array.from({ length: size }, (_, at) => a.head(`3${at}`, 2000))
        for (let at = 0; at < 12; at++) await run(sequencer.append("did:example:a", batch(200)))
        const listeners = await Promise.all([subscribe(0), subscribe(0), subscribe(0)])
        for (let at = 0; at < 40; at++) await run(sequencer.append("did:example:a", batch(10)))
        const reference = seqs(await (await subscribe(0)).until(2800))
        assert.strictEqual(new Set(reference).size, 2800)
        for (const listener of listeners) {
          assert.deepStrictEqual(seqs(await listener.until(2800)), reference)
        }
        await run(sequencer.append("did:example:a", batch(1)))
        for (const listener of listeners) {
          const seen = await listener.until(2801)
          assert.strictEqual(seen[2800]?.seq, (await run(sequencer.status)).seq)
          listener.close()
        }
      }
    )

    check("a frame of several megabytes arrives complete, live and replayed", async (harness) => {
      const { sequencer, subscribe } = harness
      const a = events("did:example:a")
      const live = await subscribe()
      for (const size of [1_000_000 - 100, 1_000_000, 3_500_000]) {
        await run(sequencer.append("did:example:a", [a.head("3aaa", size)]))
      }
      // A frame that fills its first part to the last byte.
      const overhead = a.head("3aaa", 900_000).frame.byteLength - 900_000
      await run(sequencer.append("did:example:a", [a.head("3aaa", 1_000_000 - overhead)]))
      const seen = await live.until(4)
      const replayed = await (await subscribe(0)).until(4)
      assert.deepStrictEqual(replayed, seen)
      assert.strictEqual(seen[3]?.size, 1_000_000)
      const blocks = replayed[2]?.body["blocks"]
      assert.instanceOf(blocks, Uint8Array)
      assert.isTrue(blocks.length === 3_500_000 && blocks.every((byte) => byte === 7))
    })

    check("the stream ignores messages from the client", async ({ sequencer, subscribe }) => {
      const listener = await subscribe()
      listener.say("hello")
      await run(sequencer.append("did:example:a", [events("did:example:a").identity()]))
      assert.strictEqual((await listener.until(1))[0]?.t, "#identity")
    })

    check(
      "subscribe rejects other methods, requests without an upgrade, and a cursor that is not a number",
      async (harness) => {
        const ask = (init: RequestInit, query = "") =>
          run(
            harness.sequencer.subscribe(
              new Request(`http://pds.test/xrpc/com.atproto.sync.subscribeRepos${query}`, init)
            )
          )
        assert.strictEqual((await ask({ method: "POST" })).status, 405)
        assert.strictEqual((await ask({})).status, 426)
        for (const cursor of ["abc", "1.5", "9007199254740993", "0x10"]) {
          const response = await ask({ headers: { upgrade: "websocket" } }, `?cursor=${cursor}`)
          assert.strictEqual(response.status, 400)
          assert.propertyVal(await response.json(), "error", "InvalidRequest")
        }
      }
    )

    check(
      "subscribers lists readers with their connection time and position",
      async ({ sequencer, subscribe }) => {
        const before = Date.now()
        await run(sequencer.append("did:example:a", [events("did:example:a").identity()]))
        const listener = await subscribe(0)
        await listener.until(1)
        assert.strictEqual((await run(sequencer.status)).subscribers, 1)
        const { seq, readers } = await run(sequencer.subscribers([]))
        assert.lengthOf(readers, 1)
        const [{ id, since, seen, ...reader }] = readers as [Reader]
        assert.isString(id)
        assert.deepStrictEqual(reader, {
          userAgent: "contract",
          network: "127.0.0.0/24",
          cursor: 0,
          connected: true,
          seq,
          behind: 0
        })
        assert.isTrue(before <= since && since <= seen && seen <= Date.now())
        listener.close()
      }
    )

    check("disconnect closes the connection with an id", async ({ sequencer, subscribe }) => {
      const listener = await subscribe()
      const [reader] = (await run(sequencer.subscribers([]))).readers
      assert.isFalse(await run(sequencer.disconnect("no reader's id")))
      assert.isTrue(await run(sequencer.disconnect(reader?.id ?? "")))
      await listener.closed
      assert.isFalse(await run(sequencer.disconnect(reader?.id ?? "")))
    })

    check(
      "the log's object keeps a note of the host until it is removed",
      async ({ sequencer }) => {
        assert.isUndefined(await run(sequencer.note("database outage")))
        await run(sequencer.setNote("database outage", "one"))
        await run(sequencer.setNote("database outage", "two"))
        assert.strictEqual(await run(sequencer.note("database outage")), "two")
        await run(sequencer.setNote("database outage", undefined))
        assert.isUndefined(await run(sequencer.note("database outage")))
      }
    )

    check("askRelay asks no relay that isn't configured", async ({ sequencer }) => {
      assert.isUndefined(await run(sequencer.askRelay("https://relay.example")))
    })

    check(
      "subscribers lists how far a past reader was, and what is unread since",
      async (harness) => {
        const { sequencer, subscribe } = harness
        const a = events("did:example:a")
        await run(sequencer.append("did:example:a", [a.identity()]))
        const listener = await subscribe()
        const [first] = (await run(sequencer.subscribers([]))).readers
        listener.close()
        await listener.closed
        const gone = async () => {
          const { readers } = await run(sequencer.subscribers([]))
          return readers[0]?.connected === false ? readers[0] : undefined
        }
        while ((await gone()) === undefined) await new Promise((resolve) => setTimeout(resolve, 5))
        assert.deepInclude(await gone(), { userAgent: "contract", behind: 0 })
        const { seq } = await run(sequencer.status)
        await run(sequencer.append("did:example:a", [a.identity(), a.identity()]))
        const { readers, places } = await run(sequencer.subscribers([seq, seq + 10_000_000, 0]))
        assert.lengthOf(readers, 1)
        assert.deepInclude(readers[0], { since: first?.since ?? 0, seq, behind: 2 })
        const { waiting } = readers[0] as Reader
        if (waiting === undefined) return assert.fail("nothing waits")
        assert.isBelow(Math.abs(waiting - Date.now()), 60_000)
        assert.deepStrictEqual(places.slice(0, 2), [{ behind: 2, waiting }, { behind: 0 }])
        assert.strictEqual(places[2]?.behind, 3)
        // A reader who reconnects is listed once.
        const again = await subscribe(seq)
        await again.until(2)
        const now = (await run(sequencer.subscribers([]))).readers
        assert.lengthOf(now, 1)
        assert.deepInclude(now[0], { connected: true, cursor: seq, behind: 0 })
        again.close()
      }
    )
  })

  describe(`Sequencer over ${name}: damage`, () => {
    const damages = {
      "whose bytes are cut": "UPDATE event SET frame = substr(frame, 1, 40) WHERE nth = 3",
      "whose bytes are another's":
        "UPDATE event SET frame = (SELECT frame FROM event WHERE nth = 2) WHERE nth = 3",
      "a part of which is missing": "DELETE FROM event_part WHERE part = 2"
    }
    for (const [title, statement] of Object.entries(damages)) {
      check(`an event ${title} ends only the streams that need it`, async (harness) => {
        const { sequencer, subscribe, sql } = harness
        const a = events("did:example:a")
        await run(sequencer.append("did:example:a", [a.identity(), a.identity()]))
        await run(sequencer.append("did:example:a", [a.head("3aaa", 3_500_000), a.identity()]))
        const whole = await (await subscribe(0)).until(4)
        const live = await subscribe()
        await sql(statement)
        const replay = await subscribe(0)
        assert.strictEqual(await replay.closed, 1011)
        assert.deepStrictEqual(replay.seen.slice(0, 2), whole.slice(0, 2))
        assert.lengthOf(replay.seen, 3)
        assert.strictEqual(replay.seen[2]?.body["error"], "InternalServerError")
        const after = await subscribe(whole[2]?.seq)
        await run(sequencer.append("did:example:a", [a.account(true)]))
        assert.deepStrictEqual(
          (await after.until(2)).map(({ t }) => t),
          ["#identity", "#account"]
        )
        assert.strictEqual((await live.until(1))[0]?.t, "#account")
      })
    }
  })

  describe(`Sequencer over ${name}: repos`, () => {
    check("listRepos returns each repo once while the host grows", async ({ sequencer }) => {
      const grow = (name: string) => {
        const did = `did:example:${name}`
        return run(sequencer.append(did, [events(did).head(`3${name}`)]))
      }
      for (const name of ["m", "z", "a", "k", "b"]) await grow(name)
      for (const limit of [1, 2, 3, 5, 100]) {
        const names: Array<string> = []
        let cursor: string | undefined
        do {
          const page = await run(sequencer.listRepos(cursor ? { cursor, limit } : { limit }))
          assert.isAtMost(page.repos.length, limit)
          names.push(...page.repos.map(({ did }) => did.slice(-1)))
          cursor = page.cursor
        } while (cursor !== undefined)
        assert.deepStrictEqual(names.slice(0, 5), ["m", "z", "a", "k", "b"])
        assert.strictEqual(new Set(names).size, names.length)
      }
      const first = await run(sequencer.listRepos({ limit: 3 }))
      await grow("0")
      const rest = await run(sequencer.listRepos({ cursor: first.cursor ?? "", limit: 10 }))
      assert.deepStrictEqual(
        rest.repos.map(({ did }) => did.slice(-1)),
        ["k", "b", "0"]
      )
      assert.deepStrictEqual(await run(sequencer.listRepos({ cursor: "junk", limit: 3 })), {
        repos: []
      })
    })

    check("listRepos returns a repo's head and status", async ({ sequencer }) => {
      const did = "did:example:a"
      const a = events(did)
      const only = async () => (await run(sequencer.listRepos({ limit: 10 }))).repos
      await run(sequencer.append(did, [a.identity(), a.account(true)]))
      assert.deepStrictEqual(await only(), [])
      await run(sequencer.append(did, [a.head("3aaa"), a.head("3bbb")]))
      const head = { did, head: "commit-3bbb", rev: "3bbb" }
      assert.deepStrictEqual(await only(), [{ ...head, active: true }])
      for (const status of ["deactivated", "takendown", "suspended"] as const) {
        await run(sequencer.append(did, [a.account(false, status)]))
        assert.deepStrictEqual(await only(), [{ ...head, active: false, status }])
      }
      await run(sequencer.append(did, [a.account(true)]))
      assert.deepStrictEqual(await only(), [{ ...head, active: true }])
    })

    check(
      "an event with a complete list of collections removes all others",
      async ({ sequencer }) => {
        const [did, other] = ["did:example:moved", "did:example:other"] as const
        const [make, ofOther] = [events(did), events(other)]
        const before = { added: ["app.whole.like", "app.whole.post"], removed: [] }
        await run(sequencer.append(other, [ofOther.head("3a", 9, before)]))
        await run(sequencer.append(did, [make.head("3a", 9, before)]))
        const whole = { added: ["app.whole.post", "app.whole.note"], removed: [], whole: true }
        await run(sequencer.append(did, [make.head("3b", 9, whole)]))
        const holders = async (collection: string) =>
          (await run(sequencer.listReposByCollection({ collection, limit: 10 }))).dids
        assert.deepStrictEqual(await holders("app.whole.like"), [other])
        assert.deepStrictEqual(await holders("app.whole.post"), [did, other])
        assert.deepStrictEqual(await holders("app.whole.note"), [did])
      }
    )

    check(
      "a repo has at most a thousand listed collections, and others have room",
      async ({ sequencer }) => {
        const [many, few] = ["did:example:many", "did:example:few"] as const
        const names = Array.from({ length: budget.collections + 1 }, (_, at) => `app.many.c${at}`)
        const last = names.at(-1)!
        const makers = { [many]: events(many), [few]: events(few) }
        const append = (
          did: typeof many | typeof few,
          rev: string,
          added: ReadonlyArray<string>,
          removed: Array<string> = []
        ) => run(sequencer.append(did, [makers[did].head(rev, 9, { added, removed })]))
        const holders = async (collection: string) =>
          (await run(sequencer.listReposByCollection({ collection, limit: 10 }))).dids
        await append(many, "3a", names)
        await append(few, "3a", [last])
        assert.deepStrictEqual(await holders(last), [few])
        assert.deepStrictEqual(await holders(names[0]!), [many])
        await append(many, "3b", [last], [names[0]!])
        assert.deepStrictEqual(await holders(last), [few, many])
      }
    )

    check(
      "listReposByCollection returns the active repos with a collection",
      async ({ sequencer }) => {
        const dids = ["c", "a", "b", "d"].map((name) => `did:example:${name}`)
        const likes = { added: ["app.like"], removed: [] }
        const makers = dids.map((did) => [did, events(did)] as const)
        for (const [did, make] of makers)
          await run(sequencer.append(did, [make.head("3a", 9, likes)]))
        const list = (cursor?: string) =>
          run(
            sequencer.listReposByCollection({
              collection: "app.like",
              limit: 2,
              ...(cursor && { cursor })
            })
          )
        const page = await list()
        assert.deepStrictEqual(page, {
          dids: ["did:example:a", "did:example:b"],
          cursor: "did:example:b"
        })
        const [, [b, ofB] = []] = makers.filter(([did]) => did.endsWith("a") || did.endsWith("b"))
        const gone = { added: ["app.post"], removed: ["app.like"] }
        if (b && ofB) await run(sequencer.append(b, [ofB.head("3b", 9, gone)]))
        const [[c, ofC] = []] = makers
        if (c && ofC) await run(sequencer.append(c, [ofC.account(false, "deactivated")]))
        assert.deepStrictEqual((await list()).dids, ["did:example:a", "did:example:d"])
        const posts = { collection: "app.post", limit: 10 }
        assert.deepStrictEqual(await run(sequencer.listReposByCollection(posts)), {
          dids: ["did:example:b"]
        })
      }
    )

    check("the log keeps only the deletion of a deleted account", async (harness) => {
      const { sequencer, subscribe } = harness
      const [gone, stays] = ["did:example:gone", "did:example:stays"]
      const g = events(gone, 50)
      const posts = { added: ["app.post"], removed: [] }
      const first = g.head("3aaa", 2_500_000, posts)
      await run(sequencer.append(gone, [first, g.identity()]))
      await run(sequencer.append(stays, [events(stays).head("3s", 9, posts)]))
      const live = await subscribe()
      await run(sequencer.append(gone, [g.identity(), g.account(false, "deleted")]))
      const [last] = await live.until(1)
      assert.deepInclude(last?.body, { did: gone, active: false, status: "deleted" })

      const seen = await (await subscribe(0)).until(2)
      assert.deepStrictEqual(
        seen.map(({ t, did }) => [t, did]),
        [
          ["#sync", stays],
          ["#account", gone]
        ]
      )
      const listed = (await run(sequencer.listRepos({ limit: 10 }))).repos
      assert.deepStrictEqual(
        listed.map(({ did }) => did),
        [stays]
      )
      const holders = { collection: "app.post", limit: 10 }
      assert.deepStrictEqual((await run(sequencer.listReposByCollection(holders))).dids, [stays])

      // Ids taken before the deletion stay taken.
      assert.strictEqual(await run(sequencer.append(gone, [first])), 53)
      assert.strictEqual((await run(sequencer.status)).seq, seen[1]?.seq)
      // The DID may come back.
      await run(sequencer.append(gone, [g.account(true), g.head("3bbb", 9, none)]))
      assert.strictEqual((await run(sequencer.listRepos({ limit: 10 }))).repos.length, 2)
    })
  })
}
