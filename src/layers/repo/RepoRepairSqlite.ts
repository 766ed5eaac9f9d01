import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AccountStore, inactiveStatus, RepoNotFound } from "../../services/accounts/AccountStore.ts"
import { AccountHistory } from "../../services/accounts/AccountHistory.ts"
import { Alarm } from "../../services/host/Alarm.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { BlockStore } from "../../services/repo/BlockStore.ts"
import { Records } from "../../services/repo/Records.ts"
import { type Head, Repo } from "../../services/repo/Repo.ts"
import { RepairRefused, RepoRepair } from "../../services/repo/RepoRepair.ts"
import { Outbox } from "../../services/stream/Outbox.ts"
import { syncEvent } from "../stream/syncEvent.ts"
import { insertCluster } from "./BlockStoreSqlite.ts"
import { readHead } from "./RepoHeadSqlite.ts"
import { type Rebuilt, rebuild, TooManyRecords } from "./repairTree.ts"

/** How often a repair starts again because the repo was written to. */
const attempts = 5

/** Delay until the alarm looks for blobs to sweep, in milliseconds. */
const sweepAfter = 600_000

const busy = () =>
  new RepairRefused({ reason: "it was written to all the time; repeat the repair" })

/** One step; a bug is a defect. */
const stepOf = (steps: ReturnType<typeof rebuild>) =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(steps.next())
    } catch (error) {
      return error instanceof TooManyRecords
        ? Effect.fail(new RepairRefused({ reason: error.message }))
        : Effect.die(error)
    }
  })

/** Examines and repairs with the object's SQLite. */
export const layer = Layer.effect(
  RepoRepair,
  Effect.gen(function* () {
    const sql = yield* SqlStorage
    const accounts = yield* AccountStore
    const repo = yield* Repo
    const records = yield* Records
    const blocks = yield* BlockStore
    const outbox = yield* Outbox
    const alarm = yield* Alarm
    const history = yield* AccountHistory

    const isAt = (rev: string) => readHead(sql)?.head.rev === rev

    /** Rebuilds the repo beside the stored one; undefined if it was written to meanwhile. */
    const rebuilt = Effect.gen(function* () {
      const { did, signingKey } = yield* accounts.get
      const stored = readHead(sql)
      if (stored === undefined) return yield* new RepoNotFound({ did })
      const { head } = stored
      const steps = rebuild({ sql, records, blocks, did, signingKey: signingKey.didKey, head })
      while (true) {
        const step = yield* stepOf(steps)
        if (step.done === true) return step.value
        yield* Effect.yieldNow
        if (!isAt(head.rev)) return undefined
      }
    })

    /** Rebuilds until no write has come in between. */
    const whole = Effect.gen(function* () {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const made = yield* rebuilt
        if (made !== undefined) return made
      }
      return yield* busy()
    })

    /** Puts the rebuilt repo in place, inside the commit's transaction. */
    const place = (made: Rebuilt, head: Head, now: number): number | undefined => {
      for (const [path, cid] of made.renamed) {
        sql.exec("UPDATE record SET cid = ? WHERE path = ?", cid.bytes, path)
      }
      for (const path of made.damaged) sql.exec("DELETE FROM record WHERE path = ?", path)
      sql.exec("DELETE FROM cluster")
      for (const cluster of made.clusters) insertCluster(sql, "cluster", cluster, head.rev)
      made.references.correct(head.rev, now)
      const account = accounts.peek()
      if (account === undefined || inactiveStatus(account) !== undefined) return undefined
      const time = new Date(now).toISOString()
      const collections = records.collections()
      return outbox.push(syncEvent({ did: account.did, head, collections, time }))
    }

    const put = Effect.fnUntraced(function* (made: Rebuilt) {
      const now = yield* Clock.currentTimeMillis
      const expected = (yield* repo.head).commit
      const rev = yield* repo.revAbove(made.examined.rev)
      if (!isAt(made.examined.rev)) return undefined
      const { nodes, records: count } = made.examined
      const after = yield* repo
        .replace({
          expected,
          root: made.root,
          rev,
          records: count,
          nodes,
          place: (head) => place(made, head, now)
        })
        .pipe(Effect.catchTag("InvalidSwap", () => Effect.undefined))
      if (after === undefined) return undefined
      // Blobs without references wait for the sweep.
      yield* alarm.by(now + sweepAfter)
      history.note({ kind: "repaired", by: "operator", after: after.rev }, now)
      return after
    })

    const repair = Effect.fn("RepoRepair.repair")(function* ({ drop }: { readonly drop: boolean }) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const made = yield* whole
        const { examined } = made
        if (examined.found === 0) return { examined, rev: undefined }
        if (examined.damagedCount > 0 && !drop) {
          return yield* new RepairRefused({
            reason: `${examined.damagedCount} records are damaged, such as ${examined.damaged[0]}. Restore the account from its backup, or repair it with drop, which removes them`
          })
        }
        const head = yield* put(made)
        if (head !== undefined) return { examined, rev: head.rev }
      }
      return yield* busy()
    })

    return RepoRepair.of({ examine: Effect.map(whole, ({ examined }) => examined), repair })
  })
)
