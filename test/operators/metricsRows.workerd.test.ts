import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { failures } from "../../src/http/errors.ts"
import * as Cloudflare from "../../src/layers/Cloudflare.ts"
import { tables } from "../../src/layers/accounts/DirectoryD1.ts"
import { Alerts } from "../../src/services/operators/Alerts.ts"
import { countHourly } from "../../src/services/operators/HostCounts.ts"
import { readMetrics } from "../../src/services/operators/metrics.ts"
import { Counters } from "../../src/services/operators/Counters.ts"
import { identityFrame } from "../../src/core/repo/frame.ts"
import { SequencerCore } from "../../src/layers/stream/SequencerCore.ts"
import * as SqlStorageDurable from "../../src/layers/host/sql/SqlStorageDurable.ts"
import { runInDurableObject } from "cloudflare:test"
import { bindings, DIRECTORY, SEQUENCER } from "../host/workerdWorld.ts"

/** The database, adding up the rows that its queries read. */
const readsOf = (read: { rows: number }): D1Database => {
  const statement = (inner: D1PreparedStatement): D1PreparedStatement =>
    // SAFETY: the SQL client calls these methods only.
    ({
      bind: (...values: Array<unknown>) => statement(inner.bind(...values)),
      all: async () => {
        const result = await inner.all()
        read.rows += result.meta.rows_read
        return result
      }
    }) as unknown as D1PreparedStatement
  // SAFETY: as above.
  return { prepare: (query: string) => statement(DIRECTORY.prepare(query)) } as D1Database
}

const accounts = 300

describe("the rows of a scrape", () => {
  it("a scrape reads at most 50 rows of the event log, with 500 events", async () => {
    const stub = SEQUENCER.get(SEQUENCER.idFromName("scraped"))
    const read = await runInDurableObject(stub, (_, state) => {
      const own = SqlStorageDurable.make(state.storage)
      const cursors: Array<{ readonly rowsRead?: number }> = []
      const sql: typeof own = {
        ...own,
        exec: (query, ...values) => {
          const cursor = own.exec<never>(query, ...values)
          // SAFETY: it is the platform's cursor.
          cursors.push(cursor as unknown as { readonly rowsRead?: number })
          return cursor
        }
      }
      // SAFETY: a core without connections uses no more of its shell.
      const core = new SequencerCore(sql, {
        now: () => Date.now(),
        connected: () => [],
        isHere: () => false,
        keptFor: 72 * 3_600_000
      } as unknown as ConstructorParameters<typeof SequencerCore>[1])
      const did = "did:plc:scraped"
      const frame = identityFrame({ did, time: "2026-01-01T00:00:00.000Z" })
      for (let at = 0; at < 500; at += 100) {
        const events = Array.from({ length: 100 }, (_one, nth) => ({
          id: at + nth + 1,
          kind: "identity" as const,
          frame: frame.bytes,
          seqOffset: frame.seqOffset
        }))
        core.log.append(did, events)
      }
      cursors.length = 0
      const { bytes, events } = core.status()
      const { readers } = core.subscribers([])
      assert.strictEqual(events, 500)
      assert.isAbove(bytes ?? 0, 500 * 20)
      assert.isEmpty(readers)
      return cursors.reduce((sum, { rowsRead = 0 }) => sum + rowsRead, 0)
    })
    assert.isAbove(read, 0)
    assert.isAtMost(read, 50)
  })

  it("a scrape reads at most 50 rows of the database, with 300 accounts", async () => {
    await DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(table)))
    const insert = DIRECTORY.prepare(
      "INSERT OR IGNORE INTO accounts (did, handle, status, created_at) VALUES (?, ?, 'active', 0)"
    )
    for (let at = 0; at < accounts; at += 50) {
      const rows = Array.from({ length: 50 }, (_, row) => `did:plc:scrape${at + row}`)
      await DIRECTORY.batch(rows.map((did) => insert.bind(did, did)))
    }
    const found = Array.from({ length: 100 }, (_, at) => ({
      kind: "foreign-operation" as const,
      subject: `did:plc:scrape${at}`,
      detail: "a test"
    }))
    await Effect.gen(function* () {
      yield* countHourly
      yield* (yield* Alerts).note({ found, looked: () => false }, 0)
      const counters = yield* Counters
      counters?.add("sign_in")
      yield* counters?.store ?? Effect.void
    }).pipe(Effect.provide(Cloudflare.host(bindings, failures)), Effect.runPromise)
    const read = { rows: 0 }
    const families = await Effect.runPromise(
      Effect.provide(
        readMetrics,
        Cloudflare.host({ ...bindings, DIRECTORY: readsOf(read) }, failures)
      )
    )
    const counted = families.find(({ name }) => name === "nacre_accounts")
    const size = families.find(({ name }) => name === "nacre_database_size_bytes")
    assert.isAbove(size?.samples[0]?.value ?? 0, 10_000)
    assert.isAtLeast(counted?.samples.find(({ value }) => value > 0)?.value ?? 0, accounts)
    assert.isAbove(read.rows, 0)
    assert.isAtMost(read.rows, 50)
  })

  it("a minute of requests is one row written, however many there were", async () => {
    const written: Array<number> = []
    // SAFETY: the SQL client calls these methods only.
    const counting = {
      prepare: (query: string) => DIRECTORY.prepare(query),
      batch: async (statements: Array<D1PreparedStatement>) => {
        const results = await DIRECTORY.batch(statements)
        written.push(results.reduce((sum, { meta }) => sum + meta.rows_written, 0))
        return results
      }
    } as unknown as D1Database
    await Effect.gen(function* () {
      const counters = (yield* Counters)!
      yield* counters.flush
      written.length = 0
      const hour = 500_000 * 3_600_000
      for (const statuses of [[200], [200, 404, 503, 302, 429], [200, 200]]) {
        for (const status of statuses) counters.addRequest(status, hour)
        yield* counters.flush
      }
      assert.deepStrictEqual(yield* counters.requests(500_000), [
        { hour: 500_000, ok: 5, refused: 2, failed: 1 }
      ])
    }).pipe(
      Effect.provide(Cloudflare.host({ ...bindings, DIRECTORY: counting }, failures)),
      Effect.runPromise
    )
    assert.deepStrictEqual(written, [1, 1, 1])
  })
})
