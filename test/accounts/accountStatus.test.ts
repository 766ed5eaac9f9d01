import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import type { DidDocument } from "../../src/core/identity/didDocument.ts"
import { type Account, AccountStore } from "../../src/services/accounts/AccountStore.ts"
import { Directory } from "../../src/services/accounts/Directory.ts"
import { Sessions } from "../../src/services/sessions/Sessions.ts"
import {
  aliceIdentity,
  announced,
  call,
  hostKey,
  plcIdentity,
  serverLayerWith,
  type Services,
  signUp,
  strangerKey
} from "../sessions/sessionServer.ts"

const server = "com.atproto.server"
const deactivatedAt = "2026-01-01T00:00:00.000Z"

interface Case {
  readonly identity?: typeof aliceIdentity
  readonly documents?: ReadonlyArray<DidDocument>
  readonly account?: Partial<Account>
}

/** Runs the body for an account in some state, with its owner's token. */
const check = <E>(
  title: string,
  { identity = aliceIdentity, documents = [identity.document], account = {} }: Case,
  body: (token: string, did: string) => Effect.Effect<void, E, Services>
) =>
  it.effect(title, () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_767_225_600_000)
      yield* signUp(account, identity)
      const { accessJwt } = yield* (yield* Sessions).open(identity.did, { level: "full" })
      yield* body(accessJwt, identity.did)
    }).pipe(Effect.provide(serverLayerWith(documents)))
  )

const statusOf = Effect.fnUntraced(function* (did: string) {
  return (yield* (yield* Directory).byDid(did))?.status
})

describe("deactivateAccount", () => {
  check(
    "deactivateAccount deactivates the account, keeps the deletion date and emits an event",
    {},
    (token, did) =>
      Effect.gen(function* () {
        const deleteAfter = "2026-03-01T00:00:00.000Z"
        const { status } = yield* call(`${server}.deactivateAccount`, {
          token,
          body: { deleteAfter }
        })
        assert.strictEqual(status, 200)
        const account = yield* (yield* AccountStore).get
        assert.strictEqual(account.deactivatedAt, deactivatedAt)
        assert.strictEqual(account.deleteAfter, deleteAfter)
        assert.deepStrictEqual(announced, ["account"])
        assert.strictEqual(yield* statusOf(did), "deactivated")
        const session = yield* call(`${server}.getSession`, { token })
        assert.strictEqual(session.body["active"], false)
        assert.strictEqual(session.body["status"], "deactivated")
      })
  )

  check(
    "deactivateAccount leaves a taken-down account taken down",
    { account: { takedown: "takendown" } },
    (token, did) =>
      Effect.gen(function* () {
        const { status } = yield* call(`${server}.deactivateAccount`, { token, body: {} })
        assert.strictEqual(status, 200)
        assert.strictEqual(yield* statusOf(did), "takendown")
        assert.strictEqual((yield* (yield* AccountStore).get).deactivatedAt, deactivatedAt)
      })
  )
})

describe("activateAccount", () => {
  const inactive = { deactivatedAt, deleteAfter: "2026-03-01T00:00:00.000Z" }

  check(
    "activateAccount activates the account under a higher head, and announces account, identity and sync",
    { account: inactive },
    (token, did) =>
      Effect.gen(function* () {
        const { status } = yield* call(`${server}.activateAccount`, { token, post: true })
        assert.strictEqual(status, 200)
        const account = yield* (yield* AccountStore).get
        assert.isUndefined(account.deactivatedAt)
        assert.isUndefined(account.deleteAfter)
        assert.deepStrictEqual(announced, ["head 3kabcdefghij3", "account", "identity", "sync"])
        assert.strictEqual(yield* statusOf(did), "active")
      })
  )

  check(
    "activateAccount accepts a did:web of this host",
    {
      account: inactive,
      identity: { ...aliceIdentity, did: "did:web:localhost%3A8787" },
      documents: []
    },
    (token) =>
      Effect.gen(function* () {
        const { status } = yield* call(`${server}.activateAccount`, { token, post: true })
        assert.strictEqual(status, 200)
      })
  )

  const refuse = (why: string, { message, ...given }: Case & { readonly message: RegExp }) =>
    check(
      `activateAccount fails and changes nothing when ${why}`,
      { account: inactive, ...given },
      (token) =>
        Effect.gen(function* () {
          const { status, body } = yield* call(`${server}.activateAccount`, { token, post: true })
          assert.strictEqual(status, 400)
          assert.strictEqual(body["error"], "InvalidRequest")
          assert.match(String(body["message"]), message)
          assert.strictEqual((yield* (yield* AccountStore).get).deactivatedAt, deactivatedAt)
          assert.deepStrictEqual(announced, [])
          const checked = yield* call(`${server}.checkAccountStatus`, { token })
          assert.strictEqual(checked.body["validDid"], false)
        })
    )

  refuse("the DID does not resolve", { documents: [], message: /could not be resolved/ })
  const elsewhere = plcIdentity([hostKey], "https://other.test")
  refuse("the document names another server", { identity: elsewhere, message: /service endpoint/ })
  refuse("the document has another key", {
    account: {
      ...inactive,
      signingKey: { curve: "k256", wrapped: new Uint8Array(1), didKey: strangerKey }
    },
    message: /signing key/
  })
  const others = plcIdentity([strangerKey])
  refuse("this server's key is no rotation key", { identity: others, message: /rotation key/ })
})

describe("checkAccountStatus", () => {
  check(
    "checkAccountStatus returns the progress of a migration",
    { account: { deactivatedAt } },
    (token) =>
      Effect.gen(function* () {
        const { body } = yield* call(`${server}.checkAccountStatus`, { token })
        assert.deepStrictEqual(body, {
          activated: false,
          validDid: true,
          repoCommit: "bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm",
          repoRev: "3kabcdefghij2",
          repoBlocks: 3,
          indexedRecords: 1,
          privateStateValues: 2,
          expectedBlobs: 5,
          importedBlobs: 4
        })
      })
  )
})
