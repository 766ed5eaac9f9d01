import { afterEach, assert, describe, it } from "@effect/vitest"
import { basic, bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, post, session, signUp } from "../support/http/httpWorld.ts"
import { backUp, faultyTarget, restoreServer, startBackedUp, verify } from "./backupWorld.ts"

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

/** Every kind of object in a store. */
const kinds = [
  "nacre-backup.json",
  "account.json",
  "blobs-*.json",
  "private.sealed",
  "repo.car",
  "blobs",
  "accounts-*.json",
  "host-*.sealed",
  "run.json"
]

const kindOf = (key: string): string =>
  key.includes("/blobs/") ? "blobs" : (key.split("/").at(-1) ?? "").replace(/-\d{4}\./, "-*.")

/** A server with two backups of an account; its store has every kind of object. */
const startTwice = async () => {
  const { host, objects } = await startBackedUp()
  open.push(host)
  const alice = await signUp(host, "alice")
  ok(
    await host.call("com.atproto.server.createInviteCodes", {
      auth: basic(),
      input: { codeCount: 1, useCount: 3 }
    })
  )
  const older = (await backUp(host)).run
  host.advance(86_400_000)
  const auth = bearer((await session(host, alice.did, "full")).accessJwt)
  const input = { repo: alice.did, collection: "app.bsky.feed.post", record: post("later") }
  ok(await host.call("com.atproto.repo.createRecord", { auth, input }))
  const newer = (await backUp(host)).run
  assert.sameMembers([...new Set([...objects.keys()].map(kindOf))], kinds)
  return { host, objects, alice, older, newer }
}

/** The bytes with one bit changed: in the first, the middle or the last byte, by the object's turn. */
const spoiled = (bytes: Uint8Array, turn: number): Uint8Array => {
  const copy = bytes.slice()
  const at = [0, copy.length >> 1, copy.length - 1][turn % 3]!
  copy[at] = copy[at]! ^ 1
  return copy
}

describe("a changed byte in a backup", () => {
  it("verification finds and names a changed byte in every object of the newest backup", async () => {
    const { host, objects, alice, older } = await startTwice()
    assert.deepInclude(await verify(host), { accounts: 1, faults: [] })
    const keys = [...objects.keys()].filter((key) => !key.includes(older))
    assert.sameMembers([...new Set(keys.map(kindOf))], kinds)
    for (const key of keys) {
      const sound = objects.get(key)!
      for (const turn of [0, 1, 2]) {
        objects.set(key, spoiled(sound, turn))
        const { faults } = await verify(host)
        const did = key.startsWith("accounts/") ? alice.did : undefined
        assert.deepStrictEqual(
          faults.map((fault) => [fault.did, fault.key]),
          [[did, key]]
        )
        objects.set(key, sound)
      }
    }
  })

  it("a restore finds and names a changed byte in every object of the backup that it reads", async () => {
    const { objects, older, newer } = await startTwice()
    for (const [run, other] of [
      [older, newer],
      [newer, older]
    ] as const) {
      const keys = [...objects.keys()].filter((key) => !key.includes(other))
      assert.sameMembers([...new Set(keys.map(kindOf))], kinds)
      for (const [turn, key] of keys.entries()) {
        const store = faultyTarget(new Map(objects))
        store.objects.set(key, spoiled(objects.get(key)!, turn))
        const host = await startHost({}, { backups: store.target })
        const named = await restoreServer(host, run).then(
          ({ faults }) => faults.map((fault) => fault.key),
          (error: Error) => [/BackupDamaged.*?message":"(\S+)/.exec(error.message)?.[1]]
        )
        await host.close()
        assert.deepStrictEqual(named, [key])
      }
    }
  })

  it("a run that wrote a damaged object of its own doesn't end as good", async () => {
    const { target, objects } = faultyTarget()
    const host = await startHost(
      {},
      {
        backups: {
          ...target,
          list: (prefix, cursor) => {
            // The runs are listed last, after every object was written.
            for (const [key, bytes] of prefix === "runs/" ? objects : []) {
              if (key.includes("/host-0001")) objects.set(key, spoiled(bytes, 1))
            }
            return target.list(prefix, cursor)
          }
        }
      }
    )
    open.push(host)
    const run = await backUp(host)
    assert.deepInclude(run, { outcome: "incomplete", faulty: 1 })
    assert.deepStrictEqual(
      run.faults.map(({ key }) => key),
      [`runs/${run.run}/host-0001.sealed`]
    )
  })
})
