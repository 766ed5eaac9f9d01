import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { TestClock } from "effect/testing"
import { budget } from "../../../src/layers/oauth/DevicesD1.ts"
import { HostDatabase } from "../../../src/layers/host/sql/HostDatabase.ts"
import { Devices } from "../../../src/services/oauth/Devices.ts"
import { type CodeGrant, OAuthRequests } from "../../../src/services/oauth/OAuthRequests.ts"
import { alphabets, variedBits } from "../../support/randomBits.ts"

type Service = Devices["Service"]

const alice = "did:plc:alice"
const bob = "did:plc:bob"
const traits = { userAgent: "Browser/1.0", address: "192.0.2.1" }
const elsewhere = { userAgent: "Browser/2.0", address: "198.51.100.7" }

const start = 1_700_000_000_000
const minute = 60_000

/** The number of rows in the tables of devices. */
const rowCounts = Effect.fnUntraced(function* () {
  const { sql } = yield* HostDatabase
  const rows = yield* Effect.all([sql`SELECT * FROM device`, sql`SELECT * FROM device_account`])
  return rows.map(({ length }) => length)
})

const didsOn = (devices: Service, device: string) =>
  Effect.map(devices.accounts(device), (accounts) => accounts.map(({ did }) => did))

/** A device with a signed-in account. */
const signedIn = Effect.fnUntraced(function* (devices: Service, did: string, remembered = true) {
  const { device } = yield* devices.create(traits)
  return yield* devices.signIn(device.id, { did, remembered })
})

