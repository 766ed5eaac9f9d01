import { assert, describe, it, vi } from "@effect/vitest"
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test"
import { billed } from "../../src/services/host/SqlStorage.ts"
import { delivered, newPerson, objectOf, sequencerObject } from "../host/workerdWorld.ts"

const hour = 3_600_000

const rowsOf = async (body: () => Promise<unknown>): Promise<number> => {
  const before = billed.rows
  await body()
  return billed.rows - before
}

/** Runs the log's alarm when all its events are old. */
const pruneAll = async () => {
  vi.setSystemTime(Date.now() + 80 * hour)
  try {
    // The object reads the clock when it wakes.
    await evictDurableObject(sequencerObject())
    assert.isTrue(await runDurableObjectAlarm(sequencerObject()))
    assert.strictEqual((await sequencerObject().status()).events, 0)
  } finally {
    vi.useRealTimers()
    await evictDurableObject(sequencerObject())
  }
}

describe("the rows that a post bills", () => {
  it("a post in a repo of 2,000 bills at most twelve rows: all objects, their alarms, and its event's removal", async () => {
    // Removes what other tests left in the log, whose counts include events of deleted accounts.
    if ((await sequencerObject().status()).events > 0) await pruneAll()
    const { applyWrites, createRecord, did } = await newPerson()
    const filling = await rowsOf(async () => {
      for (let batch = 0; batch < 10; batch++) await applyWrites(200)
      await delivered(did)
    })
    assert.isAtMost(filling / 2000, 1.1)

    // In the account's object: the record, three clusters of the tree from the root down, the head,
    // the event in the outbox, its removal from there, and the alarm. In the Sequencer: the event
    // and the repo's head.
    const posts = 40
    const written = await rowsOf(async () => {
      for (let n = 0; n < posts; n++) {
        await createRecord(`post ${n}`)
        await delivered(did)
        // The most expensive case: each post sets the alarm, because it fires before the next post.
        assert.isTrue(await runDurableObjectAlarm(objectOf(did)))
      }
    })

    // Three days later: the event's removal, and one shared row for the log's position.
    const { events } = await sequencerObject().status()
    const pruned = await rowsOf(pruneAll)
    assert.isAtLeast(pruned, events)

    const perPost = written / posts + pruned / events
    assert.isAtMost(perPost, 12)
    // A lower count would mean that some of these rows were missed.
    assert.isAtLeast(perPost, 9)
  })
})
