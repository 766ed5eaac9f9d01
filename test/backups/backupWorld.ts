import * as Effect from "effect/Effect"
import * as BackupTargetMemory from "../../src/layers/backups/BackupTargetMemory.ts"
import {
  BackupTargetFailed,
  type BackupTargetShape
} from "../../src/services/backups/BackupTarget.ts"
import { basic, type Host, startHost } from "../support/http/httpHost.ts"

/** A run as the administrator's route returns it. */
export interface RunView {
  readonly run: string
  readonly outcome?: string
  readonly phase: string
  readonly accounts: number
  readonly changed: number
  readonly failed: number
  readonly blobs: number
  readonly bytes: number
  readonly sampled: number
  readonly faulty: number
  readonly faults: ReadonlyArray<{
    readonly did?: string
    readonly key?: string
    readonly problem: string
  }>
}

/** A store in memory whose operations fail on request. */
export const faultyTarget = (objects: Map<string, Uint8Array> = new Map()) => {
  const inner = BackupTargetMemory.make(objects)
  const state = { operations: 0, failAt: -1, failFor: "", hangAt: -1, onHang: () => {} }
  const guarded = <A, E>(
    operation: string,
    key: string,
    use: Effect.Effect<A, E>
  ): Effect.Effect<A, E | BackupTargetFailed> =>
    Effect.suspend((): Effect.Effect<A, E | BackupTargetFailed> => {
      if (state.operations === state.hangAt) {
        state.operations++
        state.onHang()
        return Effect.never
      }
      const fails =
        state.operations++ === state.failAt || (state.failFor !== "" && key.includes(state.failFor))
      return fails
        ? Effect.fail(new BackupTargetFailed({ operation, key, cause: "the disk is full" }))
        : use
    })
  const target: BackupTargetShape = {
    name: "faulty",
    put: (key, body, size) => guarded("put", key, inner.put(key, body, size)),
    get: (key) => guarded("get", key, inner.get(key)),
    list: (prefix, cursor) => guarded("list", prefix, inner.list(prefix, cursor)),
    delete: (keys) => guarded("delete", keys[0] ?? "", inner.delete(keys))
  }
  return { target, objects, state }
}

/** A host with backups in memory. */
export const startBackedUp = async (env: Readonly<Record<string, string>> = {}) => {
  const store = faultyTarget()
  const host = await startHost(env, { backups: store.target })
  return { host, ...store }
}

/** Runs a complete backup through the administrator's route. */
export const backUp = async (host: Host): Promise<RunView> => {
  let query = ""
  for (let calls = 0; calls < 200; calls++) {
    const { status, body, text } = await host.ask(`/admin/backups${query}`, {
      method: "POST",
      auth: basic()
    })
    if (status === 503) continue
    if (status !== 200) throw new Error(`${status} ${text}`)
    const run = body["run"] as RunView
    if (run.outcome !== undefined) return run
    query = `?run=${run.run}`
  }
  throw new Error("the run doesn't end")
}

/** Verifies every object of the newest backups. */
export const verify = async (host: Host) => {
  const { status, body, text } = await host.ask("/admin/backups/verify", {
    method: "POST",
    auth: basic()
  })
  if (status !== 200) throw new Error(`${status} ${text}`)
  return body as {
    readonly accounts: number
    readonly objects: number
    readonly faults: RunView["faults"]
  }
}

/** Runs a complete restore of a server through the administrator's route. */
export const restoreServer = async (host: Host, backup?: string) => {
  const restored: Array<{ readonly did: string; readonly kind: string }> = []
  const faults: Array<RunView["faults"][number]> = []
  let cursor = ""
  for (let calls = 0; calls < 200; calls++) {
    const query = new URLSearchParams({ cursor, ...(backup === undefined ? {} : { backup }) })
    const { status, body, text } = await host.ask(`/admin/backups/restore-server?${query}`, {
      method: "POST",
      auth: basic()
    })
    if (status === 503) continue
    if (status !== 200) throw new Error(`${status} ${text}`)
    restored.push(...body["restored"])
    faults.push(...body["faults"])
    if (body["cursor"] === undefined) {
      return { restored, faults, run: body["run"] as string, madeAt: body["madeAt"] as string }
    }
    cursor = body["cursor"]
  }
  throw new Error("the restore doesn't end")
}
