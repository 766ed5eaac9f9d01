import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runJobs } from "../../src/services/host/jobs.ts"
import { Counters } from "../../src/services/operators/Counters.ts"
import { sumStorage } from "../../src/services/operators/watch/storage.ts"
import { ask } from "../support/http/accountPages.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import { type Answered, basic, bearer, type Host } from "../support/http/httpHost.ts"
import { outcomeOf, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

const token = "a token of metrics"

let host: Host
beforeAll(async () => {
  host = await startWorld({ METRICS_TOKEN: token, MAILER: "captured" })
  await host.beneath(runJobs)
})
afterAll(() => host.close())

const world = () => host as World

const scrape = (auth: string | undefined = bearer(token)) => host.ask("/metrics", { auth })

const samplesOf = ({ text }: Answered): ReadonlyMap<string, number> =>
  new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const at = line.lastIndexOf(" ")
        return [line.slice(0, at), Number(line.slice(at + 1))]
      })
  )

describe("/metrics", () => {
  it("/metrics answers OpenMetrics text with at least 40 series", async () => {
    const answer = await scrape()
    assert.strictEqual(answer.status, 200)
    assert.match(
      answer.headers.get("content-type") ?? "",
      /^application\/openmetrics-text; version=1/
    )
    const lines = answer.text.split("\n")
    assert.deepStrictEqual(lines.slice(-2), ["# EOF", ""])
    const samples = samplesOf(answer)
    assert.isAtLeast(samples.size, 40)
    for (const [series, value] of samples) {
      assert.match(series, /^nacre_[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})?$/)
      assert.isFalse(Number.isNaN(value), series)
    }
    for (const line of lines.filter((text) => text.startsWith("# UNIT "))) {
      const [, , name, unit] = line.split(" ")
      assert.isTrue(name?.endsWith(`_${unit}`), line)
    }
    const families = lines.flatMap((line) => /^# TYPE (\S+) /.exec(line)?.[1] ?? [])
    assert.strictEqual(new Set(families).size, families.length)
  })

  it("/metrics counts accounts, events and subscribers", async () => {
    const samples = samplesOf(await scrape())
    assert.strictEqual(samples.get('nacre_up{dependency="d1"}'), 1)
    assert.isAtLeast(samples.get('nacre_accounts{status="active"}') ?? 0, 2)
    assert.isAtLeast(samples.get('nacre_accounts{status="takendown"}') ?? 0, 1)
    assert.isAbove(samples.get("nacre_stream_events") ?? 0, 0)
    assert.strictEqual(samples.get("nacre_stream_subscribers"), 0)
  })

  it("/metrics reports the sizes of the database, the event log and the accounts' blobs", async () => {
    const samples = samplesOf(await scrape())
    assert.isAbove(samples.get("nacre_database_size_bytes") ?? 0, 4096)
    assert.isAbove(samples.get("nacre_stream_size_bytes") ?? 0, 4096)
    const sizes = await Promise.all(
      [world().alice, world().bob, world().carol, world().dora].map(({ did }) =>
        ask(host, did, "size")
      )
    )
    const sum = (one: "used" | "records") => sizes.reduce((all, size) => all + size[one], 0)
    assert.isAbove(sum("used"), 0)
    assert.strictEqual(samples.get("nacre_blobs_bytes"), sum("used"))
    assert.strictEqual(samples.get("nacre_records"), sum("records"))
  })

  it("the sum of storage is computed again after six hours, and never in parts", async () => {
    const blobs = async () => samplesOf(await scrape()).get("nacre_blobs_bytes") ?? 0
    const before = await blobs()
    const made: Array<string> = []
    for (let at = 0; at < 20; at++) made.push((await signUp(host, `stored${at}`)).did)
    await host.beneath(runJobs)
    assert.strictEqual(await blobs(), before)
    host.advance(7 * 3_600_000)
    await host.beneath(sumStorage)
    // Twenty of the accounts are asked; the rest come with the next run.
    assert.strictEqual(await blobs(), before)
    await host.beneath(sumStorage)
    const added = await Promise.all(made.map((did) => ask(host, did, "size")))
    assert.strictEqual(
      await blobs(),
      added.reduce((all, { used }) => all + used, before)
    )
  })

  it("/metrics sums sign-ins, refusals and mails", async () => {
    const { handle, did, password } = (host as World).alice
    const signIn = (given: string) =>
      host.call("com.atproto.server.createSession", {
        input: { identifier: handle, password: given }
      })
    const sums = async () => {
      await host.beneath(Effect.flatMap(Counters, (counters) => Effect.orDie(counters!.store)))
      const samples = samplesOf(await scrape())
      return ["accepted", "refused"]
        .map((outcome) => samples.get(`nacre_sign_ins_total{outcome="${outcome}"}`) ?? 0)
        .concat(samples.get('nacre_mails_total{outcome="sent"}') ?? 0)
    }
    const [accepted = 0, refused = 0, sent = 0] = await sums()
    await host.call("com.atproto.admin.sendEmail", {
      auth: basic(),
      input: { recipientDid: did, content: "hello", senderDid: did }
    })
    assert.deepStrictEqual(await sums(), [accepted, refused, sent + 1])
    await signIn(password)
    await signIn("not the password")
    await signIn("not the password")
    assert.deepStrictEqual((await sums()).slice(0, 2), [accepted + 1, refused + 2])
  })

  it("/metrics answers only the bearer of the token, and doesn't exist without one", async () => {
    for (const auth of [bearer("another token, as long"), basic(), basic(token)]) {
      assert.strictEqual(outcomeOf(await scrape(auth)), "401 AuthenticationRequired")
    }
    const { status } = await host.ask("/metrics")
    assert.strictEqual(status, 401)
    const without = await startWorld()
    assert.strictEqual((await without.ask("/metrics", { auth: bearer(token) })).status, 404)
    await without.close()
  })

  it("a scrape doesn't count the database, but reads the counts of the cron trigger", async () => {
    const before = await scrape()
    const renamed = Effect.flatMap(
      HostDatabase,
      ({ sql }) => sql`ALTER TABLE invites RENAME TO invites_elsewhere`
    )
    // SAFETY: the database is beneath every host in memory.
    await host.beneath(renamed as Effect.Effect<unknown, never>)
    const after = await scrape()
    assert.strictEqual(after.status, 200)
    assert.deepStrictEqual([...samplesOf(after).keys()], [...samplesOf(before).keys()])
  })
})
