import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { carBytes } from "../../core/repo/car.ts"
import {
  accountFrame,
  commitFrame,
  identityFrame,
  type PendingFrame
} from "../../core/repo/frame.ts"
import { rootBlock } from "../../core/repo/mst/preOrder.ts"
import { AccountEvents } from "../../services/stream/AccountEvents.ts"
import { type Account, AccountStore, inactiveStatus } from "../../services/accounts/AccountStore.ts"
import { Outbox } from "../../services/stream/Outbox.ts"
import { type Head, Repo } from "../../services/repo/Repo.ts"
import type { OutboxEvent } from "../../services/stream/Sequencer.ts"
import { SqlStorage } from "../../services/host/SqlStorage.ts"
import { writeLastEvent } from "../repo/RepoHeadSqlite.ts"
import { syncEvent } from "./syncEvent.ts"
import type { Bounds } from "../host/sql/bounds.ts"

/** An account's state when one of its events is written. */
interface Standing {
  readonly account: Account
  readonly head: Head
  readonly root: { readonly cid: Head["root"]; readonly bytes: Uint8Array }
  readonly collections: ReadonlyArray<string>
  readonly time: string
}

/** One row once the sign-up is announced, or never will be. */
export const tables = [
  "CREATE TABLE IF NOT EXISTS announced (one INTEGER PRIMARY KEY CHECK (one = 1))"
]

type Event = Omit<OutboxEvent, "id">

const event = (kind: Event["kind"], frame: PendingFrame, more: Partial<Event> = {}): Event => ({
  kind,
  frame: frame.bytes,
  seqOffset: frame.seqOffset,
  ...more
})

const headOf = ({ head }: Standing) => ({ head: { commit: head.commit.toString(), rev: head.rev } })

const identity = ({ account: { did, handle }, time }: Standing): Event =>
  event("identity", identityFrame({ did, handle, time }))

const account = ({ account, time }: Standing): Event => {
  const status = inactiveStatus(account)
  const standing = status === undefined ? { active: true } : { active: false, status }
  return event("account", accountFrame({ did: account.did, ...standing, time }), {
    account: standing
  })
}

const deleted = ({ account: { did }, time }: Standing): Event => {
  const standing = { active: false, status: "deleted" } as const
  return event("account", accountFrame({ did, ...standing, time }), { account: standing })
}

const sync = ({ account, ...standing }: Standing): Event =>
  syncEvent({ did: account.did, ...standing })

/** The commit of an empty repo: its account's first, so without `since` and `prevData`. */
const firstCommit = (standing: Standing): Event => {
  const { account, head, root, time } = standing
  const frame = commitFrame({
    repo: account.did,
    commit: head.commit,
    rev: head.rev,
    since: null,
    blocks: carBytes(head.commit, [{ cid: head.commit, bytes: head.block }, root]),
    ops: [],
    time
  })
  return event("commit", frame, headOf(standing))
}

/** Emits the events of this object's account through its outbox. */
export const layer = Layer.effect(
  AccountEvents,
  Effect.gen(function* () {
    const accounts = yield* AccountStore
    const repo = yield* Repo
    const outbox = yield* Outbox
    const sql = yield* SqlStorage

    // An event needs an account; without one, this is a defect.
    const standing = Effect.gen(function* () {
      const snapshot = yield* repo.snapshot
      const root = rootBlock(snapshot.tree)
      snapshot.close()
      const time = new Date(yield* Clock.currentTimeMillis).toISOString()
      return {
        account: yield* accounts.get,
        head: snapshot.head,
        root,
        collections: yield* Effect.fromResult(repo.collections()),
        time
      } satisfies Standing
    }).pipe(Effect.orDie)

    type Make = (standing: Standing) => Event

    /** Call inside a transaction. */
    const push = (makes: ReadonlyArray<Make>, now: Standing): void => {
      const ids = makes.map((make) => outbox.push(make(now)))
      writeLastEvent(sql, ids.at(-1)!)
    }

    const announce = (...events: ReadonlyArray<Make>) =>
      Effect.gen(function* () {
        const now = yield* standing
        sql.transaction(() => push(events, now))
        yield* outbox.flush
      })

    const isSettled = () => [...sql.exec("SELECT 1 FROM announced").raw()].length > 0
    const settle = () => void sql.exec("INSERT OR IGNORE INTO announced (one) VALUES (1)")

    const signUp = Effect.gen(function* () {
      const now = yield* standing
      // A late announcement may follow later commits, whose own events suffice.
      const first = now.head.records === 0 ? [firstCommit] : []
      sql.transaction(() => {
        if (isSettled()) return
        settle()
        push([identity, account, ...first, sync], now)
      })
      yield* outbox.flush
    })

    return AccountEvents.of({
      account: announce(account),
      deleted: announce(deleted),
      identity: announce(identity),
      sync: announce(sync),
      signUp,
      noSignUp: Effect.sync(settle),
      owesSignUp: Effect.sync(() => !isSettled())
    })
  })
)

/** The limits of these tables. */
export const bounds = (): Bounds => ({
  announced: {
    filledBy: "the server",
    bound: "one row",
    bytes: 1024,
    per: "account"
  }
})
