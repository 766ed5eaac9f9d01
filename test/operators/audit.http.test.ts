import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { emptyHead, faultIn, type AuditEntry } from "../../src/core/operators/auditChain.ts"
import { builtIn } from "../../src/core/lexicon/Lexicons.ts"
import { routes } from "../../src/http/host.ts"
import { methods } from "../../src/http/methods.ts"
import { AuditLog } from "../../src/services/operators/AuditLog.ts"
import { HostDatabase } from "../../src/layers/host/sql/HostDatabase.ts"
import { adminPassword, type Asked, basic, startHost } from "../support/http/httpHost.ts"
import { goodCall } from "../support/http/httpMethods.ts"
import {
  moderatorDid,
  moderatorEnv,
  moderatorToken,
  publishModerator
} from "../support/http/httpModerator.ts"
import { ok, signUp, startWorld, type World } from "../support/http/httpWorld.ts"

let world: World
beforeAll(async () => {
  world = await startWorld(moderatorEnv)
  await publishModerator(world)
})
afterAll(() => world.close())

const newest = async (limit = 1): Promise<ReadonlyArray<AuditEntry>> =>
  world.beneath(Effect.flatMap(AuditLog, (log) => log.page({ limit })))

const count = async (): Promise<number> =>
  (await world.beneath(Effect.flatMap(AuditLog, (log) => log.head))).seq

const byOperators = methods.filter(
  ({ authority: { kind } }) => kind === "admin" || kind === "moderator"
)