/** What Devices guarantees; `fresh` creates one over an empty database. */
export const devicesContract = (
  name: string,
  fresh: () => Layer.Layer<Devices | OAuthRequests | HostDatabase>
) => {
  const check = (
    title: string,
    body: (devices: Service) => Effect.Effect<void, unknown, OAuthRequests | HostDatabase>
  ) =>
    it.effect(title, () =>
      TestClock.setTime(start).pipe(
        Effect.andThen(Effect.flatMap(Devices, body)),
        Effect.provide(Layer.fresh(fresh()))
      )
    )

  describe(`Devices over ${name}`, () => {
    check("find returns a device by its cookie", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* devices.create(traits)
        assert.match(cookie, /^dev\.[\w-]{22}\.[\w-]{43}$/)
        assert.deepStrictEqual(device, {
          ...traits,
          id: cookie.split(".")[1]!,
          createdAt: start,
          seenAt: start
        })
        assert.deepStrictEqual(yield* devices.find(cookie, traits), device)
        assert.deepStrictEqual(yield* devices.accounts(device.id), [])
      })
    )

    check("find returns nothing for a cookie with another secret, or an invalid one", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* devices.create(traits)
        const other = yield* devices.create(traits)
        const foreign = `dev.${device.id}.${other.cookie.split(".")[2]!}`
        for (const value of ["", "dev", `dev.${device.id}`, `${cookie}x`, foreign]) {
          assert.isUndefined(yield* devices.find(value, traits), value)
        }
      })
    )

    check("a cookie has 128 random bits of id and 256 of secret", (devices) =>
      Effect.gen(function* () {
        const made = yield* Effect.all(Array.from({ length: 64 }, () => devices.create(traits)))
        const parts = made.map(({ cookie }) => cookie.split("."))
        const bitsAt = (at: number) =>
          variedBits(
            parts.map((part) => part[at] ?? ""),
            alphabets.base64url
          )
        assert.deepStrictEqual([bitsAt(1), bitsAt(2)], [128, 256])
      })
    )

    check("the database contains no secret of a cookie", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* devices.create(traits)
        const moved = yield* devices.signIn(device.id, { did: alice, remembered: true })
        const { sql } = yield* HostDatabase
        const text = JSON.stringify(yield* sql`SELECT * FROM device`)
        assert.include(text, moved.device)
        for (const one of [cookie, moved.cookie]) assert.notInclude(text, one.split(".")[2]!)
      })
    )

    check("a browser's traits are updated every five minutes at most", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* devices.create(traits)
        yield* TestClock.adjust("299 seconds")
        assert.deepStrictEqual(yield* devices.find(cookie, elsewhere), device)
        yield* TestClock.adjust("1 second")
        const seen = { ...device, ...elsewhere, seenAt: start + 5 * minute }
        assert.deepStrictEqual(yield* devices.find(cookie, elsewhere), seen)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* devices.find(cookie, traits), seen)
      })
    )

    check("a user agent is cut to 256 characters, or missing", (devices) =>
      Effect.gen(function* () {
        const { device } = yield* devices.create({ ...traits, userAgent: "x".repeat(5000) })
        assert.strictEqual(device.userAgent, "x".repeat(256))
        const silent = yield* devices.create({ ...traits, userAgent: undefined })
        const found = yield* devices.find(silent.cookie, traits)
        assert.isUndefined(found?.userAgent)
      })
    )

    check("a sign-in gives the device a new cookie and ends the old one", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* devices.create(traits)
        yield* TestClock.adjust("1 minute")
        const moved = yield* devices.signIn(device.id, { did: alice, remembered: true })
        assert.notStrictEqual(moved.device, device.id)
        assert.isUndefined(yield* devices.find(cookie, traits))
        assert.deepStrictEqual(yield* devices.accounts(device.id), [])
        assert.deepStrictEqual(yield* devices.find(moved.cookie, traits), {
          ...device,
          id: moved.device
        })
        const account = { did: alice, authenticatedAt: start + minute, remembered: true }
        assert.deepStrictEqual(yield* devices.accounts(moved.device), [account])
        assert.deepStrictEqual(yield* devices.account(moved.device, alice), account)
        assert.isUndefined(yield* devices.account(moved.device, bob))
      })
    )

    check("accounts move to the new cookie, last signed in first", (devices) =>
      Effect.gen(function* () {
        const first = yield* signedIn(devices, alice)
        yield* TestClock.adjust("1 minute")
        const second = yield* devices.signIn(first.device, { did: bob, remembered: true })
        assert.deepStrictEqual(yield* didsOn(devices, second.device), [bob, alice])
        yield* TestClock.adjust("1 minute")
        const third = yield* devices.signIn(second.device, { did: alice, remembered: false })
        assert.deepStrictEqual(yield* devices.accounts(third.device), [
          { did: alice, authenticatedAt: start + 2 * minute, remembered: false },
          { did: bob, authenticatedAt: start + minute, remembered: true }
        ])
      })
    )

    check("pending requests move to the new cookie", (devices) =>
      Effect.gen(function* () {
        const requests = yield* OAuthRequests
        const { device } = yield* devices.create(traits)
        const { requestUri } = yield* requests.push({
          parameters: {
            clientId: "https://app.example.com/client.json",
            redirectUri: "https://app.example.com/callback",
            scope: "atproto",
            state: "state",
            codeChallenge: "challenge",
            responseMode: "query"
          },
          clientAuth: { method: "none" },
          jkt: "thumbprint"
        })
        yield* requests.open(requestUri, device.id)
        const moved = yield* devices.signIn(device.id, { did: alice, remembered: true })
        assert.isUndefined(yield* requests.open(requestUri, device.id))
        assert.isUndefined(yield* requests.take(requestUri, device.id))
        assert.strictEqual((yield* requests.open(requestUri, moved.device))?.device, moved.device)
        assert.isDefined(yield* requests.take(requestUri, moved.device))
      })
    )

    check("one of two concurrent sign-ins gets all accounts of the device", (devices) =>
      Effect.gen(function* () {
        const { device } = yield* signedIn(devices, alice)
        const moved = yield* Effect.forEach(
          [bob, "did:plc:carol"],
          (did) => devices.signIn(device, { did, remembered: true }),
          { concurrency: "unbounded" }
        )
        const dids = yield* Effect.forEach(moved, (one) => didsOn(devices, one.device))
        assert.strictEqual(dids.filter((list) => list.includes(alice)).length, 1)
        assert.isTrue(dids[0]!.includes(bob))
        assert.isTrue(dids[1]!.includes("did:plc:carol"))
        const found = yield* Effect.forEach(moved, ({ cookie }) => devices.find(cookie, elsewhere))
        // The slower one recognizes its browser from the next request on.
        assert.sameMembers(
          found.map((one) => one?.address),
          [traits.address, elsewhere.address]
        )
        assert.deepStrictEqual(yield* rowCounts(), [2, 3])
      })
    )

    check("an account that isn't remembered is listed for a quarter of an hour", (devices) =>
      Effect.gen(function* () {
        const { device } = yield* signedIn(devices, alice, false)
        yield* TestClock.adjust("899 seconds")
        assert.isFalse((yield* devices.account(device, alice))?.remembered)
        assert.deepStrictEqual(yield* didsOn(devices, device), [alice])
        assert.strictEqual((yield* devices.ofAccount(alice)).length, 1)
        yield* TestClock.adjust("1 second")
        assert.isUndefined(yield* devices.account(device, alice))
        assert.deepStrictEqual(yield* didsOn(devices, device), [])
        assert.deepStrictEqual(yield* devices.ofAccount(alice), [])
      })
    )

    check("a remembered account is listed for a year, and deleted by the next sign-in", (devices) =>
      Effect.gen(function* () {
        const { device, cookie } = yield* signedIn(devices, alice)
        yield* TestClock.adjust("364 days")
        assert.isTrue((yield* devices.account(device, alice))?.remembered)
        yield* devices.find(cookie, traits)
        yield* TestClock.adjust("1 day")
        assert.isUndefined(yield* devices.account(device, alice))
        assert.isDefined(yield* devices.find(cookie, traits))
        const moved = yield* devices.signIn(device, { did: bob, remembered: true })
        assert.deepStrictEqual(yield* didsOn(devices, moved.device), [bob])
        assert.deepStrictEqual(yield* rowCounts(), [1, 1])
      })
    )

    check("signOut signs one account out of one device", (devices) =>
      Effect.gen(function* () {
        const { device } = yield* signedIn(devices, alice)
        const other = yield* signedIn(devices, alice)
        const both = yield* devices.signIn(device, { did: bob, remembered: true })
        yield* devices.signOut(both.device, alice)
        yield* devices.signOut(both.device, alice)
        assert.deepStrictEqual(yield* didsOn(devices, both.device), [bob])
        assert.deepStrictEqual(yield* didsOn(devices, other.device), [alice])
      })
    )

    check("ofAccount lists the devices of an account, last seen first", (devices) =>
      Effect.gen(function* () {
        const first = yield* signedIn(devices, alice)
        yield* TestClock.adjust("1 minute")
        const second = yield* signedIn(devices, alice, false)
        yield* signedIn(devices, bob)
        yield* TestClock.adjust("10 minutes")
        yield* devices.find(first.cookie, elsewhere)
        assert.deepStrictEqual(yield* devices.ofAccount(alice), [
          {
            ...elsewhere,
            id: first.device,
            createdAt: start,
            seenAt: start + 11 * minute,
            did: alice,
            authenticatedAt: start,
            remembered: true
          },
          {
            ...traits,
            id: second.device,
            createdAt: start + minute,
            seenAt: start + minute,
            did: alice,
            authenticatedAt: start + minute,
            remembered: false
          }
        ])
      })
    )

    check(
      "signOutAll signs an account out everywhere, or everywhere except on one device",
      (devices) =>
        Effect.gen(function* () {
          const here = yield* signedIn(devices, alice)
          yield* signedIn(devices, alice)
          const others = yield* signedIn(devices, bob)
          yield* devices.signOutAll(alice, { except: here.device })
          assert.deepStrictEqual(
            (yield* devices.ofAccount(alice)).map(({ id }) => id),
            [here.device]
          )
          yield* devices.signOutAll(alice)
          assert.deepStrictEqual(yield* devices.ofAccount(alice), [])
          assert.deepStrictEqual(yield* didsOn(devices, others.device), [bob])
        })
    )

    check("signing an account out revokes the codes issued there", (devices) =>
      Effect.gen(function* () {
        const requests = yield* OAuthRequests
        const here = yield* signedIn(devices, alice)
        const there = yield* signedIn(devices, alice)
        const elsewhere = yield* signedIn(devices, alice)
        const code = (did: string, device: string) =>
          // SAFETY: only account and device of the code matter.
          requests.createCode({ did, device, session: "session" } as CodeGrant)
        const codes = {
          here: yield* code(alice, here.device),
          there: yield* code(alice, there.device),
          elsewhere: yield* code(alice, elsewhere.device),
          bob: yield* code(bob, there.device),
          used: yield* code(alice, there.device)
        }
        const kind = (code: string) =>
          Effect.map(requests.redeem(code), (redeemed) => redeemed.kind)
        assert.strictEqual(yield* kind(codes.used), "redeemed")
        yield* devices.signOut(elsewhere.device, alice)
        assert.strictEqual(yield* kind(codes.elsewhere), "unknown")
        yield* devices.signOutAll(alice, { except: here.device })
        assert.strictEqual(yield* kind(codes.there), "unknown")
        assert.strictEqual(yield* kind(codes.used), "replayed")
        assert.strictEqual(yield* kind(codes.bob), "redeemed")
        assert.strictEqual(yield* kind(codes.here), "redeemed")
        const last = yield* code(alice, here.device)
        yield* devices.signOutAll(alice)
        assert.strictEqual(yield* kind(last), "unknown")
      })
    )

    check(
      "a device without a sign-in is forgotten after a day, any other after a year",
      (devices) =>
        Effect.gen(function* () {
          const stranger = yield* devices.create(traits)
          const visited = yield* devices.create(traits)
          const home = yield* signedIn(devices, alice)
          yield* TestClock.adjust("23 hours")
          assert.isDefined(yield* devices.find(visited.cookie, traits))
          yield* TestClock.adjust("1 hour")
          assert.isUndefined(yield* devices.find(stranger.cookie, traits))
          assert.isDefined(yield* devices.find(visited.cookie, traits))
          assert.isDefined(yield* devices.find(home.cookie, traits))
          yield* TestClock.adjust("364 days")
          assert.isDefined(yield* devices.find(home.cookie, traits))
          yield* TestClock.adjust("365 days")
          assert.isUndefined(yield* devices.find(home.cookie, traits))
        })
    )

    check("expired devices are removed by new ones, in limited steps", (devices) =>
      Effect.gen(function* () {
        yield* Effect.forEach(Array.from({ length: 30 }), () => signedIn(devices, alice))
        const kept = yield* devices.create(traits)
        yield* TestClock.adjust("23 hours")
        yield* devices.find(kept.cookie, traits)
        assert.deepStrictEqual(yield* rowCounts(), [31, 30])
        yield* TestClock.adjust("365 days")
        yield* devices.create(traits)
        assert.deepStrictEqual(yield* rowCounts(), [12, 11])
        yield* devices.create(traits)
        assert.deepStrictEqual(yield* rowCounts(), [2, 0])
      })
    )

    check("a bucket holds a few devices, and drops those without a sign-in first", (devices) =>
      Effect.gen(function* () {
        const home = yield* signedIn(devices, alice)
        const { sql } = yield* HostDatabase
        const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        yield* sql.unsafe(`WITH RECURSIVE
          letter (at, c) AS (SELECT 1, 'A' UNION ALL SELECT at + 1, substr('${letters}', at + 1, 1) FROM letter WHERE at < 64),
          up (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up WHERE n < ${budget.perBucket})
          INSERT INTO device SELECT one.c || two.c || n, 's', NULL, 'a', 0, 0, ${start + minute} + n
          FROM letter AS one CROSS JOIN letter AS two CROSS JOIN up`)
        const [before = 0] = yield* rowCounts()
        const { cookie } = yield* devices.create(traits)
        const [after] = yield* rowCounts()
        assert.isAtMost(after ?? 0, before)
        assert.isDefined(yield* devices.find(cookie, traits))
        assert.isDefined(yield* devices.find(home.cookie, traits))
      })
    )

    check(
      "an account beyond its limit of devices is signed out where it signed in longest ago",
      (devices) =>
        Effect.gen(function* () {
          const first = yield* signedIn(devices, alice)
          const other = yield* signedIn(devices, bob)
          for (let at = 0; at < budget.ofAccount; at++) {
            yield* TestClock.adjust("1 second")
            yield* signedIn(devices, alice)
          }
          assert.strictEqual((yield* devices.ofAccount(alice)).length, budget.ofAccount)
          assert.deepStrictEqual(yield* didsOn(devices, first.device), [])
          assert.deepStrictEqual(yield* didsOn(devices, other.device), [bob])
        })
    )
  })
}
