import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as DevicesD1 from "../../../src/layers/oauth/DevicesD1.ts"
import * as HostDatabaseD1 from "../../../src/layers/host/sql/HostDatabaseD1.ts"
import * as OAuthRequestsD1 from "../../../src/layers/oauth/OAuthRequestsD1.ts"
import * as PasskeyOwnersD1 from "../../../src/layers/factors/PasskeyOwnersD1.ts"
import { Devices } from "../../../src/services/oauth/Devices.ts"
import { OAuthRequests } from "../../../src/services/oauth/OAuthRequests.ts"
import { PasskeyOwners } from "../../../src/services/factors/PasskeyOwners.ts"
import { devicesContract } from "./devices.contract.ts"
import { oauthRequestsContract } from "./oauthRequests.contract.ts"
import { passkeyOwnersContract } from "../../factors/passkeyOwners.contract.ts"
import { DIRECTORY } from "../../host/workerdWorld.ts"

const tables = [
  "oauth_request",
  "oauth_code",
  "oauth_used_once",
  "device",
  "device_account",
  "passkey_owner"
]

// The first query of each test finds no tables and creates them.
const emptied = Layer.effectDiscard(
  Effect.promise(() =>
    DIRECTORY.batch(tables.map((table) => DIRECTORY.prepare(`DROP TABLE IF EXISTS ${table}`)))
  )
)

const database = HostDatabaseD1.layer(DIRECTORY).pipe(Layer.provide(emptied))

oauthRequestsContract("D1", () => OAuthRequestsD1.layer.pipe(Layer.provideMerge(database)))

devicesContract("D1", () =>
  Layer.merge(DevicesD1.layer, OAuthRequestsD1.layer).pipe(Layer.provideMerge(database))
)

passkeyOwnersContract("D1", () => PasskeyOwnersD1.layer.pipe(Layer.provide(database)))

/** A D1 that counts the rows it bills as written. */
const counting = () => {
  const counter = { rows: 0 }
  const counted = (result: D1Result<Record<string, unknown>>) => {
    counter.rows += result.meta.rows_written
    return result
  }
  const database = {
    prepare: (query: string) => {
      const bind = (...values: Array<unknown>) => {
        const statement = DIRECTORY.prepare(query).bind(...values)
        const all = statement.all.bind(statement)
        return Object.assign(statement, {
          all: () => all<Record<string, unknown>>().then(counted)
        })
      }
      return { bind }
    },
    batch: (statements: Array<D1PreparedStatement>) =>
      DIRECTORY.batch<Record<string, unknown>>(statements).then((all) => all.map(counted))
  }
  // SAFETY: the client calls only these.
  return { counter, database: database as unknown as D1Database }
}

const traits = { userAgent: "Browser/1.0", address: "192.0.2.1" }

const request = {
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
} as const

const grant = { did: "did:plc:alice", scope: "atproto", device: "device", session: "session" }

describe("the rows that D1 bills", () => {
  it.effect("each step of a sign-in bills few rows", () => {
    const { counter, database } = counting()
    const services = Layer.mergeAll(
      OAuthRequestsD1.layer,
      DevicesD1.layer,
      PasskeyOwnersD1.layer
    ).pipe(Layer.provide(HostDatabaseD1.layer(database)), Layer.provide(emptied))
    const cost = <A, E, R>(step: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => {
        counter.rows = 0
        return Effect.map(step, (value) => [value, counter.rows] as const)
      })
    return Effect.gen(function* () {
      const requests = yield* OAuthRequests
      const devices = yield* Devices
      const owners = yield* PasskeyOwners
      // The first queries create the tables.
      yield* requests.redeem("none")
      yield* devices.signOut("none", "none")
      yield* owners.ownerOf("none")

      const [{ device, cookie }, created] = yield* cost(devices.create(traits))
      const [, found] = yield* cost(devices.find(cookie, traits))
      const [{ requestUri }, pushed] = yield* cost(requests.push(request))
      const [, opened] = yield* cost(requests.open(requestUri, device.id))
      const account = { did: "did:plc:alice", remembered: true }
      const [moved, signedIn] = yield* cost(devices.signIn(device.id, account))
      const [, reopened] = yield* cost(requests.open(requestUri, moved.device))
      const [, taken] = yield* cost(requests.take(requestUri, moved.device))
      const [code, coded] = yield* cost(requests.createCode({ ...request, ...grant }))
      const [, redeemed] = yield* cost(requests.redeem(code))
      const [, replayed] = yield* cost(requests.redeem(code))
      const [, used] = yield* cost(requests.useOnce("key", 1_000_000))
      const [, usedAgain] = yield* cost(requests.useOnce("key", 1_000_000))
      const [, owned] = yield* cost(owners.add("credential", account.did))
      assert.deepStrictEqual(
        {
          created,
          found,
          pushed,
          opened,
          signedIn,
          reopened,
          taken,
          coded,
          redeemed,
          replayed,
          used,
          usedAgain,
          owned
        },
        {
          created: 2,
          found: 0,
          pushed: 2,
          opened: 2,
          signedIn: 7,
          reopened: 2,
          taken: 1,
          coded: 2,
          redeemed: 1,
          replayed: 0,
          used: 2,
          usedAgain: 0,
          owned: 2
        }
      )
    }).pipe(Effect.provide(services))
  })
})
