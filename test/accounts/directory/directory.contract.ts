import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import {
  Directory,
  type InviteOrder,
  type InvitePlace
} from "../../../src/services/accounts/Directory.ts"

type Service = Directory["Service"]

const alice = { did: "did:plc:alice", handle: "alice.test", email: "alice@mail.test" }
const bob = { did: "did:plc:bob", handle: "bob.test", email: "bob@mail.test" }

const tagOf = <E extends { readonly _tag: string }>(effect: Effect.Effect<unknown, E>) =>
  Effect.match(effect, { onFailure: ({ _tag }) => _tag, onSuccess: () => "ok" })

const invite = (directory: Service, available: number, ...codes: Array<string>) =>
  directory.createInvites({
    codes: codes.map((code) => ({ code, forAccount: "admin" })),
    available,
    createdBy: "admin"
  })

/** What every Directory guarantees; `fresh` creates one over an empty database. */
export const directoryContract = (name: string, fresh: () => Layer.Layer<Directory>) => {
  const check = (title: string, body: (directory: Service) => Effect.Effect<void, unknown>) =>
    it.effect(title, () =>
      Directory.pipe(Effect.flatMap(body), Effect.provide(Layer.fresh(fresh())))
    )

  describe(`Directory over ${name}`, () => {
    check("an empty directory finds nothing", (directory) =>
      Effect.gen(function* () {
        assert.isUndefined(yield* directory.byHandle("alice.test"))
        assert.deepStrictEqual(yield* directory.list({ limit: 10 }), { accounts: [] })
        assert.deepStrictEqual(yield* directory.invitesOf("did:plc:alice"), [])
        yield* directory.ping
      })
    )

    check("a confirmed account is found by DID, handle and address in any case", (directory) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        assert.deepStrictEqual(yield* directory.reserve(alice), [])
        yield* directory.setStatus(alice.did, "active")
        const entry = yield* directory.byDid(alice.did)
        assert.deepStrictEqual(entry, {
          ...alice,
          status: "active",
          createdAt: 1_700_000_000_000,
          invite: undefined,
          invitesDisabled: false
        })
        assert.deepStrictEqual(yield* directory.byHandle("Alice.Test"), entry)
        assert.deepStrictEqual(yield* directory.byEmail("ALICE@mail.test"), entry)
      })
    )

    /** Two accounts, of which the first has given up `alice.test`. */
    const renamed = Effect.fnUntraced(function* (directory: Service) {
      yield* TestClock.setTime(1_700_000_000_000)
      for (const who of [alice, bob]) {
        yield* directory.reserve(who)
        yield* directory.setStatus(who.did, "active")
      }
      yield* directory.setHandle(alice.did, "Alice2.test", { keep: true })
    })
    const carol = { did: "did:plc:carol", handle: "Alice.test" }

    check("a given-up handle stays reserved for its account for 30 days", (directory) =>
      Effect.gen(function* () {
        yield* renamed(directory)
        const take = () => tagOf(directory.setHandle(bob.did, "Alice.test", { keep: true }))
        assert.isUndefined(yield* directory.byHandle("alice.test"))
        assert.strictEqual(yield* directory.holderOf("Alice.test"), alice.did)
        assert.strictEqual(yield* directory.holderOf("Alice2.test"), alice.did)
        assert.isUndefined(yield* directory.holderOf("carol.test"))
        assert.strictEqual(yield* take(), "HandleNotAvailable")
        assert.strictEqual((yield* directory.byDid(bob.did))?.handle, "bob.test")
        // The rejected change reserves nothing.
        assert.strictEqual(yield* directory.holderOf("bob.test"), bob.did)
        assert.strictEqual(yield* tagOf(directory.reserve(carol)), "HandleNotAvailable")
        yield* invite(directory, 1, "code")
        const invited = directory.reserve({ ...carol, invite: "code" })
        assert.strictEqual(yield* tagOf(invited), "HandleNotAvailable")
        assert.deepStrictEqual((yield* directory.invite("code"))?.uses, [])
        yield* TestClock.adjust("30 days")
        assert.isUndefined(yield* directory.holderOf("alice.test"))
        assert.strictEqual(yield* take(), "ok")
        assert.strictEqual((yield* directory.byHandle("alice.test"))?.did, bob.did)
      })
    )

    check(
      "an account may take its reserved handle back, which reserves the other one",
      (directory) =>
        Effect.gen(function* () {
          yield* renamed(directory)
          yield* directory.setHandle(alice.did, "alice.test", { keep: true })
          assert.strictEqual((yield* directory.byHandle("alice.test"))?.did, alice.did)
          const other = directory.setHandle(bob.did, "alice2.test", { keep: true })
          assert.strictEqual(yield* tagOf(other), "HandleNotAvailable")
        })
    )

    check("the administrator may assign a reserved handle, permanently", (directory) =>
      Effect.gen(function* () {
        yield* renamed(directory)
        yield* directory.reserve({ ...carol, override: true })
        yield* directory.setStatus(carol.did, "active")
        const back = directory.setHandle(alice.did, "alice.test", { keep: true })
        assert.strictEqual(yield* tagOf(back), "HandleNotAvailable")
        yield* directory.remove(carol.did)
        assert.isUndefined(yield* directory.holderOf("alice.test"))
        yield* directory
          .setHandle(bob.did, "alice2.test", { keep: true, override: true })
          .pipe(Effect.flip)
        yield* directory.setHandle(alice.did, "alice3.test", { keep: true })
        yield* directory.setHandle(bob.did, "alice2.test", { keep: true, override: true })
        assert.strictEqual(yield* directory.holderOf("alice2.test"), bob.did)
      })
    )

    check("a handle is not reserved unless requested, nor for a deleted account", (directory) =>
      Effect.gen(function* () {
        yield* renamed(directory)
        yield* directory.setHandle(alice.did, "alice3.test", { keep: false })
        assert.isUndefined(yield* directory.holderOf("alice2.test"))
        yield* directory.remove(alice.did)
        assert.isUndefined(yield* directory.holderOf("alice.test"))
      })
    )

    check("an account has at most ten reserved handles, the first ones", (directory) =>
      Effect.gen(function* () {
        yield* renamed(directory)
        for (let n = 3; n <= 13; n++) {
          yield* directory.setHandle(alice.did, `alice${n}.test`, { keep: true })
        }
        assert.strictEqual(yield* directory.holderOf("alice.test"), alice.did)
        assert.strictEqual(yield* directory.holderOf("alice10.test"), alice.did)
        assert.isUndefined(yield* directory.holderOf("alice11.test"))
        yield* TestClock.adjust("30 days")
        yield* directory.setHandle(alice.did, "alice14.test", { keep: true })
        assert.strictEqual(yield* directory.holderOf("alice13.test"), alice.did)
        assert.isUndefined(yield* directory.holderOf("alice.test"))
      })
    )

    check("a reservation is hidden until it is confirmed", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        assert.isUndefined(yield* directory.byDid(alice.did))
        assert.isUndefined(yield* directory.byHandle(alice.handle))
        assert.isUndefined(yield* directory.byEmail(alice.email))
        assert.deepStrictEqual(yield* directory.list({ limit: 10 }), { accounts: [] })
        yield* directory.setStatus(alice.did, "deactivated")
        assert.strictEqual((yield* directory.byDid(alice.did))?.status, "deactivated")
      })
    )

    check("a handle, an address and a DID each belong to one account only", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        const refusals = yield* Effect.all([
          tagOf(directory.reserve({ ...bob, handle: "ALICE.test" })),
          tagOf(directory.reserve({ ...bob, email: "Alice@mail.test" })),
          tagOf(directory.reserve({ ...bob, did: alice.did }))
        ])
        assert.deepStrictEqual(refusals, ["HandleNotAvailable", "EmailTaken", "AccountExists"])
        assert.strictEqual(yield* tagOf(directory.reserve(bob)), "ok")
      })
    )

    check("several accounts may have no email address", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve({ did: alice.did, handle: alice.handle })
        yield* directory.reserve({ did: bob.did, handle: bob.handle })
        yield* directory.setStatus(bob.did, "active")
        assert.isUndefined((yield* directory.byDid(bob.did))?.email)
      })
    )

    check("dropHandle frees the handle at once, and the account has none", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* directory.setStatus(alice.did, "active")
        yield* directory.reserve(bob)
        yield* directory.setStatus(bob.did, "active")
        yield* directory.dropHandle(alice.did)
        yield* directory.dropHandle(bob.did)
        for (const { did, handle } of [alice, bob]) {
          assert.strictEqual((yield* directory.byDid(did))?.handle, "handle.invalid")
          assert.isUndefined(yield* directory.byHandle(handle))
        }
        assert.isUndefined(yield* directory.byHandle("handle.invalid"))
        yield* directory.setHandle(bob.did, alice.handle, { keep: false })
        yield* directory.setHandle(alice.did, "new.test", { keep: false })
        assert.strictEqual((yield* directory.byHandle(alice.handle))?.did, bob.did)
      })
    )

    check("releasing a reservation frees its names", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* directory.release(alice.did)
        yield* directory.release(alice.did)
        yield* directory.reserve({ ...alice, did: "did:plc:other" })
      })
    )

    check(
      "reservedAs finds a reservation by its names, and abandon removes it but no confirmed account",
      (directory) =>
        Effect.gen(function* () {
          yield* invite(directory, 1, "code")
          yield* directory.reserve({ ...alice, invite: "code" })
          const { did, handle, email = "" } = alice
          const names = { handle: handle.toUpperCase(), email: email.toUpperCase() }
          assert.strictEqual(yield* directory.reservedAs(names), did)
          assert.isUndefined(yield* directory.reservedAs({ ...names, email: "other@mail.test" }))
          assert.isNumber(yield* directory.reservedAt(did))
          yield* directory.abandon(did)
          yield* directory.abandon(did)
          assert.isUndefined(yield* directory.reservedAs(names))
          assert.isUndefined(yield* directory.reservedAt(did))
          assert.isFalse(yield* directory.setStatus(did, "active"))
          yield* directory.reserve({ ...alice, invite: "code" })
          assert.isTrue(yield* directory.setStatus(did, "active"))
          yield* directory.abandon(did)
          assert.isUndefined(yield* directory.reservedAs(names))
          assert.strictEqual((yield* directory.byDid(did))?.status, "active")
          assert.strictEqual((yield* directory.invite("code"))?.uses.length, 1)
        })
    )

    check(
      "reserve replaces the reservation of an interrupted sign-up and returns its DID",
      (directory) =>
        Effect.gen(function* () {
          yield* invite(directory, 1, "code")
          yield* directory.reserve({ ...alice, invite: "code" })
          const other = { did: "did:plc:other", handle: alice.handle, invite: "code" }
          yield* TestClock.adjust("10 minutes")
          assert.strictEqual(
            yield* tagOf(directory.reserve({ ...other, invite: "none" })),
            "InvalidInviteCode"
          )
          assert.strictEqual(
            yield* tagOf(directory.reserve({ did: other.did, handle: other.handle })),
            "HandleNotAvailable"
          )
          yield* TestClock.adjust("10 minutes")
          const gone = yield* directory.reserve({ did: other.did, handle: other.handle })
          assert.deepStrictEqual(gone, [alice.did])
          assert.strictEqual(yield* tagOf(directory.reserve({ ...bob, invite: "code" })), "ok")
        })
    )

    check("the same DID may try again a minute after its interrupted sign-up", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual(yield* tagOf(directory.reserve(alice)), "AccountExists")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* directory.reserve(alice), [alice.did])
      })
    )

    check("reserve never replaces a confirmed account", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* directory.setStatus(alice.did, "active")
        yield* TestClock.adjust("30 days")
        assert.strictEqual(
          yield* tagOf(directory.reserve({ ...bob, handle: alice.handle })),
          "HandleNotAvailable"
        )
      })
    )

    check("an invite can be used as often as it allows", (directory) =>
      Effect.gen(function* () {
        yield* invite(directory, 2, "code")
        const names = ["a", "b", "c"].map((n) => ({ did: `did:plc:${n}`, handle: `${n}.test` }))
        const outcomes = yield* Effect.forEach(names, (reservation) =>
          tagOf(directory.reserve({ ...reservation, invite: "code" }))
        )
        assert.deepStrictEqual(outcomes, ["ok", "ok", "InvalidInviteCode"])
        const [code] = yield* directory.invitesOf("admin")
        assert.deepStrictEqual(
          code?.uses.map(({ usedBy }) => usedBy),
          ["did:plc:a", "did:plc:b"]
        )
        yield* directory.release("did:plc:a")
        assert.strictEqual(
          yield* tagOf(directory.reserve({ did: "did:plc:c", handle: "c.test", invite: "code" })),
          "ok"
        )
      })
    )

    check("one of many concurrent sign-ups gets an invite's last use", (directory) =>
      Effect.gen(function* () {
        yield* invite(directory, 1, "code")
        const racers = Array.from({ length: 8 }, (_, n) => ({
          did: `did:plc:${n}`,
          handle: `racer${n}.test`,
          invite: "code"
        }))
        const outcomes = yield* Effect.forEach(racers, (r) => tagOf(directory.reserve(r)), {
          concurrency: "unbounded"
        })
        assert.strictEqual(outcomes.filter((outcome) => outcome === "ok").length, 1)
        assert.strictEqual((yield* directory.invitesOf("admin"))[0]?.uses.length, 1)
      })
    )

    check("a sign-up with a taken handle uses no invite", (directory) =>
      Effect.gen(function* () {
        yield* invite(directory, 1, "code")
        yield* directory.reserve(alice)
        yield* Effect.flip(directory.reserve({ ...bob, handle: alice.handle, invite: "code" }))
        assert.deepStrictEqual((yield* directory.invitesOf("admin"))[0]?.uses, [])
      })
    )

    check("reserve rejects unknown and disabled codes", (directory) =>
      Effect.gen(function* () {
        yield* invite(directory, 1, "by-code", "by-account", "open")
        yield* directory.createInvites({
          codes: [{ code: "of-bob", forAccount: bob.did }],
          available: 1,
          createdBy: "admin"
        })
        yield* directory.disableInvites({ codes: ["by-code"], accounts: [bob.did] })
        yield* directory.disableInvites({})
        for (const code of ["by-code", "of-bob", "unknown"]) {
          assert.strictEqual(
            yield* tagOf(directory.reserve({ ...alice, invite: code })),
            "InvalidInviteCode",
            code
          )
        }
        assert.strictEqual(yield* tagOf(directory.reserve({ ...alice, invite: "open" })), "ok")
        assert.isTrue((yield* directory.invitesOf(bob.did))[0]?.disabled)
      })
    )

    check("reserve rejects an invite from its end on", (directory) =>
      Effect.gen(function* () {
        yield* directory.createInvites({
          codes: [{ code: "ends", forAccount: "admin" }],
          available: 2,
          createdBy: "admin",
          note: "A week",
          expiresAt: 1000
        })
        const shown = yield* directory.invite("ends")
        assert.deepInclude(shown, { note: "A week", expiresAt: 1000 })
        assert.deepStrictEqual(yield* directory.listInvites({ order: "recent", limit: 5 }), {
          invites: [shown!]
        })
        yield* TestClock.adjust(999)
        assert.strictEqual(yield* tagOf(directory.reserve({ ...alice, invite: "ends" })), "ok")
        yield* TestClock.adjust(1)
        assert.strictEqual(
          yield* tagOf(directory.reserve({ ...bob, invite: "ends" })),
          "InvalidInviteCode"
        )
      })
    )

    check("invited names who gave a code away, or else who created it", (directory) =>
      Effect.gen(function* () {
        const code = (name: string, forAccount: string, createdBy: string) =>
          directory.createInvites({
            codes: [{ code: name, forAccount }],
            available: 5,
            createdBy,
            ...(name === "hers" ? { note: "Friends" } : {})
          })
        yield* code("first", "admin", "admin")
        yield* code("hers", alice.did, "admin")
        yield* code("made", "admin", alice.did)
        const join = (name: string, invite?: string) =>
          Effect.andThen(
            directory.reserve({
              did: `did:plc:${name}`,
              handle: `${name}.test`,
              ...(invite === undefined ? {} : { invite })
            }),
            directory.setStatus(`did:plc:${name}`, "active")
          )
        yield* join("alice", "first")
        yield* join("bob", "hers")
        yield* join("carol", "made")
        yield* join("dora")
        yield* directory.reserve({ did: "did:plc:eve", handle: "eve.test", invite: "hers" })
        const all = yield* directory.invited({ limit: 10 })
        assert.deepStrictEqual(
          all.map(({ handle, code, by, note }) => [handle, code, by, note]),
          [
            ["alice.test", "first", "admin", undefined],
            ["bob.test", "hers", alice.did, "Friends"],
            ["carol.test", "made", alice.did, undefined],
            ["dora.test", undefined, undefined, undefined]
          ]
        )
        const page = yield* directory.invited({ after: bob.did, limit: 1 })
        assert.deepStrictEqual(page, all.slice(2, 3))
        assert.deepStrictEqual(
          yield* directory.invited({ by: alice.did, limit: 10 }),
          all.slice(1, 3)
        )
        assert.deepStrictEqual(
          yield* directory.invited({ by: "admin", limit: 10 }),
          all.slice(0, 1)
        )
        assert.deepStrictEqual(yield* directory.invited({ by: bob.did, limit: 10 }), [])
      })
    )

    check("reserve rejects an account's invite while that account is taken down", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* directory.createInvites({
          codes: [{ code: "hers", forAccount: alice.did }],
          available: 1,
          createdBy: "admin"
        })
        const use = tagOf(directory.reserve({ ...bob, invite: "hers" }))
        yield* directory.setStatus(alice.did, "takendown")
        assert.strictEqual(yield* use, "InvalidInviteCode")
        yield* directory.setStatus(alice.did, "active")
        assert.strictEqual(yield* use, "ok")
      })
    )

    check("an invite stays used when its account is deleted", (directory) =>
      Effect.gen(function* () {
        yield* invite(directory, 1, "code")
        yield* directory.reserve({ ...alice, invite: "code" })
        yield* directory.setStatus(alice.did, "active")
        yield* directory.remove(alice.did)
        assert.isUndefined(yield* directory.byHandle(alice.handle))
        assert.strictEqual(
          yield* tagOf(directory.reserve({ ...bob, invite: "code" })),
          "InvalidInviteCode"
        )
        assert.strictEqual(yield* tagOf(directory.reserve(alice)), "ok")
      })
    )

    check("handle and address can be changed, unless another account has them", (directory) =>
      Effect.gen(function* () {
        for (const account of [alice, bob]) {
          yield* directory.reserve(account)
          yield* directory.setStatus(account.did, "active")
        }
        assert.strictEqual(
          yield* tagOf(directory.setHandle(bob.did, "Alice.test", { keep: true })),
          "HandleNotAvailable"
        )
        assert.strictEqual(yield* tagOf(directory.setEmail(bob.did, alice.email)), "EmailTaken")
        yield* directory.setHandle(bob.did, "robert.test", { keep: false })
        yield* directory.setEmail(bob.did, undefined)
        const entry = yield* directory.byHandle("robert.test")
        assert.strictEqual(entry?.did, bob.did)
        assert.isUndefined(entry?.email)
        assert.isUndefined(yield* directory.byHandle(bob.handle))
      })
    )

    check("list returns every account once, page by page", (directory) =>
      Effect.gen(function* () {
        const dids = Array.from({ length: 7 }, (_, n) => `did:plc:${n}`)
        for (const [n, did] of dids.entries()) {
          yield* directory.reserve({ did, handle: `h${n}.test` })
          yield* directory.setStatus(did, "active")
        }
        for (const limit of [1, 2, 3, 7, 100]) {
          const seen: Array<string> = []
          let cursor: string | undefined
          do {
            const page = yield* directory.list(cursor === undefined ? { limit } : { limit, cursor })
            seen.push(...page.accounts.map(({ did }) => did))
            cursor = page.cursor
          } while (cursor !== undefined)
          assert.deepStrictEqual(seen, dids)
        }
      })
    )

    check(
      "list finds accounts by a part of their address, in any case, page by page",
      (directory) =>
        Effect.gen(function* () {
          for (const [n, email] of [
            "ann@a.test",
            "bea@B.test",
            "ben@b.test",
            undefined
          ].entries()) {
            const did = `did:plc:${n}`
            const handle = `h${n}.test`
            yield* directory.reserve({ did, handle, ...(email === undefined ? {} : { email }) })
            yield* directory.setStatus(did, "active")
          }
          const first = yield* directory.list({ email: "@B.Test", limit: 1 })
          assert.deepStrictEqual(
            first.accounts.map(({ did }) => did),
            ["did:plc:1"]
          )
          const { cursor } = first
          const rest = yield* directory.list({ email: "@b.test", limit: 5, cursor: cursor ?? "" })
          assert.deepStrictEqual(
            rest.accounts.map(({ did }) => did),
            ["did:plc:2"]
          )
          assert.deepStrictEqual(yield* directory.list({ email: "%", limit: 5 }), { accounts: [] })
        })
    )

    check("listInvites returns every code once, the newest or the most used first", (directory) =>
      Effect.gen(function* () {
        const codes = ["c0", "c1", "c2", "c3", "c4"]
        for (const [n, code] of codes.entries()) {
          yield* TestClock.setTime(1_700_000_000_000 + 1000 * Math.floor(n / 2))
          yield* invite(directory, 3, code)
        }
        for (const [n, code] of ["c1", "c3", "c1"].entries()) {
          yield* directory.reserve({ did: `did:plc:${n}`, handle: `h${n}.test`, invite: code })
        }
        const orders: Readonly<Record<InviteOrder, Array<string>>> = {
          recent: ["c4", "c3", "c2", "c1", "c0"],
          usage: ["c1", "c3", "c4", "c2", "c0"]
        }
        for (const order of ["recent", "usage"] as const) {
          for (const limit of [1, 2, 5, 10]) {
            const seen: Array<string> = []
            let after: InvitePlace | undefined
            do {
              const page = yield* directory.listInvites(
                after === undefined ? { order, limit } : { order, limit, after }
              )
              seen.push(...page.invites.map(({ code }) => code))
              after = page.next
            } while (after !== undefined)
            assert.deepStrictEqual(seen, orders[order], `${order} by ${limit}`)
          }
        }
        const used = yield* directory.invite("c1")
        assert.deepStrictEqual(
          used?.uses.map(({ usedBy }) => usedBy),
          ["did:plc:0", "did:plc:2"]
        )
        assert.isUndefined(yield* directory.invite("c9"))
      })
    )

    check("setInvitesDisabled persists", (directory) =>
      Effect.gen(function* () {
        yield* directory.reserve(alice)
        yield* directory.setStatus(alice.did, "active")
        yield* directory.setInvitesDisabled(alice.did, true)
        assert.isTrue((yield* directory.byDid(alice.did))?.invitesDisabled)
        yield* directory.setInvitesDisabled(alice.did, false)
        assert.isFalse((yield* directory.byDid(alice.did))?.invitesDisabled)
      })
    )

    const active = Effect.fnUntraced(function* (directory: Service) {
      yield* directory.reserve(alice)
      yield* directory.setStatus(alice.did, "active")
    })

    check(
      "openEdge opens an active account, and shutEdge closes it permanently for that epoch",
      (directory) =>
        Effect.gen(function* () {
          yield* TestClock.setTime(1_700_000_000_000)
          yield* active(directory)
          assert.isUndefined(yield* directory.edgeOf(alice.did))
          const first = yield* directory.openEdge(alice.did, undefined)
          assert.deepStrictEqual(yield* directory.edgeOf(alice.did), {
            epoch: first as number,
            isOpen: true
          })
          assert.strictEqual(yield* directory.openEdge(alice.did, first), first)
          yield* directory.shutEdge(alice.did)
          const second = (first ?? 0) + 1
          assert.deepStrictEqual(yield* directory.edgeOf(alice.did), {
            epoch: second,
            isOpen: false
          })
          // An older reading comes too late.
          assert.isUndefined(yield* directory.openEdge(alice.did, undefined))
          assert.isUndefined(yield* directory.openEdge(alice.did, first))
          assert.isFalse((yield* directory.edgeOf(alice.did))?.isOpen)
          assert.strictEqual(yield* directory.openEdge(alice.did, second), second)
        })
    )

    check("an account that was shut before it was opened stays shut", (directory) =>
      Effect.gen(function* () {
        yield* active(directory)
        yield* directory.shutEdge(alice.did)
        assert.isUndefined(yield* directory.openEdge(alice.did, undefined))
        assert.isFalse((yield* directory.edgeOf(alice.did))?.isOpen)
      })
    )

    check(
      "every change of status shuts an account, and only active ones can be opened",
      (directory) =>
        Effect.gen(function* () {
          assert.isUndefined(yield* directory.openEdge(alice.did, undefined))
          yield* directory.reserve(alice)
          assert.isUndefined(yield* directory.openEdge(alice.did, undefined))
          yield* directory.setStatus(alice.did, "active")
          const first = (yield* directory.openEdge(alice.did, undefined)) ?? 0
          for (const [at, status] of (["deactivated", "active", "takendown"] as const).entries()) {
            yield* directory.setStatus(alice.did, status)
            const epoch = first + at + 1
            assert.deepStrictEqual(yield* directory.edgeOf(alice.did), { epoch, isOpen: false })
            assert.isUndefined(yield* directory.openEdge(alice.did, first))
          }
          assert.isUndefined(yield* directory.openEdge(alice.did, first + 3))
        })
    )

    check("an account that returns after its deletion gets a later epoch", (directory) =>
      Effect.gen(function* () {
        yield* TestClock.setTime(1_700_000_000_000)
        yield* active(directory)
        const first = (yield* directory.openEdge(alice.did, undefined)) ?? 0
        yield* directory.shutEdge(alice.did)
        yield* directory.remove(alice.did)
        assert.isUndefined(yield* directory.edgeOf(alice.did))
        assert.isUndefined(yield* directory.openEdge(alice.did, first + 1))
        yield* TestClock.adjust("1 second")
        yield* active(directory)
        assert.isAbove((yield* directory.openEdge(alice.did, undefined)) ?? 0, first + 1)
      })
    )
  })
}
