import * as Effect from "effect/Effect"
import { afterEach, assert, describe, it } from "@effect/vitest"
import {
  BackupTargetFailed,
  type BackupTargetShape
} from "../../src/services/backups/BackupTarget.ts"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import { bearer, type Host, startHost } from "../support/http/httpHost.ts"
import { ok, post, session, signUp } from "../support/http/httpWorld.ts"
import { backUp, restoreServer, verify } from "./backupWorld.ts"

const day = 86_400_000

const open: Array<Host> = []
afterEach(async () => {
  for (const host of open.splice(0)) await host.close()
})

/** A store that can be full, and whose operations take time on the host's clock. */
const startOver = async (objects = new Map<string, Uint8Array>()) => {
  const inner = BackupTargetMemory.make(objects)
  const state = { isFull: false, millis: 0, operations: 0 }
  let host: Host | undefined
  const slow = <A, E>(use: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      state.operations += 1
      host?.advance(state.millis)
      return use
    })
  const target: BackupTargetShape = {
    name: "a small and slow store",
    put: (key, body, size) =>
      slow(
        Effect.suspend(() =>
          state.isFull
            ? Effect.fail(
                new BackupTargetFailed({ operation: "put", key, cause: new Error("no space left") })
              )
            : inner.put(key, body, size)
        )
      ),
    get: (key) => slow(inner.get(key)),
    list: (prefix, cursor) => slow(inner.list(prefix, cursor)),
    delete: (keys) => slow(inner.delete(keys))
  }
  host = await startHost({}, { backups: target })
  open.push(host)
  return { host, state, objects }
}

const write = async (host: Host, did: string, text: string) => {
  const auth = bearer((await session(host, did, "full")).accessJwt)
  const input = { repo: did, collection: "app.bsky.feed.post", record: post(text) }
  ok(await host.call("com.atproto.repo.createRecord", { auth, input }))
}

describe("a backup store with limits", () => {
  it("a full store fails the run with its reason, keeps the last backup, and accepts the next one", async () => {
    const { host, state } = await startOver()
    const { did } = await signUp(host, "alice")
    assert.strictEqual((await backUp(host)).outcome, "good")
    host.advance(day)
    await write(host, did, "after the backup")
    state.isFull = true
    const run = await backUp(host)
    assert.strictEqual(run.outcome, "failed")
    assert.include(JSON.stringify(run.faults), "no space left")
    assert.deepInclude(await verify(host), { accounts: 1, faults: [] })
    state.isFull = false
    host.advance(day)
    assert.deepInclude(await backUp(host), { outcome: "good", changed: 1 })
  })

  it("a run and a restore with a slow store take several calls, and are complete", async () => {
    const { host, objects, state } = await startOver()
    const people = [await signUp(host, "alice"), await signUp(host, "bob")]
    state.millis = 21_000
    const run = await backUp(host)
    assert.deepInclude(run, { outcome: "good", accounts: 2, changed: 2, faulty: 0 })
    assert.isAbove(state.operations * state.millis, 60_000, "more than one call's time")
    state.millis = 0
    assert.deepInclude(await verify(host), { accounts: 2, faults: [] })

    const later = await startOver(new Map(objects))
    later.state.millis = 21_000
    const restored = await restoreServer(later.host)
    assert.deepStrictEqual(restored.faults, [])
    assert.sameMembers(
      restored.restored.map(({ did }) => did),
      people.map(({ did }) => did)
    )
  })
})