describe("the audit log", () => {
  it("the log gets an entry for every administrator's method, with its subject", async () => {
    assert.isAtLeast(byOperators.length, 15)
    for (const { nsid } of byOperators) {
      const asked = await goodCall(world, nsid)
      const before = await count()
      const reason = "ticket 7: „ja“"
      const headers = { "x-nacre-reason": encodeURIComponent(reason) }
      const answer = await world.call(nsid, { ...asked, headers })
      assert.isBelow(answer.status, 300, nsid)
      assert.strictEqual(await count(), before + 1, nsid)
      const [entry] = await newest()
      const request = answer.headers.get("x-request-id") ?? ""
      assert.deepInclude(entry, { actor: "password", act: nsid, status: answer.status, request })
      if (nsid !== "com.atproto.admin.sendEmail") assert.strictEqual(entry?.reason, reason)
      if (builtIn.kindOf(nsid) !== "procedure") continue
      const isAbout = entry?.subject !== undefined || entry?.after !== undefined
      assert.isTrue(isAbout, `${nsid} says neither whom nor what`)
      assert.notInclude(JSON.stringify(entry), adminPassword)
      assert.notInclude(JSON.stringify(entry), "a good password")
    }
  })

  it("the log gets an entry for every administrator's path outside of XRPC", async () => {
    const { did } = world.bob
    const paths = routes.filter(({ path }) => /^\/(admin|manage)\//.test(path))
    assert.isAtLeast(paths.length, 6)
    for (const { verb, path } of paths) {
      const before = await count()
      const asked: Asked =
        verb === "POST" ? { auth: basic(), input: { account: did } } : { auth: basic() }
      await world.ask(`${path}?account=${did}`, asked)
      assert.strictEqual(await count(), before + 1, path)
      assert.deepInclude((await newest())[0], { actor: "password", act: path })
    }
  })

  it("an entry has the values before and after", async () => {
    const { did, handle } = world.carol
    const input = { did, handle: "carola.test" }
    ok(await world.call("com.atproto.admin.updateAccountHandle", { auth: basic(), input }))
    const [entry] = await newest()
    assert.deepInclude(entry, {
      subject: did,
      before: { handle },
      after: { handle: "carola.test" }
    })
    const takedown = { applied: true, ref: "case 7" }
    const subject = { $type: "com.atproto.admin.defs#repoRef", did }
    const status = { subject, takedown }
    ok(await world.call("com.atproto.admin.updateSubjectStatus", { auth: basic(), input: status }))
    assert.deepInclude((await newest())[0], {
      subject: did,
      before: { takedown: true, ref: "takendown", deactivated: false },
      after: { takedown: true, ref: "case 7" }
    })
  })

  it("an entry names the calling moderation service instead of the administrator", async () => {
    const nsid = "com.atproto.admin.updateSubjectStatus"
    const auth = `Bearer ${await moderatorToken(world, nsid)}`
    const subject = { $type: "com.atproto.admin.defs#repoRef", did: world.dora.did }
    const input = { subject, takedown: { applied: true } }
    ok(await world.call(nsid, { auth, input }))
    assert.deepInclude((await newest())[0], { actor: moderatorDid, act: nsid })
  })

  it("people, strangers and wrong passwords get no entry", async () => {
    const calls = await Promise.all(
      byOperators.map(async ({ nsid }) => ({ nsid, asked: await goodCall(world, nsid) }))
    )
    const before = await count()
    await world.call("com.atproto.server.getSession", { auth: world.bob.auth })
    await world.call("com.atproto.server.describeServer")
    for (const { nsid, asked } of calls) {
      await world.call(nsid, { ...asked, auth: basic("a wrong password") })
      await world.call(nsid, { ...asked, auth: world.bob.auth })
    }
    assert.strictEqual(await count(), before)
  })

  it("an entry of a rejected act has its status", async () => {
    const input = { did: "did:plc:nobody" }
    const nsid = "com.atproto.admin.deleteAccount"
    assert.strictEqual((await world.call(nsid, { auth: basic(), input })).status, 400)
    assert.deepInclude((await newest())[0], { act: nsid, status: 400 })
  })

  it("the administrator reads the log in pages that verify, with filters", async () => {
    const read = async (query: string) =>
      ok(await world.ask(`/admin/audit?${query}`, { auth: basic() }))
    const { entries, head } = await read("after=0&limit=500")
    assert.isAbove(entries.length, 20)
    assert.isUndefined(faultIn(entries, emptyHead))
    assert.strictEqual(entries.at(-1).seq, head.seq)
    const filtered = (await read(`actor=${moderatorDid}&limit=5`)).entries
    assert.deepStrictEqual(
      [...new Set(filtered.map((one: AuditEntry) => one.actor))],
      [moderatorDid]
    )
    const older = (await read("before=3&limit=5")).entries
    assert.deepStrictEqual(
      older.map((one: AuditEntry) => one.seq),
      [2, 1]
    )
    for (const bad of ["limit=0", "limit=501", "after=x", "before=-1"]) {
      const { status } = await world.ask(`/admin/audit?${bad}`, { auth: basic() })
      assert.strictEqual(status, 400, bad)
    }
    assert.strictEqual((await world.ask("/admin/audit")).status, 401)
    assert.strictEqual((await world.ask("/admin/audit", { auth: world.bob.auth })).status, 401)
  })
})

describe("an act that the audit log can't take", () => {
  it("an act that can't be logged gets a 503 and a line in the server's log, while reading still works", async () => {
    const host = await startHost()
    const { did } = await signUp(host, "alice")
    const auth = basic()
    await host.ask("/admin/audit", { auth })
    // SAFETY: the database is beneath every host in memory.
    const drop = Effect.flatMap(
      HostDatabase,
      ({ sql }) => sql`ALTER TABLE audit RENAME COLUMN hash TO other`
    ) as Effect.Effect<unknown, never>
    await host.beneath(drop)
    const input = { account: did, email: "new@mail.test" }
    const changed = await host.call("com.atproto.admin.updateAccountEmail", { auth, input })
    assert.strictEqual(changed.status, 503)
    assert.include(changed.body["message"], "audit log")
    ok(await host.ask("/admin/relays", { auth }))
    await host.close()
  })
})
